"""Who could review a case, and who of them has the least to do."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from django.conf import settings
from django.db import connection
from django.db.models import Count

from cases.lifecycle import CaseStatus
from cases.models import Case
from cases.policies import (
    FOUR_EYES,
    OVERRIDE_FOUR_EYES,
    PERMISSIONS,
    VIEW,
    VIEW_RESTRICTED,
    Actor,
)

# So many are suggested to who asks over HTTP.
SUGGESTED_MAX: Final = 50

# What it takes to carry a review from its start to a decision.
_NEEDED: Final = sorted({VIEW, *(PERMISSIONS[action] for action in FOUR_EYES)})

# By roles, of one's own, or granted on this case. Of a restricted case only who may know of it
# already: a suggestion is no reason to tell one more person.
_ELIGIBLE: Final = """
SELECT u.username, concat_ws(' ', nullif(u.first_name, ''), nullif(u.last_name, '')),
       %(override)s = ANY (held.codenames)
  FROM cases c
 CROSS JOIN auth_user u
 CROSS JOIN LATERAL (
       SELECT array_agg(p.codename::text) AS codenames
         FROM (SELECT gp.permission_id FROM auth_user_groups m
                 JOIN auth_group_permissions gp ON gp.group_id = m.group_id
                WHERE m.user_id = u.id
               UNION
               SELECT up.permission_id FROM auth_user_user_permissions up WHERE up.user_id = u.id
               UNION
               SELECT g.permission_id FROM case_user_permissions g
                WHERE g.user_id = u.id AND g.case_id = c.id) AS all_of_them
         JOIN auth_permission p ON p.id = all_of_them.permission_id
         JOIN django_content_type t ON t.id = p.content_type_id AND t.app_label = 'cases') AS held
 WHERE c.id = %(case_id)s AND u.is_active AND held.codenames @> %(needed)s::text[]
   AND NOT (%(four_eyes)s AND (u.username = c.created_by
                               OR u.username = coalesce(c.submitted_by, '')))
   AND (NOT c.restricted OR %(restricted)s = ANY (held.codenames)
        OR u.username = coalesce(c.assigned_reviewer_id, '')
        OR EXISTS (SELECT FROM case_user_permissions g
                     JOIN auth_permission p ON p.id = g.permission_id AND p.codename = %(view)s
                    WHERE g.user_id = u.id AND g.case_id = c.id))
"""


@dataclass(frozen=True)
class Candidate:
    """An account that could review a case, and how many open cases it has."""

    reviewer_id: str
    name: str
    open: int


def candidates(case_id: str, actor: Actor) -> list[Candidate]:
    """Return who could review a case, the one with the least open work first: two statements.

    Eligible is an active account that may see the case, start its review, escalate and close it,
    and whom the four-eyes rule does not bar. Who may set that rule aside stands in for others, and
    comes last. Check first that the actor may assign the case.

    Args:
        case_id: like ``CASE-000001``.
        actor: who asks; only cases that exist for the actor count as work.
    """
    asked: dict[str, str | bool | list[str]] = {
        "case_id": case_id,
        "needed": _NEEDED,
        "override": OVERRIDE_FOUR_EYES,
        "restricted": VIEW_RESTRICTED,
        "view": VIEW,
        "four_eyes": settings.CASES_FOUR_EYES,
    }
    with connection.cursor() as cursor:
        cursor.execute(_ELIGIBLE, asked)
        eligible: list[tuple[str, str, bool]] = cursor.fetchall()
    if not eligible:
        return []
    has = _open_work([username for username, _, _ in eligible], actor)
    eligible.sort(key=lambda one: (one[2], has.get(one[0], 0), one[0]))
    return [Candidate(username, name, has.get(username, 0)) for username, name, _ in eligible]


def _open_work(usernames: list[str], actor: Actor) -> dict[str, int]:
    first, *others = (
        cases.filter(assigned_reviewer_id__in=usernames)
        .exclude(status=CaseStatus.CLOSED.value)
        .values_list("assigned_reviewer_id")
        .annotate(number=Count("*"))
        for cases in Case.objects.order_by().visible_in_parts(actor)
    )
    found: dict[str, int] = {}
    for username, number in first.union(*others, all=True) if others else first:
        found[username] = found.get(username, 0) + number
    return found
