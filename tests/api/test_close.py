import pytest

from audit.models import AuditEvent
from outbox.models import OutboxEvent
from tests.api import expect
from tests.api.endpoints import WRITES
from tests.cast import ADMIN, ALLROUNDER, REVIEWER
from tests.factories import CaseFactory

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("status", ["UNDER_REVIEW", "ESCALATED"])
@pytest.mark.parametrize("actor", [REVIEWER, ADMIN], ids=lambda a: a.id)
def test_a_case_that_was_reviewed_is_closed_with_a_reason(as_actor, actor, status):
    case = CaseFactory(status=status)

    answer = as_actor(actor).post(f"/cases/{case.id}/close", {"reason": " Fined "})

    after = expect.the_case(answer)
    expect.one_step(case, after)
    assert after["status"] == "CLOSED"
    assert after["closed_at"] == after["updated_at"]
    event = AuditEvent.objects.get(case_id=case.id, sequence=after["version"])
    assert event.details == {"from_status": status, "to_status": "CLOSED", "reason": "Fined"}
    assert OutboxEvent.objects.filter(event_id=event.id, event_type="CASE_CLOSED").count() == 1


def test_nothing_is_possible_after_but_access(as_actor):
    case = CaseFactory(status="CLOSED")

    read = as_actor(ADMIN).get(f"/cases/{case.id}")

    assert expect.the_case(read)["available_actions"] == ["grant_access", "revoke_access"]


@pytest.mark.parametrize(
    "write", [w for w in WRITES if w.action not in ("grant_access", "unrestrict")], ids=str
)
def test_a_closed_case_stays_as_it_is_for_the_admin_too(as_actor, write):
    case = CaseFactory(status="CLOSED")

    answer = write.call(as_actor(ADMIN), case.id)

    expect.refusal(answer, 409, "invalid_case_transition")
    expect.unchanged(case)


@pytest.mark.parametrize(
    "body", [{}, {"reason": " "}, {"reason": 0}, {"reason": {}}], ids=expect.name
)
def test_the_reason_is_asked_for_before_the_status_is_looked_at(as_actor, body):
    case = CaseFactory(status="DRAFT")

    answer = as_actor(REVIEWER).post(f"/cases/{case.id}/close", body)

    expect.refusal(answer, 422, "validation_error", {"reason"})


def test_who_wrote_a_case_does_not_close_it(as_actor):
    case = CaseFactory(status="UNDER_REVIEW", writer=ALLROUNDER)

    answer = as_actor(ALLROUNDER).post(f"/cases/{case.id}/close", {"reason": "Mine"})

    expect.refusal(answer, 403, "separation_of_duties", set())
    expect.unchanged(case)


@pytest.mark.parametrize("length", [1, 4000])
def test_a_reason_may_be_as_long_as_it_needs(as_actor, length):
    case = CaseFactory(status="UNDER_REVIEW")

    answer = as_actor(REVIEWER).post(f"/cases/{case.id}/close", {"reason": "ß" * length})

    assert expect.the_case(answer)["status"] == "CLOSED"
