import pytest

from tests.api import expect
from tests.cast import ADMIN, OTHER_REVIEWER, REVIEWER, SUPERVISOR
from tests.factories import CaseFactory

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("status", ["SUBMITTED", "UNDER_REVIEW", "ESCALATED"])
@pytest.mark.parametrize("actor", [SUPERVISOR, ADMIN], ids=lambda a: a.id)
def test_a_supervisor_hands_any_case_to_anybody(as_actor, actor, status):
    case = CaseFactory(status=status)

    answer = as_actor(actor).post(f"/cases/{case.id}/assign", {"reviewer_id": " rosa "})

    after = expect.the_case(answer)
    expect.one_step(case, after)
    assert (after["status"], after["assigned_reviewer_id"]) == (status, "rosa")


@pytest.mark.parametrize("status", ["SUBMITTED", "UNDER_REVIEW", "ESCALATED"])
def test_a_reviewer_hands_over_what_is_theirs_or_nobodys(as_actor, status):
    case = CaseFactory(status=status)

    answer = as_actor(REVIEWER).post(f"/cases/{case.id}/assign", {"reviewer_id": "rosa"})

    assert expect.the_case(answer)["assigned_reviewer_id"] == "rosa"


@pytest.mark.parametrize(
    "body", [{"reviewer_id": "rosa"}, {"reviewer_id": " "}, [1]], ids=expect.name
)
@pytest.mark.parametrize("status", ["UNDER_REVIEW", "ESCALATED", "CLOSED"])
def test_a_reviewer_does_not_take_a_colleagues_case(as_actor, status, body):
    case = CaseFactory(status=status)

    answer = as_actor(OTHER_REVIEWER).post(f"/cases/{case.id}/assign", body)

    expect.refusal(answer, 403, "permission_denied", set())
    expect.unchanged(case)


@pytest.mark.parametrize("body", [{}, {"reviewer_id": None}, {"reviewer_id": 7}], ids=expect.name)
def test_the_new_reviewer_must_be_named(as_actor, body):
    case = CaseFactory(status="UNDER_REVIEW")

    answer = as_actor(SUPERVISOR).post(f"/cases/{case.id}/assign", body)

    expect.refusal(answer, 422, "validation_error", {"reviewer_id"})
    expect.unchanged(case)


def test_who_hands_a_restricted_case_over_still_gets_the_answer_but_sees_it_no_more(as_actor):
    case = CaseFactory(status="UNDER_REVIEW", restricted=True)
    rob = as_actor(REVIEWER)

    answer = rob.post(f"/cases/{case.id}/assign", {"reviewer_id": "rosa"})

    assert expect.the_case(answer)["assigned_reviewer_id"] == "rosa"
    expect.refusal(rob.get(f"/cases/{case.id}"), 404, "case_not_found", set())
    assert as_actor(OTHER_REVIEWER).get(f"/cases/{case.id}").status_code == 200
