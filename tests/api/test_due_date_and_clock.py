import pytest

from audit.models import AuditEvent
from tests.api import expect
from tests.cast import ADMIN, REVIEWER, SUPERVISOR, WRITER
from tests.factories import CaseFactory

pytestmark = pytest.mark.django_db

DUE = {"due_at": "2027-03-01T13:00:00+01:00", "reason": "More evidence"}
IN_UTC = "2027-03-01T12:00:00.000000Z"


@pytest.mark.parametrize("status", ["DRAFT", "SUBMITTED", "UNDER_REVIEW", "ESCALATED"])
@pytest.mark.parametrize("actor", [SUPERVISOR, ADMIN], ids=lambda a: a.id)
def test_a_supervisor_sets_another_due_date(as_actor, actor, status):
    case = CaseFactory(status=status, due_at="2027-01-01T12:00:00Z")

    after = expect.the_case(as_actor(actor).post(f"/cases/{case.id}/due-date", DUE))

    expect.one_step(case, after)
    assert (after["status"], after["due_at"]) == (status, IN_UTC)
    event = AuditEvent.objects.get(case_id=case.id, event_type="CASE_DUE_DATE_CHANGED")
    assert event.details == {
        "due_at": IN_UTC,
        "from_due_at": "2027-01-01T12:00:00.000000Z",
        "reason": "More evidence",
    }


@pytest.mark.parametrize("actor", [WRITER, REVIEWER], ids=lambda a: a.id)
def test_nobody_below_sets_it(as_actor, actor):
    case = CaseFactory(status="UNDER_REVIEW")

    answer = as_actor(actor).post(f"/cases/{case.id}/due-date", DUE)

    expect.refusal(answer, 403, "permission_denied", set())
    expect.unchanged(case)


@pytest.mark.parametrize(
    ("body", "fields"),
    [
        ({}, {"due_at", "reason"}),
        ({"due_at": DUE["due_at"]}, {"reason"}),
        ({"reason": "More evidence"}, {"due_at"}),
        (DUE | {"reason": " "}, {"reason"}),
        (DUE | {"due_at": "2027-03-01"}, {"due_at"}),
        (DUE | {"title": "x"}, {"title"}),
    ],
    ids=expect.name,
)
def test_both_the_date_and_the_reason_are_needed(as_actor, body, fields):
    case = CaseFactory(status="UNDER_REVIEW")

    answer = as_actor(SUPERVISOR).post(f"/cases/{case.id}/due-date", body)

    expect.refusal(answer, 422, "validation_error", fields)
    expect.unchanged(case)


@pytest.mark.parametrize("actor", [REVIEWER, SUPERVISOR, ADMIN], ids=lambda a: a.id)
@pytest.mark.parametrize("status", ["SUBMITTED", "UNDER_REVIEW", "ESCALATED"])
def test_the_clock_is_stopped_and_runs_again(as_actor, actor, status):
    case = CaseFactory(status=status, due_at="2027-01-04T12:00:00Z")
    client = as_actor(actor)

    paused = expect.the_case(client.post(f"/cases/{case.id}/pause", {"reason": "Court"}))
    resumed = expect.the_case(client.post(f"/cases/{case.id}/resume", {"reason": "Ruled"}))

    assert paused["paused_at"] == paused["updated_at"]
    assert "resume" in paused["available_actions"]
    assert "pause" not in paused["available_actions"]
    assert resumed["paused_at"] is None
    # Stopped for less than a working day: the due date stands.
    assert resumed["due_at"] == "2027-01-04T12:00:00.000000Z"
    assert (resumed["status"], resumed["version"]) == (status, case.version + 2)
    types = AuditEvent.objects.filter(case_id=case.id).order_by("-sequence")[:2]
    assert [e.event_type for e in types] == ["CASE_CLOCK_RESUMED", "CASE_CLOCK_PAUSED"]


@pytest.mark.parametrize("path", ["pause", "resume"])
def test_a_clock_is_not_stopped_or_started_twice(as_actor, path):
    case = CaseFactory(status="UNDER_REVIEW")
    rob = as_actor(REVIEWER)
    if path == "pause":
        rob.post(f"/cases/{case.id}/pause", {"reason": "Court"})

    answer = rob.post(f"/cases/{case.id}/{path}", {"reason": "Again"})

    details = expect.refusal(answer, 409, "invalid_case_transition")
    assert (details["action"], details["from_status"]) == (path, "UNDER_REVIEW")
    assert path not in details["allowed_actions"]


@pytest.mark.parametrize("status", ["DRAFT", "CLOSED"])
def test_a_clock_that_does_not_run_is_not_resumed(as_actor, status):
    case = CaseFactory(status=status)

    answer = as_actor(REVIEWER).post(f"/cases/{case.id}/resume", {"reason": "Ruled"})

    expect.refusal(answer, 409, "invalid_case_transition")
    expect.unchanged(case)


def test_a_writer_does_not_stop_the_clock(as_actor):
    case = CaseFactory(status="UNDER_REVIEW")

    answer = as_actor(WRITER).post(f"/cases/{case.id}/resume", {"reason": "Ruled"})

    expect.refusal(answer, 403, "permission_denied", set())
