"""The XES form on its own: rows in, a log out, whatever the rows hold."""

from __future__ import annotations

import io
import json
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import pytest

from audit.exports.xes import OF_CASE, OF_DETAILS, Xes, escaped
from cases.events import CaseEvent
from cases.models import Case
from tests import xes
from tests.unit.samples import SAMPLES

ID = "01a20592-4898-776f-9f1c-579c616d7596"
AT = "2026-11-23T09:30:00.000000Z"


def row(case_id: str = "CASE-000001", sequence: int = 0, **given: Any) -> bytes:
    values = {
        "case": None, "id": ID, "case_id": case_id, "sequence": sequence,
        "event_type": "CASE_CREATED", "actor_id": "wanda", "at": AT, "details": {}, **given,
    }  # fmt: skip
    return b"\x02".join(json.dumps(value).encode() for value in values.values()) + b"\n"


def log_of(*rows: bytes) -> xes.Log:
    form = Xes()
    return xes.read(io.BytesIO(form.head() + b"".join(map(form.row, rows)) + form.tail()))


def test_a_log_declares_what_the_standard_knows_under_its_addresses() -> None:
    log = log_of()

    assert log.extensions == {
        prefix: f"http://www.xes-standard.org/{prefix}.xesext"
        for prefix in ("concept", "lifecycle", "org", "time", "identity")
    }
    assert log.globals["trace"].keys() == {"concept:name"}
    assert log.globals["event"].keys() >= {
        "concept:name", "lifecycle:transition", "org:resource", "time:timestamp", "identity:id"
    }  # fmt: skip
    assert log.classifiers["Activity"] == ("event", "concept:name")
    assert log.attributes["lifecycle:model"] == "standard"
    assert log.traces == []


def test_an_event_is_an_activity_of_somebody_at_a_time() -> None:
    [trace] = log_of(
        row(details={"from_status": "DRAFT", "due_at": AT, "imported_by": "ada"}, sequence=7)
    ).traces

    assert trace.attributes == {"concept:name": "CASE-000001"}
    assert trace.events == [
        {
            "concept:name": "CASE_CREATED",
            "lifecycle:transition": "complete",
            "org:resource": "wanda",
            "time:timestamp": datetime(2026, 11, 23, 9, 30, tzinfo=UTC),
            "identity:id": UUID(ID),
            "sequence": 7,
            "from_status": "DRAFT",
            "due_at": datetime(2026, 11, 23, 9, 30, tzinfo=UTC),
            "imported_by": "ada",
        }
    ]


def test_a_trace_begins_with_each_case_and_says_what_the_case_is() -> None:
    facts = {"status": "CLOSED", "category": "", "restricted": False, "due_at": None}
    log = log_of(row("CASE-000001", 0, case=facts), row("CASE-000001", 1), row("CASE-000002", 0))

    assert [(t.attributes["concept:name"], len(t.events)) for t in log.traces] == [
        ("CASE-000001", 2), ("CASE-000002", 1),
    ]  # fmt: skip
    assert log.traces[0].attributes == {
        "concept:name": "CASE-000001", "status": "CLOSED", "restricted": False
    }  # fmt: skip


@pytest.mark.parametrize(
    "text",
    [
        "O'Neill & <Söhne> \"quoted\"", "line\nbreak", "tab\tand\rreturn", "🐢 \u2028 \x85 \x7f",
        "]]>", "&amp;", "  outer blanks  ",
    ],
)  # fmt: skip
def test_a_text_comes_back_as_it_was(text) -> None:
    [trace] = log_of(row(actor_id=text)).traces

    assert trace.events[0]["org:resource"] == text


@pytest.mark.parametrize("odd", [chr(n) for n in range(32) if n not in (9, 10, 13)] + ["\ufffe"])
def test_what_xml_cannot_hold_becomes_the_replacement_character(odd) -> None:
    [trace] = log_of(row(actor_id=f"a{odd}b")).traces

    assert trace.events[0]["org:resource"] == "a\ufffdb"


def test_plain_text_is_not_touched() -> None:
    assert escaped("plain-text_1") == "plain-text_1"


def test_a_forged_event_does_not_break_the_log() -> None:
    details = {"from_status": 5, "due_at": "soon", "four_eyes_overridden": "yes", "to_status": ""}
    form = Xes()

    text = form.head() + form.row(row(at=None, details=details)) + form.tail()

    [event] = [child for log in [xes.ET.fromstring(text)] for child in log.iter("event")]
    assert {child.attrib["key"] for child in event} == {
        "concept:name", "lifecycle:transition", "org:resource", "identity:id", "sequence"
    }  # fmt: skip


def test_what_it_takes_is_there_and_no_text_of_a_user() -> None:
    free_text = {"title", "description", "subject", "reason", "body"}
    columns = {field.name for field in Case._meta.concrete_fields}
    names = {name for event in SAMPLES.values() for name in own_details(event)}

    assert set(OF_CASE) <= columns - free_text
    assert set(OF_DETAILS) <= names - free_text


def own_details(event: CaseEvent) -> set[str]:
    return {*event.details(), "imported_by", "four_eyes_overridden"}
