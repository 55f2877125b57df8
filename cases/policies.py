"""Who may do what. No Django, no HTTP: decisions about plain values.

An ``Actor`` arrives with the permissions that its roles gave it (``config.http.actors`` and the
admin look them up); the rules here know permissions, never role names, so an office can change
its matrix without a change of code.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from functools import lru_cache
from operator import attrgetter
from types import MappingProxyType
from typing import Any, Final, NamedTuple, Protocol

from cases.errors import CaseError, PermissionDenied, SeparationOfDuties
from cases.lifecycle import CaseAction, CaseState, possible, refusal

# One permission per action; its name is the name of the service function that carries it out.
PERMISSIONS: Mapping[CaseAction, str] = MappingProxyType(
    {
        CaseAction.CREATE: "create_case",
        CaseAction.UPDATE: "update_case",
        CaseAction.SUBMIT: "submit_case",
        CaseAction.START_REVIEW: "start_review",
        CaseAction.ASSIGN: "assign_reviewer",
        CaseAction.ESCALATE: "escalate_case",
        CaseAction.CLOSE: "close_case",
        CaseAction.ADD_NOTE: "add_note",
        CaseAction.SET_DUE_DATE: "set_due_date",
        CaseAction.PAUSE: "pause_clock",
        CaseAction.RESUME: "resume_clock",
        CaseAction.RESTRICT: "restrict_case",
        CaseAction.UNRESTRICT: "unrestrict_case",
        CaseAction.GRANT_ACCESS: "grant_access",
        CaseAction.REVOKE_ACCESS: "revoke_access",
        CaseAction.MARK_OVERDUE: "mark_overdue",
    }
)
VIEW = "view_case"
VIEW_RESTRICTED = "view_restricted_case"
ASSIGN_ANY = "assign_any_case"
OVERRIDE_FOUR_EYES = "override_four_eyes"
# Taking many cases or events away as a file is more than reading them one by one.
EXPORT_CASES = "export_cases"
EXPORT_AUDIT = "export_audit_events"
# By when cases of a priority are due is the office's word, not that of who works on one of them.
CHANGE_SLA = "change_sla_targets"

ALL_PERMISSIONS = frozenset(PERMISSIONS.values()) | {
    VIEW,
    VIEW_RESTRICTED,
    ASSIGN_ANY,
    OVERRIDE_FOUR_EYES,
    EXPORT_CASES,
    EXPORT_AUDIT,
    CHANGE_SLA,
}

# What can be given to one user on one case: reading it, and any action on an existing case.
GRANTABLE = frozenset(PERMISSIONS.values()) - {"create_case", "mark_overdue"} | {VIEW}

_READERS = frozenset({VIEW})
_SUPERVISION = frozenset(
    {
        "add_note",
        "assign_reviewer",
        ASSIGN_ANY,
        "set_due_date",
        "pause_clock",
        "resume_clock",
        "restrict_case",
        "unrestrict_case",
        "grant_access",
        "revoke_access",
        VIEW_RESTRICTED,
        EXPORT_CASES,
    }
)

# The matrix a new installation starts with; a migration installs it as groups.
DEFAULT_ROLES: Mapping[str, frozenset[str]] = MappingProxyType(
    {
        "case_writer": _READERS | {"create_case", "update_case", "submit_case", "add_note"},
        "reviewer": _READERS
        | {
            "start_review",
            "assign_reviewer",
            "escalate_case",
            "close_case",
            "add_note",
            "pause_clock",
            "resume_clock",
        },
        "supervisor": _READERS | _SUPERVISION,
        "auditor": _READERS | {VIEW_RESTRICTED, EXPORT_CASES, EXPORT_AUDIT},
        "admin": ALL_PERMISSIONS - {"mark_overdue"},
    }
)

# What a second person decides, where the four-eyes rule is on.
FOUR_EYES = frozenset({CaseAction.START_REVIEW, CaseAction.ESCALATE, CaseAction.CLOSE})


@dataclass(frozen=True, kw_only=True)
class Actor:
    """Who does something.

    ``imported_by`` is set only while a past is loaded: then the role rules do not hold (the past
    had its own), the lifecycle's do, and every event names the importer. ``announced`` says
    whether destinations are told. ``has_grants`` is False only where it is known that nothing was
    granted to the account on any single case: then nobody needs to look. ``rights_version`` is set
    where all this is remembered from an earlier request: a read that compares it in its statement
    takes such an actor, every other one refuses it.
    """

    id: str
    roles: frozenset[str] = frozenset()
    permissions: frozenset[str] = frozenset()
    has_grants: bool = True
    imported_by: str = ""
    announced: bool = True
    rights_version: str | None = None

    def has(self, permission: str) -> bool:
        """Tell whether a role gave the permission for every case."""
        return permission in self.permissions


def oversees(actor: Actor) -> bool:
    """Tell whether somebody hands out the work of others or looks after all of it."""
    return actor.has(VIEW) and (actor.has(ASSIGN_ANY) or actor.has(VIEW_RESTRICTED))


class CaseFacts(CaseState, Protocol):
    """What the rules ask of a case."""

    @property
    def created_by(self) -> str: ...
    @property
    def submitted_by(self) -> str | None: ...
    @property
    def assigned_reviewer_id(self) -> str | None: ...


def authorize(
    actor: Actor,
    action: CaseAction,
    case: CaseFacts,
    *,
    granted: Collection[str] = (),
    four_eyes: bool,
) -> bool:
    """Check permission and rules for an action on one case.

    Args:
        actor: who wants to act.
        action: what is to be done.
        case: the case as it is now.
        granted: permissions that the actor was given on this one case.
        four_eyes: whether the four-eyes rule is on.

    Returns:
        True when the four-eyes rule was set aside by an actor who may; the trail must say so.

    Raises:
        PermissionDenied: neither a role nor a grant gives the permission, or the case is
            another reviewer's.
        SeparationOfDuties: the actor created or submitted the case.
    """
    if actor.imported_by:
        return False
    permission = PERMISSIONS[action]
    if not actor.has(permission) and permission not in granted:
        raise PermissionDenied(denial(action))
    if (
        action is CaseAction.ASSIGN
        and not actor.has(ASSIGN_ANY)
        and case.assigned_reviewer_id not in (None, actor.id)
    ):
        message = "The case is another reviewer's: only a supervisor may hand it over."
        raise PermissionDenied(message)
    if four_eyes and action in FOUR_EYES and actor.id in (case.created_by, case.submitted_by):
        if not actor.has(OVERRIDE_FOUR_EYES):
            raise SeparationOfDuties
        return True
    return False


def denial(action: CaseAction) -> str:
    """Return the sentence for an actor whose roles do not allow an action."""
    return f"Your roles do not allow the action {action}: it needs {PERMISSIONS[action]}."


def sees_every_case(actor: Actor) -> bool:
    """Tell whether every case exists for this actor, restricted or not."""
    return bool(actor.imported_by) or (actor.has(VIEW) and actor.has(VIEW_RESTRICTED))


def demand(actor: Actor, permission: str) -> None:
    """Check for a permission that belongs to no single case.

    Raises:
        PermissionDenied: no role of the actor gives it.
    """
    if not actor.has(permission):
        message = f"Your roles do not allow this: it needs {permission}."
        raise PermissionDenied(message)


class _Asked(NamedTuple):
    """All that decides which actions somebody may take: few combinations, often asked."""

    permissions: frozenset[str]
    imported_by: str
    granted: frozenset[str]
    four_eyes: bool
    status: str
    restricted: bool
    paused_at: object
    overdue_at: object
    due_at: object
    created_by: str
    submitted_by: str | None
    assigned_reviewer_id: str | None


_NOTHING: frozenset[str] = frozenset()
_ME, _OTHER = "me", "other"


# What of a case decides which actions are to be had on it, in the order of ``available_by``.
FACTS: Final = (
    *("status", "restricted", "paused_at", "overdue_at", "due_at"),
    *("created_by", "submitted_by", "assigned_reviewer_id"),
)
_facts: Final = attrgetter(*FACTS)


def available_actions(
    actor: Actor, case: CaseFacts, *, granted: Collection[str] = (), four_eyes: bool
) -> list[CaseAction]:
    """Return the actions that this actor may take on this case now."""
    return available_by(actor, _facts(case), granted=granted, four_eyes=four_eyes)


def available_by(
    actor: Actor, facts: tuple[Any, ...], *, granted: Collection[str], four_eyes: bool
) -> list[CaseAction]:
    """Return the same for a case of which only the values of ``FACTS`` were read."""
    me = actor.id
    status, restricted, paused, overdue, due, creator, submitted, reviewer = facts
    return list(
        _available_actions(
            actor.permissions,
            actor.imported_by,
            frozenset(granted) if granted else _NOTHING,
            four_eyes,
            status,
            restricted,
            paused and True,
            overdue and True,
            due and True,
            _ME if creator == me else _OTHER,
            submitted and (_ME if submitted == me else _OTHER),
            reviewer and (_ME if reviewer == me else _OTHER),
        )
    )


@lru_cache(maxsize=10_000)
def _available_actions(*facts: Any) -> tuple[CaseAction, ...]:
    asked = _Asked(*facts)
    actor = Actor(id=_ME, permissions=asked.permissions, imported_by=asked.imported_by)
    granted, four_eyes = asked.granted, asked.four_eyes
    return tuple(
        action
        for action in CaseAction
        if action is not CaseAction.MARK_OVERDUE  # the system's, whoever holds its permission
        and possible(action, asked)
        and _forbidden(actor, action, asked, granted=granted, four_eyes=four_eyes) is None
    )


def explained_actions(
    actor: Actor, case: CaseFacts, *, granted: Collection[str] = (), four_eyes: bool
) -> dict[CaseAction, CaseError | None]:
    """Return for every action on an existing case what forbids it now; None: nothing does.

    The rules are asked in the order in which a request would meet them.
    """
    return {
        action: _forbidden(actor, action, case, granted=granted, four_eyes=four_eyes)
        or (None if possible(action, case) else refusal(action, case))
        for action in CaseAction
        if action not in (CaseAction.CREATE, CaseAction.MARK_OVERDUE)
    }


def _forbidden(
    actor: Actor,
    action: CaseAction,
    case: CaseFacts,
    *,
    granted: Collection[str],
    four_eyes: bool,
) -> CaseError | None:
    try:
        authorize(actor, action, case, granted=granted, four_eyes=four_eyes)
    except (PermissionDenied, SeparationOfDuties) as error:
        return error
    return None
