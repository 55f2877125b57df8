"""What beside the status decides: the clock, the restriction, the due date, the grants."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from django.db.transaction import atomic

from cases import services
from cases.errors import InvalidCaseTransition, InvalidInput, PreconditionFailed
from cases.lifecycle import CaseAction, CaseStatus
from cases.models import Case, CaseUserPermission
from tests.cast import ALMIGHTY, SUPERVISOR, SYSTEM, WRITER
from tests.factories import CaseFactory, UserFactory, act

pytestmark = pytest.mark.django_db

DUE = datetime(2026, 1, 5, 12, tzinfo=UTC)
LATER = DUE + timedelta(days=1)


@pytest.mark.parametrize(
    ("made", "action"),
    [
        pytest.param({"paused": True}, CaseAction.PAUSE, id="a-paused-clock-is-not-paused-again"),
        pytest.param({}, CaseAction.RESUME, id="a-running-clock-is-not-resumed"),
        pytest.param({"restricted": True}, CaseAction.RESTRICT, id="not-restricted-twice"),
        pytest.param({}, CaseAction.UNRESTRICT, id="no-restriction-to-lift"),
        pytest.param({}, CaseAction.MARK_OVERDUE, id="nothing-is-overdue-without-a-due-date"),
        pytest.param(
            {"due_at": DUE, "paused": True},
            CaseAction.MARK_OVERDUE,
            id="nothing-gets-overdue-while-the-clock-stands-still",
        ),
        pytest.param({}, CaseAction.REVOKE_ACCESS, id="nothing-to-revoke"),
    ],
)
def test_an_action_that_would_change_nothing_is_refused(made, action) -> None:
    UserFactory(username="grace", password=None)
    case = CaseFactory(status=CaseStatus.SUBMITTED, **made)

    with pytest.raises(InvalidCaseTransition) as refusal, atomic():
        act(action, case, ALMIGHTY)

    assert refusal.value.details["action"] == action
    assert Case.objects.get(pk=case.id).version == case.version


def test_access_is_not_granted_twice() -> None:
    UserFactory(username="grace", password=None)
    case = CaseFactory()
    act(CaseAction.GRANT_ACCESS, case, SUPERVISOR)

    with pytest.raises(InvalidCaseTransition), atomic():
        act(CaseAction.GRANT_ACCESS, case, SUPERVISOR)

    assert CaseUserPermission.objects.count() == 1
    assert Case.objects.get(pk=case.id).version == 1


@pytest.mark.parametrize(
    ("late", "marked"),
    [
        pytest.param(timedelta(seconds=-1), False, id="a-second-before"),
        pytest.param(timedelta(0), False, id="at-the-due-date"),
        pytest.param(timedelta(seconds=1), True, id="a-second-after"),
    ],
)
def test_a_case_is_overdue_only_once_its_due_date_has_passed(late, marked) -> None:
    case = CaseFactory(due_at=DUE)

    if marked:
        services.mark_overdue(case_id=case.id, actor=SYSTEM, at=DUE + late)
    else:
        with pytest.raises(InvalidCaseTransition), atomic():
            services.mark_overdue(case_id=case.id, actor=SYSTEM, at=DUE + late)

    stored = Case.objects.get(pk=case.id)
    assert stored.overdue_at == (DUE + late if marked else None)


def test_a_case_is_marked_overdue_once_per_due_date() -> None:
    case = CaseFactory(due_at=DUE)
    services.mark_overdue(case_id=case.id, actor=SYSTEM, at=LATER)

    with pytest.raises(InvalidCaseTransition), atomic():
        services.mark_overdue(case_id=case.id, actor=SYSTEM, at=LATER)

    act(CaseAction.SET_DUE_DATE, case, SUPERVISOR, due_at=LATER)
    assert Case.objects.get(pk=case.id).overdue_at is None
    again = services.mark_overdue(case_id=case.id, actor=SYSTEM, at=LATER + timedelta(days=1))
    assert again.overdue_at == LATER + timedelta(days=1)


def test_a_new_due_date_of_a_draft_lifts_the_overdue_mark_of_the_old_one() -> None:
    case = CaseFactory(due_at=DUE)
    services.mark_overdue(case_id=case.id, actor=SYSTEM, at=LATER)

    services.update_case(case_id=case.id, fields={"due_at": LATER}, actor=WRITER)

    again = services.mark_overdue(case_id=case.id, actor=SYSTEM, at=LATER + timedelta(days=1))
    assert again.overdue_at == LATER + timedelta(days=1)


def test_a_due_date_moved_by_a_pause_lifts_the_overdue_mark_of_the_old_one() -> None:
    case = CaseFactory(status=CaseStatus.SUBMITTED, due_at=DUE)
    services.mark_overdue(case_id=case.id, actor=SYSTEM, at=LATER)
    act(CaseAction.PAUSE, case, SUPERVISOR, at=LATER)

    moved = act(CaseAction.RESUME, case, SUPERVISOR, at=LATER + timedelta(days=14))

    assert moved.due_at == DUE + timedelta(days=14)
    again = services.mark_overdue(case_id=case.id, actor=SYSTEM, at=LATER + timedelta(days=30))
    assert again.overdue_at == LATER + timedelta(days=30)


def test_access_can_be_taken_back_from_an_account_that_is_switched_off() -> None:
    grace = UserFactory(username="grace", password=None)
    case = CaseFactory(restricted=True)
    act(CaseAction.GRANT_ACCESS, case, SUPERVISOR)
    grace.is_active = False
    grace.save()

    act(CaseAction.REVOKE_ACCESS, case, SUPERVISOR)

    assert not CaseUserPermission.objects.exists()


@pytest.mark.parametrize(
    ("given", "field"),
    [
        pytest.param({"user": "nobody-of-this-name"}, "user", id="unknown-user"),
        pytest.param({"user": " "}, "user", id="blank-user"),
        pytest.param({"permission": "create_case"}, "permission", id="not-for-one-case"),
        pytest.param({"permission": "mark_overdue"}, "permission", id="the-system-s-own"),
        pytest.param({"permission": None}, "permission", id="none"),
    ],
)
def test_a_grant_names_an_active_user_and_a_permission_for_one_case(given, field) -> None:
    UserFactory(username="grace", password=None)
    case = CaseFactory()

    with pytest.raises(InvalidInput) as refusal, atomic():
        act(CaseAction.GRANT_ACCESS, case, SUPERVISOR, **given)

    assert list(refusal.value.details) == [field]


def test_who_has_seen_another_version_changes_nothing() -> None:
    case = CaseFactory()

    with pytest.raises(PreconditionFailed) as refusal, atomic():
        services.submit_case(case_id=case.id, actor=WRITER, expected_version=4)

    assert refusal.value.details == {"current_version": 0}
    assert Case.objects.get(pk=case.id).status == CaseStatus.DRAFT


def test_an_update_that_changes_nothing_records_nothing() -> None:
    case = CaseFactory(title="Late reporting", due_at=DUE)

    after = services.update_case(
        case_id=case.id, fields={"title": " Late reporting ", "due_at": DUE}, actor=WRITER
    )

    assert after.version == Case.objects.get(pk=case.id).version == 0


@pytest.mark.parametrize(
    "action",
    [a for a in CaseAction if a in (CaseAction.ESCALATE, CaseAction.CLOSE, CaseAction.PAUSE,
                                    CaseAction.RESUME, CaseAction.RESTRICT, CaseAction.UNRESTRICT,
                                    CaseAction.SET_DUE_DATE)],
)  # fmt: skip
@pytest.mark.parametrize("blank", ["", " \t\n", None], ids=["empty", "spaces", "none"])
def test_a_blank_reason_is_refused_before_any_look_at_the_status(action, blank) -> None:
    case = CaseFactory()

    with pytest.raises(InvalidInput) as refusal, atomic():
        act(action, case, ALMIGHTY, reason=blank)

    assert "reason" in refusal.value.details
