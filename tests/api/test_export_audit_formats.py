"""The trail as CSV and as XES: the same events, rights and filters as JSON lines have."""

from __future__ import annotations

import csv
import io
import json
from datetime import datetime
from typing import Any

import pytest
from django.contrib.auth.models import Group, Permission

from audit.models import AuditEvent
from cases import services
from cases.policies import Actor
from tests import xes
from tests.api import expect
from tests.cast import AUDITOR, NOBODY, REVIEWER, SUPERVISOR, WRITER
from tests.factories import CaseFactory

pytestmark = pytest.mark.django_db

FORMATS = ("jsonl", "csv", "xes")
OTHERS = ("csv", "xes")
TYPES = {"csv": "text/csv; charset=utf-8", "xes": "application/xml; charset=utf-8"}


def url(form: str, query: str = "") -> str:
    return f"/v1/audit-events/export.{form}?{query}"


def content(answer: Any) -> bytes:
    assert answer.status_code == 200, answer.content
    return b"".join(answer.streaming_content)


def table(answer: Any) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(content(answer).decode("utf-8-sig"), newline="")))


def log(answer: Any) -> xes.Log:
    return xes.read(io.BytesIO(content(answer)))


def ids(form: str, answer: Any) -> list[str]:
    if form == "csv":
        return [row["id"] for row in table(answer)]
    if form == "xes":
        return [str(e["identity:id"]) for trace in log(answer).traces for e in trace.events]
    return [json.loads(line)["id"] for line in content(answer).splitlines()]


@pytest.fixture
def exporters() -> None:
    """Make a role that exports what it sees, and does not see restricted cases."""
    Group.objects.create(name="exporters").permissions.set(
        Permission.objects.filter(codename__in=["view_case", "export_audit_events"])
    )


@pytest.mark.parametrize("form", OTHERS)
def test_it_is_a_file_of_its_format(as_actor, form) -> None:
    answer = as_actor(AUDITOR).get(url(form))

    assert answer.headers["Content-Type"] == TYPES[form]
    assert answer.headers["Content-Disposition"].startswith('attachment; filename="audit-events-20')
    assert answer.headers["Content-Disposition"].endswith(f'.{form}"')
    assert ids(form, answer) == []


@pytest.mark.parametrize("form", OTHERS)
@pytest.mark.parametrize("accept", ["*/*", "application/json", None])
def test_it_is_given_to_who_accepts_it_or_json(as_actor, form, accept) -> None:
    accepted = accept or TYPES[form].partition(";")[0]

    assert ids(form, as_actor(AUDITOR).get(url(form), headers={"Accept": accepted})) == []


@pytest.mark.parametrize("form", OTHERS)
def test_every_filter_leaves_what_it_leaves_of_json_lines(as_actor, form) -> None:
    cases = [CaseFactory(status=status) for status in ("CLOSED", "UNDER_REVIEW", "DRAFT")]
    audrey = as_actor(AUDITOR)
    moment = AuditEvent.objects.order_by("occurred_at")[3].occurred_at.isoformat()
    moment = moment.replace("+00:00", "Z")
    queries = (
        "", f"case_id={cases[1].id}", "event_type=CASE_CLOSED",
        "event_type=CASE_CREATED&event_type=CASE_SUBMITTED", "actor_id=rob",
        f"occurred_from={moment}", f"occurred_to={moment}", "case_id=nonsense",
    )  # fmt: skip

    for query in queries:
        lines = ids("jsonl", audrey.get(url("jsonl", query)))
        assert ids(form, audrey.get(url(form, query))) == lines, query
    assert len(ids(form, audrey.get(url(form)))) == 8


@pytest.mark.parametrize("form", OTHERS)
def test_what_it_does_not_know_is_refused(as_actor, form) -> None:
    answer = as_actor(AUDITOR).get(url(form, "colour=red&event_type=x"))

    expect.refusal(answer, 422, "validation_error", {"colour", "event_type"})


@pytest.mark.parametrize("form", OTHERS)
@pytest.mark.parametrize("actor", [WRITER, REVIEWER, SUPERVISOR, NOBODY], ids=lambda a: a.id)
def test_who_may_not_is_told_so_before_anything_else(as_actor, actor, form) -> None:
    answer = as_actor(actor).get(url(form, "colour=red"))

    expect.refusal(answer, 403, "permission_denied", set())


@pytest.mark.parametrize("form", FORMATS)
def test_a_hidden_case_is_in_none_of_them(as_actor, form, exporters) -> None:
    seen, hidden = CaseFactory(), CaseFactory(restricted=True)
    norman = as_actor(Actor(id="norman", roles=frozenset({"exporters"})))

    text = content(norman.get(url(form))).decode()

    assert seen.id in text
    assert hidden.id not in text
    assert hidden.id in content(as_actor(AUDITOR).get(url(form))).decode()


@pytest.mark.parametrize("form", FORMATS)
def test_the_log_says_which_file_was_taken_away(as_actor, caplog, form) -> None:
    CaseFactory()
    caplog.set_level("INFO")

    content(as_actor(AUDITOR).get(url(form)))

    [told] = [r.msg for r in caplog.records if r.name == "exports"]
    assert (told["actor_id"], told["format"], told["rows"]) == ("audrey", form, 1)
    assert told["outcome"] == "complete"


def test_a_row_tells_what_the_event_tells(as_actor) -> None:
    case = CaseFactory(status="UNDER_REVIEW")
    services.close_case(case_id=case.id, reason="Fined, in\nfull", actor=REVIEWER)
    audrey = as_actor(AUDITOR)

    events = audrey.get(f"/cases/{case.id}/audit-events").json()["results"]
    rows = table(audrey.get(url("csv")))

    assert [json.loads(row["details"]) for row in rows] == [e["details"] for e in events]
    own = ("case_id", "event_type", "actor_id", "occurred_at", "recorded_at", "request_id", "id",
           "previous_hash", "hash")  # fmt: skip
    assert [[row[n] for n in own] for row in rows] == [[e[n] for n in own] for e in events]
    assert [int(row["sequence"]) for row in rows] == [0, 1, 2, 3]
    assert [(row["from_status"], row["to_status"], row["reason"]) for row in rows] == [
        ("", "DRAFT", ""), ("DRAFT", "SUBMITTED", ""), ("SUBMITTED", "UNDER_REVIEW", ""),
        ("UNDER_REVIEW", "CLOSED", "Fined, in\nfull"),
    ]  # fmt: skip


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\uff1d"])
def test_no_text_of_a_row_is_a_formula(as_actor, start) -> None:
    case = CaseFactory(status="UNDER_REVIEW")
    services.close_case(case_id=case.id, reason=f"{start}HYPERLINK(0)", actor=REVIEWER)

    last = table(as_actor(AUDITOR).get(url("csv")))[-1]

    assert last["reason"] == f"'{start}HYPERLINK(0)"
    assert json.loads(last["details"])["reason"] == f"{start}HYPERLINK(0)"


def test_no_detail_begins_a_formula_where_semicolons_part_cells(as_actor) -> None:
    case = CaseFactory(status="UNDER_REVIEW")
    services.close_case(case_id=case.id, reason="a;=1", actor=REVIEWER)

    last = table(as_actor(AUDITOR).get(url("csv")))[-1]

    assert last["reason"] == "a;'=1"
    assert json.loads(last["details"])["reason"] == "a;'=1"


def test_a_trace_tells_the_story_of_its_case(as_actor) -> None:
    fields = {"priority": "HIGH", "category": "Reporting", "source": "portal",
              "external_reference": "2026/17", "due_at": "2027-01-01T00:00:00Z"}  # fmt: skip
    case = CaseFactory(status="CLOSED", restricted=True, **fields)
    CaseFactory()

    first, second = log(as_actor(AUDITOR).get(url("xes"))).traces

    assert first.attributes == {
        "concept:name": case.id, "status": "CLOSED", "restricted": True, **fields,
        "received_at": case.received_at, "due_at": datetime.fromisoformat("2027-01-01T00:00:00Z"),
        "closed_at": case.closed_at,
    }  # fmt: skip
    assert [
        (e["concept:name"], e["org:resource"], e["time:timestamp"], e["sequence"])
        for e in first.events
    ] == list(
        AuditEvent.objects.filter(case_id=case.id)
        .order_by("sequence")
        .values_list("event_type", "actor_id", "occurred_at", "sequence")
    )
    assert {e["lifecycle:transition"] for e in first.events} == {"complete"}
    assert len(second.events) == 1


def test_a_trace_of_chosen_events_says_of_its_case_what_the_whole_trace_says(as_actor) -> None:
    CaseFactory(status="CLOSED", priority="LOW")
    audrey = as_actor(AUDITOR)

    [whole] = log(audrey.get(url("xes"))).traces
    [chosen] = log(audrey.get(url("xes", "event_type=CASE_CLOSED"))).traces

    assert chosen.attributes == whole.attributes
    assert [e["concept:name"] for e in chosen.events] == ["CASE_CLOSED"]


def test_an_event_log_holds_no_text_that_somebody_wrote(as_actor) -> None:
    secret = "Whistleblower Zoe"
    case = CaseFactory(status="UNDER_REVIEW", title=secret, description=secret, subject=secret)
    services.add_note(case_id=case.id, body=secret, actor=REVIEWER)
    services.close_case(case_id=case.id, reason=secret, actor=REVIEWER)

    assert secret not in content(as_actor(AUDITOR).get(url("xes"))).decode()
