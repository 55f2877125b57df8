"""The trail in words: every kind of event, and those that nobody foresaw."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from django.utils import timezone

from audit.models import AuditEvent
from audit.timeline import WHAT, Value, entry
from cases.events import CaseEvent
from tests.unit.samples import SAMPLES

AT = datetime(2026, 11, 20, 9, 30, tzinfo=UTC)


def event(event_type: str, details: Any, **given: Any) -> AuditEvent:
    values = {
        "case_id": "CASE-000042", "sequence": 3, "actor_id": "wanda", "occurred_at": AT,
        "recorded_at": AT, "request_id": "req-7", "hash": bytes(32), **given,
    }  # fmt: skip
    return AuditEvent(event_type=event_type, details=details, **values)


@pytest.mark.parametrize("kind", SAMPLES, ids=lambda kind: kind.type)
def test_every_kind_of_event_is_told_in_words_and_completely(kind: type[CaseEvent]) -> None:
    details = SAMPLES[kind].details()

    told = entry(event(kind.type, details))

    assert told.what == WHAT[kind.type]
    assert told.what != kind.type
    texts = " ".join([told.reason, *(f"{v.old} {v.new}" for v in [*told.values, *told.proof])])
    for name, value in details.items():
        if isinstance(value, str) and not name.endswith(("_at", "_status")) and name != "priority":
            assert value in texts, name
        elif name.endswith("_status"):
            assert str(value).replace("_", " ").capitalize() in texts, name


def test_nothing_is_told_of_a_kind_that_there_is_not() -> None:
    assert set(WHAT) == {kind.type for kind in SAMPLES}


def test_a_change_is_told_as_old_and_new() -> None:
    changes = {
        "title": {"from": "Late reporting", "to": "Late reports"},
        "category": {"from": "", "to": "Reporting"},
        "due_at": {"from": None, "to": "2026-12-01T12:00:00.000000Z"},
        "priority": {"from": "LOW", "to": "HIGH"},
    }

    assert entry(event("CASE_UPDATED", {"changes": changes})).values == [
        Value("Category", "(empty)", "Reporting"),
        Value("Due", "(empty)", "2026-12-01 12:00 UTC"),
        Value("Priority", "Low", "High"),
        Value("Title", "Late reporting", "Late reports"),
    ]


def test_a_moment_is_told_by_the_clock_of_the_page() -> None:
    details = {"due_at": "2026-12-01T12:00:00.000000Z", "reason": "Agreed"}

    with timezone.override("Europe/Berlin"):
        told = entry(event("CASE_DUE_DATE_CHANGED", details))

    assert told.values == [Value("Due", None, "2026-12-01 13:00 CET")]


@pytest.mark.parametrize(
    ("name", "value"),
    [("title", "2026-12-01T12:00:00.000000Z"), ("due_at", "2026-13-41T12:00:00Z"),
     ("due_at", "2026-12-01"), ("due_at", "0001-01-01T00:00:00+23:59")],
)  # fmt: skip
def test_what_is_no_moment_is_told_as_it_stands(name, value) -> None:
    told = entry(event("CASE_UPDATED", {"changes": {name: {"from": None, "to": value}}}))

    assert [one.new for one in told.values] == [value]


def test_a_move_is_told_from_status_to_status_before_all_else() -> None:
    details = {"from_status": "SUBMITTED", "reviewer_id": "rob", "to_status": "UNDER_REVIEW"}

    assert entry(event("CASE_REVIEW_STARTED", details)).values == [
        Value("Status", "Submitted", "Under review"),
        Value("Reviewer", None, "rob"),
    ]


def test_what_is_out_of_the_ordinary_is_remarked() -> None:
    details = {"reason": "Fined", "imported_by": "ada", "four_eyes_overridden": True}

    told = entry(event("CASE_CLOSED", details))

    assert told.reason == "Fined"
    assert told.remarks == [
        "Loaded from the past by ada.", "The four-eyes rule was set aside.",
    ]  # fmt: skip
    assert told.values == []


@pytest.mark.parametrize("details", [None, 5, [], "text", {"changes": 7}, {"changes": {"a": 1}}])
def test_a_forged_event_is_shown_as_far_as_it_goes(details) -> None:
    told = entry(event("CASE_REOPENED", details))

    assert told.what == "CASE_REOPENED"
    assert told.values == []
