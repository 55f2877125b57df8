"""Who created or submitted a case may not decide on it, unless the rule is off or set aside."""

from __future__ import annotations

import pytest
from django.db.transaction import atomic

from audit.models import AuditEvent
from cases import policies
from cases.errors import SeparationOfDuties
from cases.lifecycle import CaseAction, CaseStatus
from cases.models import Case
from tests.cast import ADMIN, ALLROUNDER, REVIEWER, WRITER
from tests.factories import CaseFactory, act

BEFORE = {
    CaseAction.START_REVIEW: CaseStatus.SUBMITTED,
    CaseAction.ESCALATE: CaseStatus.UNDER_REVIEW,
    CaseAction.CLOSE: CaseStatus.UNDER_REVIEW,
}
DECISIONS = pytest.mark.parametrize("action", BEFORE)


@DECISIONS
@pytest.mark.parametrize(
    ("created_by", "submitted_by"),
    [
        pytest.param("alex", "wanda", id="created-it"),
        pytest.param("wanda", "alex", id="submitted-it"),
        pytest.param("alex", "alex", id="did-both"),
    ],
)
def test_who_wrote_or_submitted_a_case_may_not_decide_on_it(action, created_by, submitted_by):
    case = Case(created_by=created_by, submitted_by=submitted_by)

    with pytest.raises(SeparationOfDuties):
        policies.authorize(ALLROUNDER, action, case, four_eyes=True)


@pytest.mark.parametrize("action", sorted(set(CaseAction) - set(BEFORE)))
def test_the_rule_is_about_decisions_only(action: CaseAction) -> None:
    everything = policies.Actor(id="alex", permissions=frozenset(policies.PERMISSIONS.values()))
    case = Case(created_by="alex", submitted_by="alex")

    assert policies.authorize(everything, action, case, four_eyes=True) is False


@DECISIONS
def test_a_colleague_decides_and_nothing_is_set_aside(action: CaseAction) -> None:
    case = Case(created_by="wanda", submitted_by="wanda")

    assert policies.authorize(REVIEWER, action, case, four_eyes=True) is False


@DECISIONS
def test_a_grant_does_not_set_the_rule_aside(action: CaseAction) -> None:
    case = Case(created_by="wanda", submitted_by="wanda")
    granted = {policies.PERMISSIONS[action], policies.OVERRIDE_FOUR_EYES}

    with pytest.raises(SeparationOfDuties):
        policies.authorize(WRITER, action, case, granted=granted, four_eyes=True)


def test_a_decision_that_the_rule_forbids_is_not_offered() -> None:
    case = Case(status="UNDER_REVIEW", created_by="alex", submitted_by="wanda")

    on = policies.available_actions(ALLROUNDER, case, four_eyes=True)
    off = policies.available_actions(ALLROUNDER, case, four_eyes=False)

    assert set(off) - set(on) == {"escalate", "close"}


@pytest.mark.django_db
@DECISIONS
def test_a_service_refuses_the_author_and_changes_nothing(action, settings) -> None:
    settings.CASES_FOUR_EYES = True
    case = CaseFactory(status=BEFORE[action], writer=ALLROUNDER)

    with pytest.raises(SeparationOfDuties), atomic():
        act(action, case, ALLROUNDER)

    assert Case.objects.get(pk=case.id).version == case.version


@pytest.mark.django_db
@DECISIONS
def test_with_the_rule_off_the_author_decides_and_the_trail_says_nothing_of_it(action, settings):
    settings.CASES_FOUR_EYES = False
    case = CaseFactory(status=BEFORE[action], writer=ALLROUNDER)

    act(action, case, ALLROUNDER)

    event = AuditEvent.objects.filter(case_id=case.id).order_by("-sequence")[0]
    assert "four_eyes_overridden" not in event.details


@pytest.mark.django_db
@DECISIONS
def test_an_admin_sets_the_rule_aside_and_the_trail_says_so(action, settings) -> None:
    settings.CASES_FOUR_EYES = True
    case = CaseFactory(status=BEFORE[action], writer=ADMIN)

    act(action, case, ADMIN)

    event = AuditEvent.objects.filter(case_id=case.id).order_by("-sequence")[0]
    assert (event.actor_id, event.details["four_eyes_overridden"]) == ("ada", True)


@pytest.mark.django_db
@DECISIONS
def test_an_admin_who_decides_on_a_colleagues_case_sets_nothing_aside(action) -> None:
    case = CaseFactory(status=BEFORE[action])

    act(action, case, ADMIN)

    event = AuditEvent.objects.filter(case_id=case.id).order_by("-sequence")[0]
    assert "four_eyes_overridden" not in event.details
