"""Every message is described, and every description is of a message."""

from __future__ import annotations

import json
from dataclasses import dataclass, fields
from datetime import timedelta
from pathlib import Path

import pytest
import yaml
from django.conf import settings
from django.core.management import CommandError, call_command
from jsonschema_rs import Draft7Validator, ValidationError

from audit.anchors.events import AuditAnchored
from cases.events import CaseEvent, ServiceEvent
from outbox import asyncapi, schemas
from outbox.cloudevents import SERVICE_TYPES, TYPES, cloudevent
from outbox.discretion import bare
from outbox.service_events import service_cloudevent
from tests.unit.samples import AT, ENVELOPE, SAMPLES, event_classes

COMMITTED = Path(__file__).parents[2] / "docs/asyncapi.yaml"
EVENTS = pytest.mark.parametrize("event", SAMPLES.values(), ids=lambda event: event.type)
SCHEMAS = asyncapi.json_schemas()
EVERY_TYPE = [*TYPES.values(), *SERVICE_TYPES.values()]


def validate(message: object, type_: str) -> None:
    Draft7Validator(SCHEMAS[type_], validate_formats=True).validate(message)


def message_of(event: CaseEvent) -> dict:
    return json.loads(json.dumps(cloudevent(event)))


def test_the_committed_document_is_what_the_code_makes() -> None:
    made = asyncapi.written(asyncapi.document(settings.OUTBOX_BROKER_EXCHANGE))

    assert COMMITTED.read_text() == made, "make asyncapi"


@EVENTS
def test_a_message_is_as_the_document_says(event) -> None:
    validate(message_of(event), TYPES[event.type])


@EVENTS
def test_a_message_about_a_restricted_case_is_as_the_document_says(event) -> None:
    validate(bare(message_of(event)), TYPES[event.type])


@EVENTS
def test_a_message_that_lacks_what_the_document_promises_is_found(event) -> None:
    kind = schemas.data_schema(type(event))
    for name in kind["required"]:
        message = message_of(event)
        del message["data"][name]
        with pytest.raises(ValidationError):
            validate(message, TYPES[event.type])


@EVENTS
def test_nothing_is_sent_that_the_document_does_not_name(event) -> None:
    told = schemas.data_schema(type(event))["properties"]

    assert set(cloudevent(event)["data"]) <= set(told)
    assert set(cloudevent(event)) <= set(SCHEMAS[TYPES[event.type]]["properties"])


def test_the_document_tells_of_every_event_on_both_ways() -> None:
    document = yaml.safe_load(COMMITTED.read_text())

    for channel in ("broker", "webhook"):
        messages = document["channels"][channel]["messages"].values()
        assert [message["name"] for message in messages] == EVERY_TYPE
    assert document["channels"]["broker"]["parameters"]["type"]["enum"] == EVERY_TYPE
    assert set(schemas.kinds().values()) == event_classes()
    assert list(schemas.service_kinds().values()) == ServiceEvent.__subclasses__()


def test_a_fact_about_the_service_is_told_as_the_document_says() -> None:
    event = AuditAnchored(
        sequence=1, occurred_at=AT, chains=2, events=9, root="0f" * 32, note="regulator/1"
    )
    message = json.loads(json.dumps(service_cloudevent(event)))

    validate(message, SERVICE_TYPES[event.type])

    told = SCHEMAS[SERVICE_TYPES[event.type]]["properties"]
    assert set(message) == set(told)
    assert set(message["data"]) == set(told["data"]["properties"])
    for broken in ({"root": "0f"}, {"chains": "2"}, {"note": None}):
        with pytest.raises(ValidationError):
            validate(message | {"data": message["data"] | broken}, SERVICE_TYPES[event.type])


def test_every_name_that_is_explained_is_used() -> None:
    used = {name for kind in event_classes() for name in schemas.data_schema(kind)["properties"]}
    for kind in schemas.service_kinds().values():
        used |= set(schemas.service_data_schema(kind)["properties"])

    assert set(schemas.MEANINGS) == used | {"restricted"}


def test_a_field_of_an_unknown_kind_is_refused_rather_than_left_vague() -> None:
    @dataclass(frozen=True, kw_only=True)
    class Measured(CaseEvent):
        reason: timedelta

    with pytest.raises(TypeError, match=r"reason is .*timedelta"):
        schemas.data_schema(Measured)
    assert "reason" in {field.name for field in fields(Measured)}


def test_the_document_names_the_exchange_of_this_installation(capsys, settings) -> None:
    settings.OUTBOX_BROKER_EXCHANGE = "elsewhere"

    call_command("asyncapi")

    document = yaml.safe_load(capsys.readouterr().out)
    assert document["channels"]["broker"]["bindings"]["amqp"]["exchange"]["name"] == "elsewhere"


def test_a_file_that_cannot_be_written_is_said(tmp_path) -> None:
    with pytest.raises(CommandError, match="cannot be written: No such file or directory"):
        call_command("asyncapi", file=tmp_path / "missing" / "asyncapi.yaml")


def test_optional_details_may_be_missing() -> None:
    facts = {name: value for name, value in ENVELOPE.items() if name != "id"}
    for kind, sample in SAMPLES.items():
        needed = {
            field.name: getattr(sample, field.name)
            for field in fields(kind)
            if field.name in schemas.data_schema(kind)["required"] and field.name not in facts
        }
        validate(message_of(kind(**facts, **needed)), TYPES[kind.type])
