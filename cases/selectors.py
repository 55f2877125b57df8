"""The reads: what an actor may see of cases, their notes and the grants on them."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from operator import attrgetter, itemgetter
from typing import Any, Final

from django.conf import settings
from django.contrib.auth.models import User
from django.core.exceptions import EmptyResultSet
from django.db import connection
from django.db.models import CharField, Count, F, Q, QuerySet, Value
from django.utils.timezone import now

from cases import policies, replica
from cases.errors import CaseError, CaseNotFound, RightsUnconfirmed
from cases.filters import EVERY_CASE, CaseFilter
from cases.lifecycle import CaseAction, CaseStatus
from cases.models import (
    Case,
    CaseQuerySet,
    CaseUserPermission,
    Note,
    Ordering,
    SlaTarget,
    rights,
)
from cases.models.orderings import Beyond
from cases.models.search import found_one_by_one, hits_anywhere, hits_near
from cases.pages import CaseRow, PlainRow
from cases.policies import Actor
from cases.prepared import Prepared

# Anything else is not a case id, and needs no look into the database to say so.
_CASE_ID: Final = re.compile(r"CASE-[0-9]{6,15}")

# Stands where a status does in the counts of overdue cases.
_OVERDUE: Final = "overdue"

_COLUMNS: Final = [field.attname for field in Case._meta.concrete_fields]

# The read of every detail and before every change, written out: PostgreSQL answers it several times
# faster than the ORM puts it together. It says what CaseQuerySet.visible_to and with_grants say; a
# test compares them. OFFSET 0 keeps PostgreSQL from writing the look for grants into the condition
# once more, and so from planning the statement anew each time for whom it falls away again.
_FROM_ONE_CASE: Final = f"""
      FROM cases c
     CROSS JOIN LATERAL (
           SELECT ARRAY(SELECT p.codename
                          FROM case_user_permissions g
                          JOIN auth_user u ON u.id = g.user_id
                          JOIN auth_permission p ON p.id = g.permission_id
                         WHERE g.case_id = c.id AND u.username = %(actor)s AND u.is_active)
                  AS granted
           OFFSET 0) AS mine
     WHERE c.id = %(case_id)s
       AND (%(sees_all)s
            OR %(sees_open)s AND (NOT c.restricted OR c.assigned_reviewer_id = %(actor)s)
            OR '{policies.VIEW}' = ANY (mine.granted))
       AND {rights.HOLD}
"""  # noqa: S608 (constants)


def _one_case(columns: Iterable[str], lock: str = "", *, more: str = "") -> Prepared:
    read = ", ".join(f"c.{column}" for column in columns)
    return Prepared(f"SELECT {read}{more}, mine.granted {_FROM_ONE_CASE} {lock}")


_LOCK: Final = "FOR NO KEY UPDATE OF c"
_TARGET: Final = ", (SELECT t.working_days FROM sla_targets t WHERE t.priority = c.priority)"

_ONE_CASE: Final = _one_case(_COLUMNS)
_ONE_CASE_LOCKED: Final = _one_case(_COLUMNS, _LOCK)
_ONE_DRAFT_LOCKED: Final = _one_case(_COLUMNS, _LOCK, more=_TARGET)
_ONE_ROW: Final = _one_case(
    f"{name}::text" if name.endswith("_at") else name for name in CaseRow._fields[:-1]
)


def get_case(case_id: str, actor: Actor, *, for_update: bool = False) -> Case:
    """Return the case, if it exists for this actor.

    Args:
        case_id: like ``CASE-000001``.
        actor: who asks.
        for_update: lock the row until the end of the transaction.

    Raises:
        CaseNotFound: no such case, or none that this actor may know of.
        RightsUnconfirmed: the same, or the remembered rights of the actor are outdated.
    """
    row = _read_one(_ONE_CASE_LOCKED if for_update else _ONE_CASE, case_id, actor)
    case = Case.from_db(connection.alias, _COLUMNS, row[:-1])
    case.granted = row[-1]
    return case


def get_draft(case_id: str, actor: Actor) -> Case:
    """Return the case, locked, and with it what the table of working days gives to its priority.

    Raises:
        CaseNotFound: no such case, or none that this actor may know of.
    """
    row = _read_one(_ONE_DRAFT_LOCKED, case_id, actor)
    case = Case.from_db(connection.alias, _COLUMNS, row[:-2])
    case.target_days, case.granted = row[-2:]
    return case


def sla_targets() -> dict[str, int | None]:
    """Return the working days that cases get when they are submitted, by their priority."""
    return dict(SlaTarget.objects.values_list("priority", "working_days"))


def read_case(case_id: str, actor: Actor) -> CaseRow:
    """Return the case as a small row, if it exists for this actor: for who only shows it.

    Raises:
        CaseNotFound: no such case, or none that this actor may know of.
        RightsUnconfirmed: the same, or the remembered rights of the actor are outdated.
    """
    return CaseRow._make(_read_one(_ONE_ROW, case_id, actor))


def _read_one(statement: Prepared, case_id: str, actor: Actor) -> tuple[Any, ...]:
    if not _CASE_ID.fullmatch(case_id):
        raise CaseNotFound
    asked: dict[str, str | bool | None] = {
        "case_id": case_id,
        "actor": actor.id,
        "sees_all": policies.sees_every_case(actor),
        "sees_open": actor.has(policies.VIEW),
        "rights_version": actor.rights_version,
    }
    with connection.cursor() as cursor:
        cursor.execute(statement, asked)
        row: tuple[Any, ...] | None = cursor.fetchone()
    if row is None:
        raise CaseNotFound if actor.rights_version is None else RightsUnconfirmed
    return row


def visible_cases(
    actor: Actor, wanted: CaseFilter = EVERY_CASE, *, at: datetime | None = None
) -> CaseQuerySet:
    """Return the cases that exist for this actor and that a filter asks for.

    Args:
        actor: who asks.
        wanted: the filter.
        at: the moment at which a case is overdue or not; now if not given.
    """
    cases = Case.objects.visible_to(actor).matching(wanted, at=at or now())
    # A past that is loaded asks for no permission, so it needs none looked up.
    return cases if actor.imported_by else cases.with_grants(actor)


def first_cases(cases: QuerySet[Case], search: str, size: int) -> list[Case]:
    """Return the first cases of an ordered list that have the words, the quick way.

    Args:
        cases: the list, ordered, without the search.
        search: the words, none for the first cases as they come.
        size: how many at most.
    """
    if not search:
        return list(cases[:size])
    near, complete = hits_near(cases, search, size)
    ids = near if complete else hits_anywhere(search)
    if ids is None:
        return list(cases.filter(found_one_by_one(search))[:size])
    return list(cases.filter(pk__in=ids)[:size]) if ids else []


def searched(cases: CaseQuerySet, search: str) -> CaseQuerySet:
    """Return those of a list that have the words, all of them, for who reads to the end."""
    ids = hits_anywhere(search)
    return cases.filter(found_one_by_one(search) if ids is None else Q(pk__in=ids))


def how_many(
    actor: Actor,
    lists: Mapping[str, tuple[CaseFilter, Ordering]],
    *,
    most: int,
    at: datetime | None = None,
) -> dict[str, int]:
    """Count each of some lists, in one statement, but none further than ``most`` + 1.

    An order whose index knows what the filter asks for keeps the count short: without one, rows
    are read as they lie, and where they lie is nobody's choice.
    """
    at = at or now()
    counts: list[str] = []
    values: list[Any] = []
    for wanted, ordering in lists.values():
        cases = Case.objects.visible_to(actor).matching(wanted, at=at)
        cases = cases.order_by(*ordering.terms())
        try:
            sql, params = cases.values("pk")[: most + 1].query.sql_with_params()
        except EmptyResultSet:  # nothing exists for this actor
            sql, params = "SELECT FROM cases WHERE false", ()
        counts.append(f"(SELECT count(*) FROM ({sql}) AS list)")  # noqa: S608 (our own)
        values += params
    with replica.connection().cursor() as cursor:
        cursor.execute(f"SELECT {', '.join(counts)}", values)
        return dict(zip(lists, cursor.fetchone(), strict=True))


def unmarked_overdue(
    actor: Actor, *, at: datetime, after: tuple[datetime, str] | None, size: int
) -> list[Case]:
    """Return the first cases that are overdue and not marked so, locked, by due date.

    Cases that somebody else has locked are left out.

    Args:
        actor: who asks.
        at: the moment at which they are overdue.
        after: due date and id of the case before the first; None for the beginning.
        size: how many at most.
    """
    cases = _unmarked(actor, at).order_by("due_at", "id")
    if after is not None:
        cases = cases.filter(
            Beyond([F("due_at"), F("id")], [Value(after[0]), Value(after[1])], ">")
        )
    return list(cases.select_for_update(of=("self",), no_key=True, skip_locked=True)[:size])


def count_unmarked_overdue(actor: Actor, *, at: datetime) -> int:
    """Count the cases that are overdue at a moment and not marked so."""
    return _unmarked(actor, at).count()


def count_overdue(*, at: datetime) -> int:
    """Count all overdue cases, whoever may see them: a number for who runs the service."""
    return Case.objects.order_by().matching(CaseFilter(overdue=True), at=at).count()


def _unmarked(actor: Actor, at: datetime) -> CaseQuerySet:
    # As the index cases_unmarked_due says it.
    return (
        Case.objects.visible_to(actor)
        .exclude(status=CaseStatus.CLOSED.value)
        .filter(due_at__lt=at, due_at__isnull=False, overdue_at__isnull=True)
        .filter(paused_at__isnull=True)
    )


@dataclass(frozen=True)
class CaseSummary:
    """How many cases exist for somebody; each number is the length of a list (docs: api.md)."""

    by_status: Mapping[CaseStatus, int]
    open_by_reviewer: Mapping[str, int]
    unassigned: int
    overdue: int


def summary(actor: Actor, *, at: datetime | None = None) -> CaseSummary:
    """Count the cases that exist for this actor, in one statement and so at one moment."""
    at = at or now()
    counts: list[QuerySet[Case, Any]] = []
    for cases in Case.objects.order_by().visible_in_parts(actor):
        late = cases.matching(CaseFilter(overdue=True), at=at)
        counts += [
            cases.values_list("status", "assigned_reviewer_id").annotate(n=Count("*")),
            late.values_list(Value(_OVERDUE), Value(None, CharField())).annotate(n=Count("*")),
        ]
    by_status = dict.fromkeys(CaseStatus, 0)
    open_by_reviewer: dict[str, int] = {}
    unassigned = overdue = 0
    for status, reviewer, number in counts[0].union(*counts[1:], all=True):
        if status == _OVERDUE:
            overdue += number
            continue
        by_status[CaseStatus(status)] += number
        if reviewer is None:
            unassigned += number if status == CaseStatus.SUBMITTED else 0
        elif status != CaseStatus.CLOSED:
            open_by_reviewer[reviewer] = open_by_reviewer.get(reviewer, 0) + number
    return CaseSummary(by_status, open_by_reviewer, unassigned, overdue)


def notes_of(case: Case) -> QuerySet[Note]:
    """Return the notes of a case that the caller may see, oldest first."""
    return Note.objects.filter(case=case).order_by("sequence")


def granted_on(case_id: str, actor: Actor) -> frozenset[str]:
    """Return the permissions that the actor was given on this one case.

    Raises:
        RightsUnconfirmed: the rights of the actor are remembered.
    """
    rights.demand_fresh(actor)
    if not _CASE_ID.fullmatch(case_id):
        return frozenset()
    rows = CaseUserPermission.objects.filter(
        user__username=actor.id, user__is_active=True, content_object_id=case_id
    )
    return frozenset(rows.values_list("permission__codename", flat=True))


def grants_on(case: Case) -> list[tuple[str, str]]:
    """Return who was granted what on a case that the caller may see: user and permission."""
    rows = CaseUserPermission.objects.filter(content_object=case)
    return list(
        rows.order_by("user__username", "permission__codename").values_list(
            "user__username", "permission__codename"
        )
    )


def available_actions(actor: Actor, case: Case | CaseRow) -> list[CaseAction]:
    """Return the actions that this actor may take now on a case read by this module."""
    return policies.available_actions(
        actor, case, granted=case.granted, four_eyes=settings.CASES_FOUR_EYES
    )


def available_on_each(
    actor: Actor, cases: Iterable[Case | PlainRow]
) -> Iterator[tuple[Case | PlainRow, list[CaseAction]]]:
    """Yield cases read by this module, each with the actions that this actor may take on it now."""
    four_eyes: bool = settings.CASES_FOUR_EYES
    for case in cases:
        facts = _FACTS_OF_ROW(case) if isinstance(case, tuple) else _FACTS_OF_CASE(case)
        available = policies.available_by(actor, facts[:-1], granted=facts[-1], four_eyes=four_eyes)
        yield case, available


_FACTS_OF_CASE: Final = attrgetter(*policies.FACTS, "granted")
_FACTS_OF_ROW: Final = itemgetter(*map(CaseRow._fields.index, (*policies.FACTS, "granted")))


def explained_actions(actor: Actor, case: Case | CaseRow) -> dict[CaseAction, CaseError | None]:
    """Return for every action on a case read by this module what forbids it to this actor now."""
    return policies.explained_actions(
        actor, case, granted=case.granted, four_eyes=settings.CASES_FOUR_EYES
    )


def restricted_among(case_ids: Collection[str]) -> frozenset[str]:
    """Return those of these cases that are restricted now."""
    found = Case.objects.order_by().filter(pk__in=set(case_ids), restricted=True)
    return frozenset(found.values_list("pk", flat=True))


def addresses_of(names: Collection[str]) -> dict[str, str]:
    """Return the e-mail address of each of these accounts that is active and has one, by name."""
    accounts = User.objects.filter(username__in=set(names), is_active=True)
    return dict(accounts.exclude(email="").values_list("username", "email"))


def addresses_holding(permission: str) -> dict[str, str]:
    """Return the e-mail address of each active account with this permission for every case.

    Args:
        permission: one of ``policies.ALL_PERMISSIONS``. That a superuser has all of them does not
            count: who runs the service is not who works cases.
    """
    accounts = User.objects.with_perm(
        f"cases.{permission}",
        include_superusers=False,
        backend="django.contrib.auth.backends.ModelBackend",
    )
    return dict(accounts.exclude(email="").values_list("username", "email"))
