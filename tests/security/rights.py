"""Who may do what, written down from the contract by hand: nothing here asks the code under test.

Everybody who acts here is called Pat, so that one set of cases serves all: what differs is what
Pat is (roles, grants) and what a case is to Pat (written, submitted, reviewed by Pat or not).
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product
from typing import Any

from django.db import connection

from cases import services
from cases.models import Case
from cases.policies import ALL_PERMISSIONS, Actor

PAT = "pat"
# Make cases as they are needed, whatever rule stands against it.
SETTER = Actor(id="olga", permissions=ALL_PERMISSIONS)
PATS_HAND = Actor(id=PAT, permissions=ALL_PERMISSIONS)

MATRIX = """
action        | case_writer reviewer supervisor auditor admin
create        | yes         -        -          -       yes
update        | yes         -        -          -       yes
submit        | yes         -        -          -       yes
start_review  | -           yes      -          -       yes
assign        | -           yes      yes        -       yes
escalate      | -           yes      -          -       yes
close         | -           yes      -          -       yes
add_note      | yes         yes      yes        -       yes
set_due_date  | -           -        yes        -       yes
pause         | -           yes      yes        -       yes
resume        | -           yes      yes        -       yes
restrict      | -           -        yes        -       yes
unrestrict    | -           -        yes        -       yes
grant_access  | -           -        yes        -       yes
revoke_access | -           -        yes        -       yes
mark_overdue  | -           -        -          -       -
"""
_HEAD, *_ROWS = (line.replace("|", " ").split() for line in MATRIX.strip().splitlines())
ROLES = _HEAD[1:]
ACTIONS = [row[0] for row in _ROWS]
MAY = {
    role: {row[0] for row in _ROWS if row[column] == "yes"}
    for column, role in enumerate(ROLES, start=1)
}
DECISIONS = {"start_review", "escalate", "close"}
# Whose office it is to see what is restricted, and to hand over what is another reviewer's.
SEE_ALL = {"supervisor", "auditor", "admin"}
HAND_OVER_ALL = {"supervisor", "admin"}
NOT_BY_GRANT = {"create", "mark_overdue"}
PERMISSION = {
    "update": "update_case", "submit": "submit_case", "start_review": "start_review",
    "assign": "assign_reviewer", "escalate": "escalate_case", "close": "close_case",
    "add_note": "add_note", "set_due_date": "set_due_date", "pause": "pause_clock",
    "resume": "resume_clock", "restrict": "restrict_case", "unrestrict": "unrestrict_case",
    "grant_access": "grant_access", "revoke_access": "revoke_access",
}  # fmt: skip


REASON = {"reason": "The evidence is in"}
ACCESS = {"user": "grace", "permission": "view_case"}
# Action: method, what follows /cases/CASE-…, body.
ADDRESSES: dict[str, tuple[str, str, dict[str, str] | None]] = {
    "update": ("patch", "", {"title": "Very late"}),
    "submit": ("post", "/submit", None),
    "start_review": ("post", "/start-review", {"reviewer_id": "rosa"}),
    "assign": ("post", "/assign", {"reviewer_id": "rosa"}),
    "escalate": ("post", "/escalate", REASON),
    "close": ("post", "/close", REASON),
    "add_note": ("post", "/notes", {"body": "Called the firm."}),
    "set_due_date": ("post", "/due-date", {"due_at": "2027-03-01T12:00:00Z", **REASON}),
    "pause": ("post", "/pause", REASON),
    "resume": ("post", "/resume", REASON),
    "restrict": ("post", "/restrict", REASON),
    "unrestrict": ("post", "/unrestrict", REASON),
    "grant_access": ("post", "/access", {"operation": "grant", **ACCESS}),
    "revoke_access": ("post", "/access", {"operation": "revoke", **ACCESS}),
}
STATUS = {
    "permission_denied": 403,
    "separation_of_duties": 403,
    "case_not_found": 404,
    "invalid_case_transition": 409,
}


@dataclass(frozen=True)
class Player:
    """What Pat is."""

    name: str
    roles: frozenset[str] = frozenset()
    superuser: bool = False
    sees_by_grant: bool = False
    acts_by_grant: bool = False

    @property
    def ranks(self) -> frozenset[str]:
        """The roles; a superuser counts as an admin."""
        return self.roles | {"admin"} if self.superuser else self.roles


PLAYERS = [
    *(Player(role, frozenset({role})) for role in ROLES),
    Player("case_writer and reviewer", frozenset({"case_writer", "reviewer"})),
    Player("superuser", superuser=True),
    Player("no role"),
    Player("a role that nobody defined", frozenset({"wizard"})),
    Player("no role, granted to see", sees_by_grant=True),
    Player("no role, granted to act", acts_by_grant=True),
    Player("no role, granted both", sees_by_grant=True, acts_by_grant=True),
    Player(
        "case_writer, granted both",
        frozenset({"case_writer"}),
        sees_by_grant=True,
        acts_by_grant=True,
    ),
    Player("auditor, granted to act", frozenset({"auditor"}), acts_by_grant=True),
]


@dataclass(frozen=True)
class Facts:
    """What a case is, and what it is to Pat."""

    restricted: bool
    wrote: bool
    submitted: bool
    reviewer: str | None


def sees(player: Player, facts: Facts) -> bool:
    """Tell whether the case exists for Pat."""
    has_role = bool(player.ranks & set(ROLES))
    if player.sees_by_grant:
        return True
    if not has_role:
        return False
    return not facts.restricted or bool(player.ranks & SEE_ALL) or facts.reviewer == PAT


def expected(player: Player, action: str, facts: Facts, *, granted: set[str] | None = None) -> str:
    """Return what becomes of the attempt: ``done``, or the code of the refusal.

    What was granted to a player who acts by grant is the action in question, or ``granted``.
    """
    by_role = any(action in MAY.get(role, ()) for role in player.ranks)
    by_grant = player.acts_by_grant and action in (granted or {action}) - NOT_BY_GRANT
    if not by_role and not by_grant:
        return "permission_denied"
    if not sees(player, facts):
        return "case_not_found"
    if action == "assign" and facts.reviewer == "rosa" and not player.ranks & HAND_OVER_ALL:
        return "permission_denied"
    own = facts.wrote or facts.submitted
    if action in DECISIONS and own and "admin" not in player.ranks:
        return "separation_of_duties"
    return "done"


# What the state of a submitted case with a running clock allows; restricting is told apart below.
SUBMITTED_ALLOWS = {
    "start_review", "assign", "add_note", "set_due_date", "pause", "restrict", "unrestrict",
    "grant_access", "revoke_access",
}  # fmt: skip
EVERY_KIND = [
    Facts(restricted, wrote, submitted, reviewer)
    for restricted, (wrote, submitted), reviewer in product(
        (False, True), ((False, False), (True, False), (False, True)), (None, PAT, "rosa")
    )
]


def make(facts: Facts, action: str = "start_review") -> Case:
    """Make the case, in the state before the action, or submitted."""
    due = {"due_at": "2026-01-05T12:00:00Z"} if action == "mark_overdue" else {}
    writer = PATS_HAND if facts.wrote else SETTER
    case = services.create_case(fields={"title": "Late reporting", **due}, actor=writer)
    on: dict[str, Any] = {"case_id": case.id, "actor": SETTER}
    if action not in ("update", "submit"):
        submitter = PATS_HAND if facts.submitted else SETTER
        case = services.submit_case(case_id=case.id, actor=submitter)
    if action in ("escalate", "close"):
        case = services.start_review(**on, reviewer_id=facts.reviewer or "rosa")
    elif facts.reviewer and action not in ("update", "submit"):
        case = services.assign_reviewer(**on, reviewer_id=facts.reviewer)
    if action == "resume":
        case = services.pause_clock(**on, reason="Waiting for the firm")
    if action == "revoke_access":
        case = services.grant_access(**on, user="grace", permission="view_case")
    if facts.restricted:
        case = services.restrict_case(**on, reason="Names a whistleblower")
    return case


def grant(player: Player, action: str, case: Case) -> None:
    """Give Pat what the player has by grant on this case.

    Thousands of times, so without the service: what uses it is rolled back, never committed.
    """
    wanted = ["view_case"] if player.sees_by_grant else []
    if player.acts_by_grant and action not in NOT_BY_GRANT:
        wanted.append(PERMISSION[action])
    if wanted:
        # One statement for the three tables: this is the loop that takes the time.
        with connection.cursor() as cursor:
            cursor.execute(
                "INSERT INTO case_user_permissions (case_id, user_id, permission_id)"
                " SELECT %s, u.id, p.id FROM auth_user u, auth_permission p"
                " WHERE u.username = %s AND p.codename = ANY(%s)",
                [case.id, PAT, wanted],
            )
