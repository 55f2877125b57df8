import hashlib
import json
import uuid

import pytest

from tests.api import expect
from tests.cast import ADMIN, AUDITOR, NOBODY, REVIEWER, SUPERVISOR, WRITER
from tests.factories import CaseFactory

pytestmark = pytest.mark.django_db

FIELDS = {
    "id",
    "case_id",
    "sequence",
    "event_type",
    "actor_id",
    "occurred_at",
    "recorded_at",
    "request_id",
    "details",
    "previous_hash",
    "hash",
}


def carried_through(as_actor):
    """Carry a case from its creation to its end, over the API alone."""
    wanda, rob, sue = as_actor(WRITER), as_actor(REVIEWER), as_actor(SUPERVISOR)
    fields = {"title": "Späte Meldung 🏦 \u2028\"'\\", "description": "Long\n" * 100, "source": "é"}
    case_id = wanda.post("/cases", fields).json()["id"]
    url = f"/cases/{case_id}"
    steps = [
        wanda.patch(url, {"description": "", "priority": "HIGH", "due_at": "2027-01-01T00:00:00Z"}),
        wanda.post(f"{url}/submit"),
        rob.post(f"{url}/start-review", {"reviewer_id": "Ünal"}),
        rob.post(f"{url}/notes", {"body": "Called"}),
        sue.post(f"{url}/assign", {"reviewer_id": "rob"}),
        sue.post(f"{url}/due-date", {"due_at": "2027-02-01T00:00:00Z", "reason": "More"}),
        rob.post(f"{url}/pause", {"reason": "Court"}),
        rob.post(f"{url}/resume", {"reason": "Ruled"}),
        sue.post(f"{url}/restrict", {"reason": "Source"}),
        rob.post(f"{url}/escalate", {"reason": "Beyond us"}),
        rob.post(f"{url}/close", {"reason": "Fined"}),
    ]
    assert [step.status_code for step in steps] == [200] * 3 + [201] + [200] * 7
    return case_id, steps


def test_the_trail_tells_everything_oldest_first(as_actor):
    case_id, _ = carried_through(as_actor)

    answer = as_actor(AUDITOR).get(f"/cases/{case_id}/audit-events")

    page = answer.json()
    assert (answer.status_code, answer.headers["Content-Type"]) == (200, "application/json")
    assert set(page) == {"next", "previous", "results"}
    events = page["results"]
    assert all(set(event) == FIELDS for event in events)
    assert [event["sequence"] for event in events] == list(range(12))
    assert {event["case_id"] for event in events} == {case_id}
    assert len({uuid.UUID(event["id"]) for event in events}) == 12
    assert [(e["event_type"], e["actor_id"]) for e in events] == [
        ("CASE_CREATED", "wanda"),
        ("CASE_UPDATED", "wanda"),
        ("CASE_SUBMITTED", "wanda"),
        ("CASE_REVIEW_STARTED", "rob"),
        ("CASE_NOTE_ADDED", "rob"),
        ("CASE_REVIEWER_ASSIGNED", "sue"),
        ("CASE_DUE_DATE_CHANGED", "sue"),
        ("CASE_CLOCK_PAUSED", "rob"),
        ("CASE_CLOCK_RESUMED", "rob"),
        ("CASE_RESTRICTED", "sue"),
        ("CASE_ESCALATED", "rob"),
        ("CASE_CLOSED", "rob"),
    ]
    for event in events:
        assert expect.UTC_TIME.fullmatch(event["occurred_at"])
        assert expect.UTC_TIME.fullmatch(event["recorded_at"])


def test_each_event_bears_the_request_that_made_it(as_actor):
    case_id, steps = carried_through(as_actor)

    events = as_actor(AUDITOR).get(f"/cases/{case_id}/audit-events").json()["results"]

    assert [e["request_id"] for e in events[1:]] == [s.headers["X-Request-ID"] for s in steps]


def test_the_chain_can_be_recomputed_from_what_is_answered(as_actor):
    case_id, _ = carried_through(as_actor)
    events = as_actor(AUDITOR).get(f"/cases/{case_id}/audit-events").json()["results"]
    previous = "0" * 64

    for event in events:
        content = {name: event[name] for name in FIELDS - {"id", "previous_hash", "hash"}}
        canonical = json.dumps(
            content | {"event_id": event["id"], "format": 1},
            ensure_ascii=False,
            sort_keys=True,
            separators=(",", ":"),
        )
        inner = hashlib.sha256(canonical.encode()).digest()
        chained = hashlib.sha256(bytes.fromhex(previous) + inner).hexdigest()

        assert event["previous_hash"] == previous, event["sequence"]
        assert event["hash"] == chained, event["sequence"]
        previous = chained


def test_a_change_is_told_by_field_and_long_texts_by_their_hash(as_actor):
    case_id, _ = carried_through(as_actor)
    long = hashlib.sha256(("Long\n" * 100).strip().encode()).hexdigest()
    empty = hashlib.sha256(b"").hexdigest()

    events = as_actor(AUDITOR).get(f"/cases/{case_id}/audit-events").json()["results"]

    assert events[0]["details"]["description_sha256"] == long
    assert events[1]["details"] == {
        "changes": {
            "description_sha256": {"from": long, "to": empty},
            "priority": {"from": "NORMAL", "to": "HIGH"},
            "due_at": {"from": None, "to": "2027-01-01T00:00:00.000000Z"},
        }
    }
    assert events[5]["details"] == {"reviewer_id": "rob", "from_reviewer_id": "Ünal"}


@pytest.mark.parametrize("actor", [WRITER, REVIEWER, SUPERVISOR, ADMIN], ids=lambda a: a.id)
def test_every_role_reads_the_trail_of_a_case_it_may_read(as_actor, actor):
    case = CaseFactory()

    answer = as_actor(actor).get(f"/cases/{case.id}/audit-events")

    assert [event["sequence"] for event in answer.json()["results"]] == [0]


@pytest.mark.parametrize("query", ["", "?limit=0", "?cursor=x", "?nonsense=1"])
def test_the_trail_of_a_case_one_may_not_see_is_no_trail(as_actor, query):
    case = CaseFactory(restricted=True)

    for actor, case_id in ((NOBODY, case.id), (WRITER, case.id), (AUDITOR, "CASE-999999")):
        answer = as_actor(actor).get(f"/cases/{case_id}/audit-events{query}")

        expect.refusal(answer, 404, "case_not_found", set())


@pytest.mark.parametrize("method", ["post", "put", "patch", "delete"])
def test_the_trail_is_only_read(as_actor, method):
    case = CaseFactory()

    answer = getattr(as_actor(ADMIN), method)(f"/cases/{case.id}/audit-events", {})

    expect.refusal(answer, 405, "method_not_allowed")
