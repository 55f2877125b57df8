import hashlib
import uuid

import pytest

from audit.models import AuditEvent
from cases.models import Note
from outbox.models import OutboxEvent
from tests.api import expect
from tests.cast import ADMIN, ALLROUNDER, AUDITOR, NOBODY, REVIEWER, SUPERVISOR, WRITER
from tests.factories import CaseFactory

pytestmark = pytest.mark.django_db

SECRET = "Whistleblower: Frau Müller"


@pytest.mark.parametrize(
    "actor", [WRITER, REVIEWER, SUPERVISOR, ADMIN, ALLROUNDER], ids=lambda a: a.id
)
@pytest.mark.parametrize("status", ["DRAFT", "SUBMITTED", "UNDER_REVIEW", "ESCALATED"])
def test_a_note_is_kept_as_it_was_written(as_actor, actor, status):
    case = CaseFactory(status=status)
    client = as_actor(actor)

    answer = client.post(f"/cases/{case.id}/notes", {"body": f"\n {SECRET}\n\nSecond line. "})

    note = answer.json()
    assert (answer.status_code, answer.headers["Content-Type"]) == (201, "application/json")
    assert set(note) == {"id", "sequence", "author", "body", "created_at"}
    assert uuid.UUID(note["id"]).version == 7
    assert (note["author"], note["sequence"]) == (actor.id, case.version + 1)
    assert note["body"] == f"{SECRET}\n\nSecond line."
    assert expect.UTC_TIME.fullmatch(note["created_at"])
    assert client.get(f"/cases/{case.id}/notes").json() == {
        "next": None,
        "previous": None,
        "results": [note],
    }
    read = expect.the_case(client.get(f"/cases/{case.id}"))
    expect.one_step(case, read)
    assert read["status"] == status


def test_the_trail_and_the_outbox_prove_the_note_without_repeating_it(as_actor):
    case = CaseFactory()
    wanda = as_actor(WRITER)

    note = wanda.post(f"/cases/{case.id}/notes", {"body": SECRET}).json()

    event = AuditEvent.objects.get(case_id=case.id, event_type="CASE_NOTE_ADDED")
    assert event.details == {
        "note_id": note["id"],
        "body_sha256": hashlib.sha256(SECRET.encode()).hexdigest(),
    }
    assert "Müller" not in wanda.get(f"/cases/{case.id}/audit-events").content.decode()
    payloads = OutboxEvent.objects.filter(case_id=case.id).values_list("payload", flat=True)
    assert len(payloads) == 2
    assert not any("Müller" in str(payload) for payload in payloads)


@pytest.mark.parametrize(
    ("body", "fields"),
    [
        ({}, {"body"}),
        ({"body": ""}, {"body"}),
        ({"body": "\t \n"}, {"body"}),
        ({"body": None}, {"body"}),
        ({"body": 5}, {"body"}),
        ({"body": {"text": "x"}}, {"body"}),
        ({"body": "x" * 20_001}, {"body"}),
        ({"body": "x", "author": "sue"}, {"author"}),
        ({"text": "x"}, {"text", "body"}),
    ],
    ids=expect.name,
)
def test_a_note_that_says_nothing_is_none(as_actor, body, fields):
    case = CaseFactory()

    answer = as_actor(WRITER).post(f"/cases/{case.id}/notes", body)

    expect.refusal(answer, 422, "validation_error", fields)
    assert not Note.objects.exists()
    expect.unchanged(case)


def test_a_long_note_fits(as_actor):
    case = CaseFactory()

    answer = as_actor(WRITER).post(f"/cases/{case.id}/notes", {"body": "🏦" * 20_000})

    assert answer.status_code == 201
    assert len(answer.json()["body"]) == 20_000


def test_nothing_is_noted_on_a_closed_case(as_actor):
    case = CaseFactory(status="CLOSED")

    answer = as_actor(WRITER).post(f"/cases/{case.id}/notes", {"body": "Too late"})

    details = expect.refusal(answer, 409, "invalid_case_transition")
    assert (details["action"], details["from_status"]) == ("add_note", "CLOSED")
    assert not Note.objects.exists()


@pytest.mark.parametrize("method", ["put", "patch", "delete"])
@pytest.mark.parametrize("path", ["", "/CASE-NOTE-1"])
def test_a_note_is_never_edited_or_deleted(as_actor, method, path):
    case = CaseFactory()
    note = as_actor(WRITER).post(f"/cases/{case.id}/notes", {"body": "First"}).json()

    answer = getattr(as_actor(ADMIN), method)(f"/cases/{case.id}/notes{path}", {"body": "x"})

    expect.refusal(answer, *((404, "not_found") if path else (405, "method_not_allowed")))
    assert Note.objects.get().body == note["body"]


@pytest.mark.parametrize("status", ["DRAFT", "CLOSED"])
def test_whoever_reads_the_case_reads_its_notes(as_actor, status):
    case = CaseFactory(status=status)

    readable = as_actor(AUDITOR).get(f"/cases/{case.id}/notes")

    assert readable.json() == {"next": None, "previous": None, "results": []}
    expect.refusal(
        as_actor(NOBODY).get(f"/cases/{case.id}/notes?limit=0"), 404, "case_not_found", set()
    )
