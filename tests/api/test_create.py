import json

import pytest

from audit.models import AuditEvent
from cases.models import Case
from outbox.models import OutboxEvent
from tests.api import expect
from tests.cast import ADMIN, ALLROUNDER, AUDITOR, NOBODY, REVIEWER, SUPERVISOR, WRITER
from tests.factories import CaseFactory

pytestmark = pytest.mark.django_db


def test_a_title_is_enough_to_open_a_draft(as_actor):
    answer = as_actor(WRITER).post("/cases", {"title": "Late reporting"})

    case = expect.the_case(answer, 201)
    assert answer.headers["Location"] == f"http://testserver/cases/{case['id']}"
    assert answer.headers["ETag"] == '"0"'
    assert case.pop("created_at") == case.pop("updated_at") == case.pop("received_at")
    assert case.pop("id").startswith("CASE-")
    assert case == {
        "title": "Late reporting",
        "status": "DRAFT",
        "assigned_reviewer_id": None,
        "version": 0,
        "description": "",
        "category": "",
        "subject": "",
        "external_reference": "",
        "source": "",
        "priority": "NORMAL",
        "restricted": False,
        "created_by": "wanda",
        "submitted_by": None,
        "submitted_at": None,
        "closed_at": None,
        "due_at": None,
        "overdue_at": None,
        "paused_at": None,
        "available_actions": ["update", "submit", "add_note"],
    }


def test_the_address_of_a_new_case_leads_to_it(as_actor):
    wanda = as_actor(WRITER)
    created = wanda.post("/v1/cases", {"title": "Late reporting"})

    read = wanda.get(created.headers["Location"])

    assert created.headers["Location"].startswith("http://testserver/v1/cases/CASE-")
    assert read.json() == created.json()


def test_every_writable_field_is_kept_trimmed_and_in_utc(as_actor):
    fields = {
        "title": "  Late reporting ",
        "description": "Three quarters late.\nAgain.",
        "received_at": "2026-01-31T09:30:00+01:00",
        "category": "Reporting",
        "subject": "Müller & Söhne 🏦",
        "external_reference": "R-1",
        "source": "portal",
        "priority": "URGENT",
        "due_at": "2026-12-24T18:00:00-05:00",
    }

    case = expect.the_case(as_actor(WRITER).post("/cases", fields), 201)

    assert {name: case[name] for name in fields} == {
        **fields,
        "title": "Late reporting",
        "received_at": "2026-01-31T08:30:00.000000Z",
        "due_at": "2026-12-24T23:00:00.000000Z",
    }


def test_a_new_case_has_its_first_audit_and_outbox_row(as_actor):
    case_id = as_actor(WRITER).post("/cases", {"title": "Late reporting"}).json()["id"]

    events = AuditEvent.objects.filter(case_id=case_id).values_list("sequence", "event_type")
    assert list(events) == [(0, "CASE_CREATED")]
    assert OutboxEvent.objects.filter(case_id=case_id, sequence=0).count() == 1


@pytest.mark.parametrize("actor", [WRITER, ALLROUNDER, ADMIN], ids=lambda a: a.id)
def test_writers_may_open_cases(as_actor, actor):
    answer = as_actor(actor).post("/cases", {"title": "Late reporting"})

    assert expect.the_case(answer, 201)["created_by"] == actor.id


@pytest.mark.parametrize("body", [{"title": "Late reporting"}, {"title": 5}, [], "{"])
@pytest.mark.parametrize("actor", [REVIEWER, SUPERVISOR, AUDITOR, NOBODY], ids=lambda a: a.id)
def test_who_may_not_open_cases_is_told_so_whatever_the_body(as_actor, actor, body):
    raw = {"data": body, "content_type": "application/json"} if body == "{" else {"data": body}

    answer = as_actor(actor).post("/cases", **raw)

    expect.refusal(answer, 403, "permission_denied", set())
    assert not Case.objects.exists()


@pytest.mark.parametrize(
    ("body", "fields"),
    [
        ({}, {"title"}),
        ({"title": ""}, {"title"}),
        ({"title": " \n "}, {"title"}),
        ({"title": None}, {"title"}),
        ({"title": 5}, {"title"}),
        ({"title": True}, {"title"}),
        ({"title": ["Late"]}, {"title"}),
        ({"title": {"en": "Late"}}, {"title"}),
        ({"title": "x" * 201}, {"title"}),
        ({"title": "two\nlines"}, {"title"}),
        ({"title": "x", "description": 5}, {"description"}),
        ({"title": "x", "description": "d" * 100_001}, {"description"}),
        ({"title": "x", "category": "c" * 201}, {"category"}),
        ({"title": "x", "subject": False}, {"subject"}),
        ({"title": "x", "source": "a\tb"}, {"source"}),
        ({"title": "x", "external_reference": 17}, {"external_reference"}),
        ({"title": "x", "priority": "urgent"}, {"priority"}),
        ({"title": "x", "priority": ""}, {"priority"}),
        ({"title": "x", "priority": None}, {"priority"}),
        ({"title": "x", "priority": 1}, {"priority"}),
        ({"title": "x", "priority": ["LOW"]}, {"priority"}),
        ({"title": "x", "status": "CLOSED"}, {"status"}),
        ({"title": "x", "version": 7, "id": "CASE-000001"}, {"version", "id"}),
        ({"title": "x", "created_by": "sue", "restricted": True}, {"created_by", "restricted"}),
        ({"title": "x", "titel": "y"}, {"titel"}),
        ({"title": " ", "priority": "HOT", "due_at": "soon"}, {"title", "priority", "due_at"}),
    ],
    ids=expect.name,
)
def test_wrong_fields_are_named_one_by_one(as_actor, body, fields):
    answer = as_actor(WRITER).post("/cases", body)

    expect.refusal(answer, 422, "validation_error", fields)
    assert not Case.objects.exists()


@pytest.mark.parametrize("body", [[], [{"title": "x"}], "x", 5, True, None], ids=expect.name)
def test_a_body_that_is_no_object_is_refused(as_actor, body):
    answer = as_actor(WRITER).post("/cases", json.dumps(body), content_type="application/json")

    expect.refusal(answer, 422, "validation_error")
    assert not Case.objects.exists()


@pytest.mark.parametrize("length", [1, 200])
def test_a_title_may_be_as_long_as_the_contract_says(as_actor, length):
    answer = as_actor(WRITER).post("/cases", {"title": "ü" * length})

    assert len(expect.the_case(answer, 201)["title"]) == length


def test_a_reference_is_taken_once_per_source(as_actor):
    CaseFactory(source="portal", external_reference="R-1")

    answer = as_actor(WRITER).post(
        "/cases", {"title": "Again", "source": "portal", "external_reference": " R-1 "}
    )

    expect.refusal(answer, 409, "duplicate_case")
    assert Case.objects.count() == 1
    assert AuditEvent.objects.count() == 1


@pytest.mark.parametrize(
    "other",
    [
        {"source": "letter", "external_reference": "R-1"},
        {"source": "portal", "external_reference": "R-2"},
        {"source": "portal", "external_reference": "r-1"},
        {"source": "portal"},
        {},
    ],
    ids=expect.name,
)
def test_another_source_or_reference_is_another_case(as_actor, other):
    CaseFactory(source="portal", external_reference="R-1")
    CaseFactory(source="portal")

    answer = as_actor(WRITER).post("/cases", {"title": "Another", **other})

    expect.the_case(answer, 201)
