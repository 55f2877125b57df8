import pytest

from audit.models import AuditEvent
from tests.api import expect
from tests.cast import ADMIN, OTHER_REVIEWER, REVIEWER
from tests.factories import CaseFactory

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("actor", [REVIEWER, OTHER_REVIEWER, ADMIN], ids=lambda a: a.id)
def test_a_case_under_review_is_escalated_with_a_reason(as_actor, actor):
    case = CaseFactory(status="UNDER_REVIEW")

    answer = as_actor(actor).post(f"/cases/{case.id}/escalate", {"reason": "  Beyond us \n"})

    after = expect.the_case(answer)
    expect.one_step(case, after)
    assert (after["status"], after["assigned_reviewer_id"]) == ("ESCALATED", "rob")
    event = AuditEvent.objects.get(case_id=case.id, event_type="CASE_ESCALATED")
    assert event.actor_id == actor.id
    assert event.details == {
        "from_status": "UNDER_REVIEW",
        "to_status": "ESCALATED",
        "reason": "Beyond us",
    }


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"reason": ""},
        {"reason": " \t\n"},
        {"reason": None},
        {"reason": 5},
        {"reason": ["x"]},
        {"reason": "x" * 4001},
    ],
    ids=expect.name,
)
def test_the_reason_is_a_text_that_says_something(as_actor, body):
    case = CaseFactory(status="UNDER_REVIEW")

    answer = as_actor(REVIEWER).post(f"/cases/{case.id}/escalate", body)

    expect.refusal(answer, 422, "validation_error", {"reason"})
    expect.unchanged(case)


def test_a_field_that_is_not_known_is_not_lost_silently(as_actor):
    case = CaseFactory(status="UNDER_REVIEW")

    answer = as_actor(REVIEWER).post(
        f"/cases/{case.id}/escalate", {"reason": "Beyond us", "to": "board"}
    )

    expect.refusal(answer, 422, "validation_error", {"to"})
    expect.unchanged(case)
