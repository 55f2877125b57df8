"""What an event tells of itself: plain facts, hashes for long texts, nothing empty."""

from __future__ import annotations

import dataclasses
import json
from datetime import UTC, datetime, timedelta, timezone
from uuid import UUID

import pytest

from cases import events
from tests.unit.samples import ENVELOPE, SAMPLES, event_classes

# sha256 of the text in samples.SECRET, computed by: printf '%s' … | sha256sum
SECRET_SHA256 = "edd3198a12f32ab4c96c0de9a3f5e1088822385c74d1d7133cb7ce0ee071a0ba"
DUE = "2026-12-01T12:00:00.000000Z"
AT = "2026-11-20T09:30:00.000000Z"
NOTE = "019391f0-0000-7000-8000-000000000002"

COUNTED = {"working_days": 7, "calendar": "DE-BE", "time_zone": "Europe/Berlin"}
EXPECTED = {
    "CASE_CREATED": {
        "to_status": "DRAFT",
        "title": "Late reporting",
        "received_at": AT,
        "priority": "HIGH",
        "description_sha256": SECRET_SHA256,
        "category": "reporting",
        "subject": "ACME Ltd.",
        "external_reference": "2026/17",
        "source": "portal",
        "due_at": DUE,
    },
    "CASE_UPDATED": {"changes": {"due_at": {"from": None, "to": DUE}}},
    "CASE_SUBMITTED": {"from_status": "DRAFT", "to_status": "SUBMITTED", "due_at": DUE, **COUNTED},
    "CASE_REVIEW_STARTED": {
        "from_status": "SUBMITTED",
        "to_status": "UNDER_REVIEW",
        "reviewer_id": "rob",
    },
    "CASE_REVIEWER_ASSIGNED": {"reviewer_id": "rosa", "from_reviewer_id": "rob"},
    "CASE_ESCALATED": {
        "from_status": "UNDER_REVIEW",
        "to_status": "ESCALATED",
        "reason": "Beyond us",
    },
    "CASE_CLOSED": {"from_status": "ESCALATED", "to_status": "CLOSED", "reason": "Resolved"},
    "CASE_NOTE_ADDED": {"note_id": NOTE, "body_sha256": SECRET_SHA256},
    "CASE_DUE_DATE_CHANGED": {"due_at": DUE, "reason": "Asked for", "from_due_at": AT},
    "CASE_CLOCK_PAUSED": {"reason": "Waiting"},
    "CASE_CLOCK_RESUMED": {"reason": "Answered", "from_due_at": AT, "due_at": DUE, **COUNTED},
    "CASE_RESTRICTED": {"reason": "Names a person"},
    "CASE_UNRESTRICTED": {"reason": "Published"},
    "CASE_ACCESS_GRANTED": {"user": "grace", "permission": "view_case"},
    "CASE_ACCESS_REVOKED": {"user": "grace", "permission": "view_case"},
    "CASE_OVERDUE": {"due_at": DUE},
}


def test_there_is_a_sample_of_every_kind_of_event() -> None:
    assert set(SAMPLES) == event_classes()
    assert {event.type for event in SAMPLES.values()} == set(EXPECTED)


@pytest.mark.parametrize("event", SAMPLES.values(), ids=lambda event: event.type)
def test_details_are_the_events_own_facts_as_json(event: events.CaseEvent) -> None:
    details = event.details()

    assert details == EXPECTED[event.type]
    assert json.loads(json.dumps(details)) == details


def test_what_is_empty_is_left_out() -> None:
    event = events.CaseReviewerAssigned(**ENVELOPE, reviewer_id="rosa")

    assert event.details() == {"reviewer_id": "rosa"}


def test_the_trail_says_who_loaded_a_past_and_who_set_the_four_eyes_rule_aside() -> None:
    event = events.CaseRestricted(
        **ENVELOPE, reason="x", imported_by="ivy", four_eyes_overridden=True, announced=False
    )

    assert event.details() == {"reason": "x", "imported_by": "ivy", "four_eyes_overridden": True}


def test_a_fact_does_not_change() -> None:
    event = SAMPLES[events.CaseClosed]

    with pytest.raises(dataclasses.FrozenInstanceError):
        event.reason = "Another"


def test_what_json_cannot_say_has_no_place_in_an_event() -> None:
    event = events.CaseUpdated(**ENVELOPE, changes={"title": {"from": 1.5, "to": "x"}})

    with pytest.raises(TypeError, match="float"):
        event.details()


def test_ids_of_events_rise_with_time() -> None:
    facts = {name: value for name, value in ENVELOPE.items() if name != "id"}

    made = [events.CaseRestricted(**facts, reason="x").id for _ in range(100)]

    assert made == sorted(made)
    assert len(set(made)) == 100
    assert all(isinstance(i, UUID) and i.version == 7 for i in made)


@pytest.mark.parametrize(
    ("at", "text"),
    [
        pytest.param(datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC), "2026-01-02T03:04:05.000000Z",
                     id="whole-seconds-keep-their-length"),
        pytest.param(datetime(2026, 1, 2, 3, 4, 5, 67, tzinfo=UTC), "2026-01-02T03:04:05.000067Z",
                     id="microseconds"),
        pytest.param(datetime(2026, 1, 1, 0, 30, tzinfo=timezone(timedelta(hours=1))),
                     "2025-12-31T23:30:00.000000Z", id="another-zone-is-told-in-utc"),
        pytest.param(datetime(1901, 1, 1, tzinfo=UTC), "1901-01-01T00:00:00.000000Z", id="old"),
    ],
)  # fmt: skip
def test_times_are_written_in_utc_and_always_of_the_same_length(at, text) -> None:
    assert events.rfc3339(at) == text
