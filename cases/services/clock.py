"""By when a case must be finished: due date, pause and resume, overdue."""

from __future__ import annotations

from datetime import datetime

from django.utils.timezone import now

from cases import intake
from cases.calendar import office_calendar
from cases.events import Counted
from cases.lifecycle import CaseAction, refusal
from cases.models import Case
from cases.policies import Actor
from cases.services.steps import ExpectedVersion, open_case, ready, store, unit_of_work


@unit_of_work
def set_due_date(
    *,
    case_id: str,
    due_at: object,
    reason: object,
    actor: Actor,
    at: datetime | None = None,
    expected_version: ExpectedVersion = None,
) -> Case:
    """Set another due date."""
    case, _ = open_case(CaseAction.SET_DUE_DATE, case_id, actor)
    due = intake.clean_moment(due_at, field="due_at")
    why = intake.clean_reason(reason)
    ready(case, CaseAction.SET_DUE_DATE, expected_version)
    return store(case, case.set_due_date(due_at=due, reason=why, actor=actor, at=at or now()))


@unit_of_work
def pause_clock(
    *,
    case_id: str,
    reason: object,
    actor: Actor,
    at: datetime | None = None,
    expected_version: ExpectedVersion = None,
) -> Case:
    """Stop the clock of a case."""
    case, _ = open_case(CaseAction.PAUSE, case_id, actor)
    why = intake.clean_reason(reason)
    ready(case, CaseAction.PAUSE, expected_version)
    return store(case, case.pause(reason=why, actor=actor, at=at or now()))


@unit_of_work
def resume_clock(
    *,
    case_id: str,
    reason: object,
    actor: Actor,
    at: datetime | None = None,
    expected_version: ExpectedVersion = None,
) -> Case:
    """Let the clock run again: the due date moves by the working days that the pause cost."""
    case, _ = open_case(CaseAction.RESUME, case_id, actor)
    why = intake.clean_reason(reason)
    ready(case, CaseAction.RESUME, expected_version)
    at = at or now()
    if case.due_at is None or case.paused_at is None:
        return store(case, case.resume(reason=why, actor=actor, at=at))
    calendar = office_calendar()
    lost = calendar.lost(case.due_at, case.paused_at, at)
    event = case.resume(
        reason=why,
        actor=actor,
        at=at,
        due_at=calendar.moved(case.due_at, lost) if lost else None,
        counted=Counted(lost, calendar.name, calendar.zone),
    )
    return store(case, event)


@unit_of_work
def mark_overdue(
    *,
    case_id: str,
    actor: Actor,
    at: datetime | None = None,
    expected_version: ExpectedVersion = None,
) -> Case:
    """Record that the due date passed, once per due date.

    Raises:
        InvalidCaseTransition: also when the due date has not passed yet.
    """
    case, _ = open_case(CaseAction.MARK_OVERDUE, case_id, actor)
    ready(case, CaseAction.MARK_OVERDUE, expected_version)
    at = at or now()
    if case.due_at is None or case.due_at >= at:
        raise refusal(CaseAction.MARK_OVERDUE, case, "The due date has not passed.")
    return store(case, case.mark_overdue(actor=actor, at=at))
