import pytest

from tests.api import expect
from tests.cast import ADMIN, ALLROUNDER, WRITER
from tests.factories import CaseFactory

pytestmark = pytest.mark.django_db


def test_a_draft_that_is_submitted_waits_for_review(as_actor):
    case = CaseFactory()

    answer = as_actor(WRITER).post(f"/cases/{case.id}/submit")

    after = expect.the_case(answer)
    assert after["status"] == "SUBMITTED"
    assert after["version"] == 1
    assert after["submitted_by"] == "wanda"
    assert after["submitted_at"] == after["updated_at"]
    assert after["available_actions"] == ["add_note"]
    expect.one_step(case, after)


@pytest.mark.parametrize("actor", [ALLROUNDER, ADMIN], ids=lambda a: a.id)
def test_a_colleague_may_submit_it(as_actor, actor):
    case = CaseFactory()

    answer = as_actor(actor).post(f"/cases/{case.id}/submit")

    after = expect.the_case(answer)
    assert (after["created_by"], after["submitted_by"]) == ("wanda", actor.id)


@pytest.mark.parametrize(
    "sent",
    [
        {},
        {"data": "", "content_type": "application/x-www-form-urlencoded"},
        {"data": "{}", "content_type": "application/json"},
        {"data": "", "content_type": "application/json"},
    ],
    ids=expect.name,
)
def test_it_needs_no_body(as_actor, sent):
    case = CaseFactory()

    answer = as_actor(WRITER).post(f"/cases/{case.id}/submit", **sent)

    assert expect.the_case(answer)["status"] == "SUBMITTED"


@pytest.mark.parametrize("body", ['{"reason": "x"}', "[]", "[1]", '"x"', "0", "false", "null"])
def test_a_body_that_says_something_is_refused(as_actor, body):
    case = CaseFactory()

    answer = as_actor(WRITER).post(
        f"/cases/{case.id}/submit", body, content_type="application/json"
    )

    expect.refusal(answer, 422, "validation_error")
    expect.unchanged(case)


def test_a_due_date_that_was_given_is_kept(as_actor):
    case = CaseFactory(due_at="2027-01-31T09:30:00Z")

    answer = as_actor(WRITER).post(f"/cases/{case.id}/submit")

    assert expect.the_case(answer)["due_at"] == "2027-01-31T09:30:00.000000Z"


def test_what_is_submitted_is_not_submitted_again(as_actor):
    case = CaseFactory(status="SUBMITTED")

    answer = as_actor(WRITER).post(f"/cases/{case.id}/submit")

    details = expect.refusal(answer, 409, "invalid_case_transition")
    assert (details["action"], details["from_status"]) == ("submit", "SUBMITTED")
    expect.unchanged(case)
