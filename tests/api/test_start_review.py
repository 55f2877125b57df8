import pytest

from audit.models import AuditEvent
from tests.api import expect
from tests.cast import ADMIN, ALLROUNDER, OTHER_REVIEWER, REVIEWER, WRITER
from tests.factories import CaseFactory

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("reviewer", ["rob", " rosa ", "Ünal Öz", "x" * 150])
def test_a_reviewer_takes_a_case_up_for_the_one_named(as_actor, reviewer):
    case = CaseFactory(status="SUBMITTED")

    answer = as_actor(REVIEWER).post(f"/cases/{case.id}/start-review", {"reviewer_id": reviewer})

    after = expect.the_case(answer)
    expect.one_step(case, after)
    assert after["status"] == "UNDER_REVIEW"
    assert after["assigned_reviewer_id"] == reviewer.strip()


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"reviewer_id": ""},
        {"reviewer_id": None},
        {"reviewer_id": 7},
        {"reviewer_id": ["rob"]},
        {"reviewer_id": "x" * 151},
        {"reviewer_id": "rob\nrosa"},
    ],
    ids=expect.name,
)
def test_the_reviewer_must_be_named(as_actor, body):
    case = CaseFactory(status="SUBMITTED")

    answer = as_actor(REVIEWER).post(f"/cases/{case.id}/start-review", body)

    expect.refusal(answer, 422, "validation_error", {"reviewer_id"})
    expect.unchanged(case)


def test_who_created_a_case_does_not_review_it(as_actor):
    case = CaseFactory(status="SUBMITTED", writer=ALLROUNDER)

    answer = as_actor(ALLROUNDER).post(f"/cases/{case.id}/start-review", {"reviewer_id": "rob"})

    expect.refusal(answer, 403, "separation_of_duties", set())
    expect.unchanged(case)


def test_who_submitted_a_case_does_not_review_it(as_actor):
    case = CaseFactory()
    alex = as_actor(ALLROUNDER)
    alex.post(f"/cases/{case.id}/submit")

    answer = alex.post(f"/cases/{case.id}/start-review", {"reviewer_id": "alex"})

    expect.refusal(answer, 403, "separation_of_duties", set())


def test_the_four_eyes_rule_can_be_switched_off(as_actor, settings):
    settings.CASES_FOUR_EYES = False
    case = CaseFactory(status="SUBMITTED", writer=ALLROUNDER)

    answer = as_actor(ALLROUNDER).post(f"/cases/{case.id}/start-review", {"reviewer_id": "alex"})

    expect.one_step(case, expect.the_case(answer))
    assert (
        "four_eyes_overridden"
        not in AuditEvent.objects.get(case_id=case.id, event_type="CASE_REVIEW_STARTED").details
    )


def test_an_admin_may_set_the_rule_aside_and_the_trail_says_so(as_actor):
    case = CaseFactory(status="SUBMITTED", writer=ADMIN)

    answer = as_actor(ADMIN).post(f"/cases/{case.id}/start-review", {"reviewer_id": "ada"})

    expect.one_step(case, expect.the_case(answer))
    event = AuditEvent.objects.get(case_id=case.id, event_type="CASE_REVIEW_STARTED")
    assert event.details["four_eyes_overridden"] is True


def test_two_reviewers_cannot_both_take_a_case_up(as_actor):
    case = CaseFactory(status="SUBMITTED")
    as_actor(OTHER_REVIEWER).post(f"/cases/{case.id}/start-review", {"reviewer_id": "rosa"})

    answer = as_actor(REVIEWER).post(f"/cases/{case.id}/start-review", {"reviewer_id": "rob"})

    expect.refusal(answer, 409, "invalid_case_transition")
    read = as_actor(WRITER).get(f"/cases/{case.id}").json()
    assert read["assigned_reviewer_id"] == "rosa"
