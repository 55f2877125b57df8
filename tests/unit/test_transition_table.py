"""Every status by every action: what comes of it, written out as the contract has it."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import pytest
from django.db.transaction import atomic
from django_fsm import TransitionNotAllowed

from audit.models import AuditEvent
from cases.errors import InvalidCaseTransition
from cases.lifecycle import CaseAction, CaseStatus, possible
from cases.models import Case
from tests.cast import ALMIGHTY
from tests.factories import CaseFactory, UserFactory, act

# The status that a case has after the action; "-" where the action is refused.
TABLE = """
action        | DRAFT     SUBMITTED    UNDER_REVIEW ESCALATED CLOSED
create        | -         -            -            -         -
update        | DRAFT     -            -            -         -
submit        | SUBMITTED -            -            -         -
start_review  | -         UNDER_REVIEW -            -         -
assign        | -         SUBMITTED    UNDER_REVIEW ESCALATED -
escalate      | -         -            ESCALATED    -         -
close         | -         -            CLOSED       CLOSED    -
add_note      | DRAFT     SUBMITTED    UNDER_REVIEW ESCALATED -
set_due_date  | DRAFT     SUBMITTED    UNDER_REVIEW ESCALATED -
pause         | -         SUBMITTED    UNDER_REVIEW ESCALATED -
resume        | -         SUBMITTED    UNDER_REVIEW ESCALATED -
restrict      | DRAFT     SUBMITTED    UNDER_REVIEW ESCALATED -
unrestrict    | DRAFT     SUBMITTED    UNDER_REVIEW ESCALATED -
grant_access  | DRAFT     SUBMITTED    UNDER_REVIEW ESCALATED CLOSED
revoke_access | DRAFT     SUBMITTED    UNDER_REVIEW ESCALATED CLOSED
mark_overdue  | DRAFT     SUBMITTED    UNDER_REVIEW ESCALATED -
"""
_HEAD, *_ROWS = (line.replace("|", " ").split() for line in TABLE.strip().splitlines())
CELLS = [
    pytest.param(CaseAction(row[0]), CaseStatus(status), None if end == "-" else end,
                 id=f"{row[0]}-{status}")
    for row in _ROWS
    for status, end in zip(_HEAD[1:], row[1:], strict=True)
]  # fmt: skip
EXISTING = [cell for cell in CELLS if cell.values[0] is not CaseAction.CREATE]

NOW = datetime(2026, 11, 20, 9, tzinfo=UTC)
LONG_AGO = datetime(2026, 1, 5, 12, tzinfo=UTC)
REASON = {"reason": "Because"}
# What the transition itself is given, beside actor and time.
ARGUMENTS: dict[CaseAction, dict[str, Any]] = {
    CaseAction.UPDATE: {"fields": {"title": "Another"}},
    CaseAction.SUBMIT: {},
    CaseAction.START_REVIEW: {"reviewer_id": "rob"},
    CaseAction.ASSIGN: {"reviewer_id": "rosa"},
    CaseAction.ESCALATE: REASON,
    CaseAction.CLOSE: REASON,
    CaseAction.ADD_NOTE: {"note_id": UUID(int=1), "body": "Called"},
    CaseAction.SET_DUE_DATE: {"due_at": NOW, **REASON},
    CaseAction.PAUSE: REASON,
    CaseAction.RESUME: REASON,
    CaseAction.RESTRICT: REASON,
    CaseAction.UNRESTRICT: REASON,
    CaseAction.GRANT_ACCESS: {"user": "grace", "permission": "view_case"},
    CaseAction.REVOKE_ACCESS: {"user": "grace", "permission": "view_case"},
    CaseAction.MARK_OVERDUE: {},
}


def case_in(status: CaseStatus, action: CaseAction) -> Case:
    """Return a case, not stored, for which nothing but its status can forbid the action."""
    return Case(
        id="CASE-000001",
        title="Late reporting",
        status=status.value,
        version=7,
        restricted=action is CaseAction.UNRESTRICT,
        paused_at=LONG_AGO if action is CaseAction.RESUME else None,
        due_at=LONG_AGO,
    )


def test_the_table_names_every_action_and_every_status() -> None:
    assert [row[0] for row in _ROWS] == [action.value for action in CaseAction]
    assert _HEAD[1:] == [status.value for status in CaseStatus]


@pytest.mark.parametrize(("action", "status", "end"), CELLS)
def test_the_lifecycle_says_which_actions_are_possible(action, status, end) -> None:
    case = case_in(status, action)

    answer = possible(action, case)

    assert answer is (end is not None)


@pytest.mark.parametrize(("action", "status", "end"), EXISTING)
def test_a_transition_leads_where_the_table_says_or_changes_nothing(action, status, end) -> None:
    case = case_in(status, action)
    before = dict(vars(case))
    transition = getattr(case, action.value)

    if end is None:
        with pytest.raises(TransitionNotAllowed):
            transition(actor=ALMIGHTY, at=NOW, **ARGUMENTS[action])

        assert vars(case) == before
    else:
        event = transition(actor=ALMIGHTY, at=NOW, **ARGUMENTS[action])

        assert (case.status, case.version, case.updated_at) == (end, 8, NOW)
        assert (event.case_id, event.sequence, event.actor_id) == ("CASE-000001", 8, "olga")
        assert event.occurred_at == NOW
        if end != status:
            assert (event.from_status, event.to_status) == (status, end)


@pytest.mark.django_db
@pytest.mark.parametrize(("action", "status", "end"), EXISTING)
def test_a_service_leads_where_the_table_says_or_records_nothing(action, status, end) -> None:
    if "access" in action:
        UserFactory(username="grace", password=None)
    case = CaseFactory(
        status=status,
        restricted=action is CaseAction.UNRESTRICT,
        paused=action is CaseAction.RESUME and status is not CaseStatus.DRAFT,
        due_at=LONG_AGO,
    )
    if action is CaseAction.REVOKE_ACCESS:
        case = act(CaseAction.GRANT_ACCESS, case, ALMIGHTY)
    version = case.version

    if end is None:
        with pytest.raises(InvalidCaseTransition) as refusal, atomic():
            act(action, case, ALMIGHTY)

        assert refusal.value.details["action"] == action
        assert refusal.value.details["from_status"] == status
        assert action not in refusal.value.details["allowed_actions"]
        end, risen = status.value, 0
    else:
        act(action, case, ALMIGHTY)
        risen = 1

    stored = Case.objects.get(pk=case.id)
    assert (stored.status, stored.version) == (end, version + risen)
    assert AuditEvent.objects.filter(case_id=case.id).count() == version + risen + 1


@pytest.mark.django_db
def test_a_new_case_is_an_unassigned_draft_of_version_0() -> None:
    case = CaseFactory()

    stored = Case.objects.get(pk=case.id)

    assert (stored.status, stored.version, stored.restricted) == ("DRAFT", 0, False)
    assert (stored.assigned_reviewer_id, stored.submitted_by) == (None, None)
