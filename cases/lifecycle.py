"""The lifecycle as one table. No Django, no HTTP.

``Case``'s transitions, the database's status guard, the replay of audit trails and the diagram
in the documentation are all made from, or compared with, ``LIFECYCLE``.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from enum import StrEnum
from types import MappingProxyType
from typing import NamedTuple, Protocol

from cases import events
from cases.errors import InvalidCaseTransition


class CaseStatus(StrEnum):
    """Where a case is. CLOSED is final."""

    DRAFT = "DRAFT"
    SUBMITTED = "SUBMITTED"
    UNDER_REVIEW = "UNDER_REVIEW"
    ESCALATED = "ESCALATED"
    CLOSED = "CLOSED"


class Priority(StrEnum):
    """How urgent a case is; the SLA depends on it."""

    LOW = "LOW"
    NORMAL = "NORMAL"
    HIGH = "HIGH"
    URGENT = "URGENT"


class CaseAction(StrEnum):
    """What can be done to a case."""

    CREATE = "create"
    UPDATE = "update"
    SUBMIT = "submit"
    START_REVIEW = "start_review"
    ASSIGN = "assign"
    ESCALATE = "escalate"
    CLOSE = "close"
    ADD_NOTE = "add_note"
    SET_DUE_DATE = "set_due_date"
    PAUSE = "pause"
    RESUME = "resume"
    RESTRICT = "restrict"
    UNRESTRICT = "unrestrict"
    GRANT_ACCESS = "grant_access"
    REVOKE_ACCESS = "revoke_access"
    MARK_OVERDUE = "mark_overdue"


class Step(NamedTuple):
    """From which statuses an action starts, where it leads (None: stays) and what it records."""

    sources: tuple[CaseStatus, ...]
    target: CaseStatus | None
    event: type[events.CaseEvent]


_S = CaseStatus
_ALL = tuple(CaseStatus)
_OPEN = (_S.DRAFT, _S.SUBMITTED, _S.UNDER_REVIEW, _S.ESCALATED)
_IN_PROGRESS = (_S.SUBMITTED, _S.UNDER_REVIEW, _S.ESCALATED)

LIFECYCLE: Mapping[CaseAction, Step] = MappingProxyType(
    {
        CaseAction.CREATE: Step((), _S.DRAFT, events.CaseCreated),
        CaseAction.UPDATE: Step((_S.DRAFT,), None, events.CaseUpdated),
        CaseAction.SUBMIT: Step((_S.DRAFT,), _S.SUBMITTED, events.CaseSubmitted),
        CaseAction.START_REVIEW: Step((_S.SUBMITTED,), _S.UNDER_REVIEW, events.CaseReviewStarted),
        CaseAction.ASSIGN: Step(_IN_PROGRESS, None, events.CaseReviewerAssigned),
        CaseAction.ESCALATE: Step((_S.UNDER_REVIEW,), _S.ESCALATED, events.CaseEscalated),
        CaseAction.CLOSE: Step((_S.UNDER_REVIEW, _S.ESCALATED), _S.CLOSED, events.CaseClosed),
        CaseAction.ADD_NOTE: Step(_OPEN, None, events.CaseNoteAdded),
        CaseAction.SET_DUE_DATE: Step(_OPEN, None, events.CaseDueDateChanged),
        CaseAction.PAUSE: Step(_IN_PROGRESS, None, events.CaseClockPaused),
        CaseAction.RESUME: Step(_IN_PROGRESS, None, events.CaseClockResumed),
        CaseAction.RESTRICT: Step(_OPEN, None, events.CaseRestricted),
        CaseAction.UNRESTRICT: Step(_OPEN, None, events.CaseUnrestricted),
        CaseAction.GRANT_ACCESS: Step(_ALL, None, events.CaseAccessGranted),
        CaseAction.REVOKE_ACCESS: Step(_ALL, None, events.CaseAccessRevoked),
        CaseAction.MARK_OVERDUE: Step(_OPEN, None, events.CaseOverdue),
    }
)


class CaseState(Protocol):
    """What decides, beside the actor, which actions a case allows."""

    @property
    def status(self) -> str: ...
    @property
    def restricted(self) -> bool: ...
    # Moments, of which only counts whether there is one.
    @property
    def paused_at(self) -> object: ...
    @property
    def overdue_at(self) -> object: ...
    @property
    def due_at(self) -> object: ...


class Clock(Protocol):
    """What decides whether a case is overdue."""

    @property
    def status(self) -> str: ...
    @property
    def paused_at(self) -> datetime | None: ...
    @property
    def due_at(self) -> datetime | None: ...


class ClosedClock(Clock, Protocol):
    """What decides whether a case was closed in time."""

    @property
    def closed_at(self) -> datetime | None: ...


CONDITIONS: Mapping[CaseAction, Callable[[CaseState], bool]] = MappingProxyType(
    {
        CaseAction.PAUSE: lambda case: case.paused_at is None,
        CaseAction.RESUME: lambda case: case.paused_at is not None,
        CaseAction.RESTRICT: lambda case: not case.restricted,
        CaseAction.UNRESTRICT: lambda case: case.restricted,
        # Once per due date, and not while the clock stands still.
        CaseAction.MARK_OVERDUE: lambda case: (
            case.due_at is not None and case.overdue_at is None and case.paused_at is None
        ),
    }
)


def possible(action: CaseAction, case: CaseState) -> bool:
    """Tell whether the state of the case allows the action, whoever acts."""
    if case.status not in LIFECYCLE[action].sources:
        return False
    condition = CONDITIONS.get(action)
    return condition is None or condition(case)


def possible_actions(case: CaseState) -> list[CaseAction]:
    """Return the actions of people that the state of the case allows, whoever acts."""
    return [
        action
        for action in CaseAction
        if action is not CaseAction.MARK_OVERDUE and possible(action, case)
    ]


def refusal(action: CaseAction, case: CaseState, why: str | None = None) -> InvalidCaseTransition:
    """Make the error for an action that the state of the case does not allow."""
    return InvalidCaseTransition(
        why
        or f"The action {action} is not possible on a case that is {case.status}"
        f"{' and paused' if case.paused_at else ''}{' and restricted' if case.restricted else ''}.",
        details={
            "action": str(action),
            "from_status": str(case.status),
            "allowed_actions": [str(allowed) for allowed in possible_actions(case)],
        },
    )


def closed_in_time(case: ClosedClock) -> bool | None:
    """Tell whether a closed case was closed in time; None where it had no due date, or is open.

    A clock that stood still at the end has stood still since it was paused.
    """
    if case.closed_at is None or case.due_at is None:
        return None
    return (case.paused_at or case.closed_at) <= case.due_at


def past_due(case: Clock, at: datetime) -> bool:
    """Tell whether a case is overdue at a moment, marked as such or not.

    It is open, its clock runs, and its due date has passed.
    """
    return (
        case.status in LIFECYCLE[CaseAction.MARK_OVERDUE].sources
        and case.paused_at is None
        and case.due_at is not None
        and case.due_at < at
    )
