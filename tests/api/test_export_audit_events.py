"""The trail as JSON lines: the events of all cases that exist for the reader."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.contrib.auth.models import Group, Permission

from cases import services
from cases.policies import Actor
from tests.api import expect
from tests.cast import ADMIN, AUDITOR, NOBODY, REVIEWER, SUPERVISOR, WRITER
from tests.factories import CaseFactory, UserFactory

pytestmark = pytest.mark.django_db

URL = "/audit-events/export.jsonl"


def events(answer: Any) -> list[dict[str, Any]]:
    assert answer.status_code == 200, answer.content
    text = b"".join(answer.streaming_content).decode()
    assert text.endswith("\n") or text == ""
    return [json.loads(line) for line in text.split("\n")[:-1]]


def test_an_event_is_what_the_trail_of_its_case_shows(as_actor) -> None:
    odd = 'quotes " and \\ and \u2028, ünd 🐢\x85'
    case = CaseFactory(status="ESCALATED", title=odd.replace("\x85", ""), description=odd)
    services.close_case(case_id=case.id, reason=f"Two\nlines\t{odd}", actor=REVIEWER)
    audrey = as_actor(AUDITOR)

    exported = events(audrey.get(f"/v1{URL}"))

    assert exported == audrey.get(f"/cases/{case.id}/audit-events").json()["results"]
    assert list(exported[0]) == [
        "id", "case_id", "sequence", "event_type", "actor_id", "occurred_at", "recorded_at",
        "request_id", "details", "previous_hash", "hash",
    ]  # fmt: skip


def test_it_is_a_file_of_json_lines(as_actor) -> None:
    answer = as_actor(AUDITOR).get(URL)

    assert answer.headers["Content-Type"] == "application/jsonl"
    assert answer.headers["Content-Disposition"].startswith('attachment; filename="audit-events-20')
    assert events(answer) == []


def test_the_events_of_a_case_stand_together_oldest_first(as_actor) -> None:
    cases = [CaseFactory(status="CLOSED") for _ in range(3)]
    for case in cases[::-1]:
        services.grant_access(
            case_id=case.id, user=UserFactory().username, permission="view_case", actor=SUPERVISOR
        )

    met = [(e["case_id"], e["sequence"]) for e in events(as_actor(AUDITOR).get(URL))]

    assert met == [(case.id, sequence) for case in cases for sequence in range(5)]


def test_filters_leave_what_they_say(as_actor) -> None:
    cases = [CaseFactory(status=status) for status in ("CLOSED", "UNDER_REVIEW", "DRAFT")]
    audrey = as_actor(AUDITOR)
    everything = events(audrey.get(URL))
    moment = everything[3]["occurred_at"]
    filters = {
        f"case_id={cases[1].id}": lambda e: e["case_id"] == cases[1].id,
        "event_type=CASE_CLOSED": lambda e: e["event_type"] == "CASE_CLOSED",
        "event_type=CASE_CREATED&event_type=CASE_SUBMITTED": lambda e: (
            e["event_type"] in ("CASE_CREATED", "CASE_SUBMITTED")
        ),
        "actor_id=wanda": lambda e: e["actor_id"] == "wanda",
        f"occurred_from={moment}": lambda e: e["occurred_at"] >= moment,
        f"occurred_to={moment}": lambda e: e["occurred_at"] < moment,
        f"actor_id=rob&occurred_to={moment}": lambda e: (
            e["actor_id"] == "rob" and e["occurred_at"] < moment
        ),
        "case_id=CASE-999999": lambda e: False,
        "case_id=nonsense": lambda e: False,
    }

    for query, says in filters.items():
        found = events(audrey.get(f"{URL}?{query}"))
        assert found == [e for e in everything if says(e)], query


@pytest.mark.parametrize(
    ("query", "fields"),
    [
        ("event_type=CLOSED", {"event_type"}),
        ("event_type=", {"event_type"}),
        ("event_type=CASE_CLOSED&event_type=x", {"event_type"}),
        ("event_type=CASE_CLOSED" + "&event_type=CASE_CLOSED" * 16, {"event_type"}),
        ("actor_id=", {"actor_id"}),
        ("actor_id=a&actor_id=b", {"actor_id"}),
        ("case_id=%00", {"case_id"}),
        ("occurred_from=2026-01-01", {"occurred_from"}),
        ("occurred_from=2026-01-02T00:00:00Z&occurred_to=2026-01-01T00:00:00Z", {"occurred_to"}),
        ("colour=red&actor_id=", {"colour", "actor_id"}),
        ("limit=5", {"limit"}),
        ("cursor=x", {"cursor"}),
    ],
)
def test_what_it_does_not_know_is_refused(as_actor, query, fields) -> None:
    answer = as_actor(AUDITOR).get(f"{URL}?{query}")

    expect.refusal(answer, 422, "validation_error", fields)


@pytest.mark.parametrize("actor", [AUDITOR, ADMIN], ids=lambda a: a.id)
def test_auditors_get_the_trails_of_restricted_cases_too(as_actor, actor) -> None:
    case = CaseFactory(restricted=True)

    assert {e["case_id"] for e in events(as_actor(actor).get(URL))} == {case.id}


@pytest.mark.parametrize("actor", [WRITER, REVIEWER, SUPERVISOR, NOBODY], ids=lambda a: a.id)
def test_who_may_not_is_told_so_before_anything_else(as_actor, actor) -> None:
    expect.refusal(as_actor(actor).get(f"{URL}?colour=red"), 403, "permission_denied", set())


def test_nobody_exports_nothing(stranger) -> None:
    expect.refusal(stranger.get(URL), 401, "not_authenticated", set())


def test_who_does_not_see_a_case_does_not_get_its_trail(as_actor) -> None:
    exporters = Group.objects.create(name="exporters")
    exporters.permissions.set(
        Permission.objects.filter(codename__in=["view_case", "export_audit_events"])
    )
    UserFactory(username="norman", password=None)
    seen, granted, hidden = (
        CaseFactory(),
        CaseFactory(restricted=True),
        CaseFactory(restricted=True),
    )
    services.grant_access(
        case_id=granted.id, user="norman", permission="view_case", actor=SUPERVISOR
    )
    norman = as_actor(Actor(id="norman", roles=frozenset({"exporters"})))

    exported = {e["case_id"] for e in events(norman.get(URL))}
    asked_for = events(norman.get(f"{URL}?case_id={hidden.id}"))

    assert exported == {seen.id, granted.id}
    assert asked_for == []


def test_a_past_that_was_loaded_is_exported_by_when_it_happened(as_actor) -> None:
    long_ago = datetime(2001, 2, 3, tzinfo=UTC)
    old = services.create_case(fields={"title": "Old"}, actor=WRITER, at=long_ago)
    CaseFactory()

    until = (long_ago + timedelta(microseconds=1)).isoformat().replace("+", "%2B")
    [event] = events(as_actor(AUDITOR).get(f"{URL}?occurred_to={until}"))

    assert event["case_id"] == old.id
    assert event["occurred_at"] == "2001-02-03T00:00:00.000000Z"


@pytest.mark.parametrize("accept", ["application/jsonl", "*/*", "application/json"])
def test_it_is_given_to_who_accepts_json_lines_or_json(as_actor, accept) -> None:
    answer = as_actor(AUDITOR).get(URL, headers={"Accept": accept})

    assert events(answer) == []


def test_the_log_says_who_took_what_away(as_actor, caplog) -> None:
    CaseFactory(status="SUBMITTED")
    caplog.set_level("INFO")

    events(as_actor(AUDITOR).get(f"{URL}?actor_id=wanda"))

    [told] = [r.msg for r in caplog.records if r.name == "exports"]
    assert told["event"] == "audit_events_exported"
    assert (told["actor_id"], told["rows"], told["asked"]) == ("audrey", 2, ["actor_id"])
