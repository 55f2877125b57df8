"""Every event goes out as a valid CloudEvent 1.0 that tells nothing it should not."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest
from jsonschema_rs import Draft7Validator

from cases import events
from outbox.cloudevents import TYPES, cloudevent
from tests.unit.samples import ENVELOPE, SAMPLES, SECRET

SCHEMA = Path(__file__).parents[3] / "shared" / "data" / "cloudevents.schema.json"
EVENTS = pytest.mark.parametrize("event", SAMPLES.values(), ids=lambda event: event.type)


@pytest.fixture(scope="module")
def schema() -> Any:
    """Return the specification's own JSON schema, which lies beside the project."""
    if not SCHEMA.exists() and not os.environ.get("CI"):
        pytest.skip(f"{SCHEMA} is not on this machine; CI insists on it")
    return json.loads(SCHEMA.read_text())


@EVENTS
def test_the_message_is_valid_by_the_specifications_schema(event, schema) -> None:
    message = json.loads(json.dumps(cloudevent(event)))

    Draft7Validator(schema, validate_formats=True).validate(message)


@EVENTS
def test_the_envelope_names_the_fact_its_case_and_its_place(event) -> None:
    message = cloudevent(event)

    assert message["specversion"] == "1.0"
    assert message["id"] == "019391f0-0000-7000-8000-000000000001"
    assert message["subject"] == "CASE-000042"
    assert message["time"] == "2026-11-20T09:30:00.000000Z"
    assert message["sequence"] == "0000000003"
    assert message["data"]["case_id"] == "CASE-000042"
    assert message["data"]["actor_id"] == "wanda"
    # The names of CloudEvents attributes: lower-case letters and digits, nothing else.
    assert all(name.isalnum() and name.islower() for name in message)


@EVENTS
def test_the_type_is_a_name_of_the_regulator_with_a_version(event) -> None:
    message = cloudevent(event)

    word = event.type.removeprefix("CASE_").lower().replace("_", "-")
    assert message["type"] == f"org.regulator.case.{word}.v1"


@EVENTS
def test_no_body_of_a_note_or_description_leaves_the_house(event) -> None:
    message = json.dumps(cloudevent(event), ensure_ascii=False)

    assert SECRET not in message
    assert '"body"' not in message
    assert '"description"' not in message


def test_no_two_events_share_a_type() -> None:
    assert len(set(TYPES.values())) == len(TYPES)
    assert set(TYPES) == {event.type for event in SAMPLES.values()}


def test_sequences_sort_as_text_as_they_count() -> None:
    facts = {name: value for name, value in ENVELOPE.items() if name != "sequence"}
    numbers = [0, 9, 10, 99, 100, 2_147_483_647]

    written = [
        cloudevent(events.CaseRestricted(**facts, sequence=n, reason="x"))["sequence"]
        for n in numbers
    ]

    assert written == sorted(written)
    assert [int(text) for text in written] == numbers
