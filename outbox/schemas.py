"""What the data of each message looks like, as JSON Schema: derived from the events themselves.

The events are the typed payloads; nothing is said twice. Here stands only what a dataclass cannot
say: what a field means to a reader outside of the house.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import MISSING, fields
from datetime import datetime
from inspect import cleandoc
from types import MappingProxyType, NoneType, UnionType
from typing import Final, TypeVar, get_args, get_origin, get_type_hints
from uuid import UUID

from cases.events import CaseEvent, Json, ServiceEvent
from outbox.cloudevents import SERVICE_TYPES, SOURCE, TYPES

Schema = dict[str, Json]

# What each name in ``data`` means. A test fails for a name that is not here.
MEANINGS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "case_id": "The case, as in `subject`.",
        "actor_id": "Who did it.",
        "imported_by": "Who loaded this fact from a past that happened elsewhere.",
        "four_eyes_overridden": "An actor with the right to do so set the four-eyes rule aside.",
        "restricted": "The case is restricted: what happened is told to nobody outside of it.",
        "from_status": "The status before.",
        "to_status": "The status from now on.",
        "title": "The title of the case.",
        "received_at": "When the regulator got the matter.",
        "priority": "LOW, NORMAL, HIGH or URGENT.",
        "description_sha256": "SHA-256 of the description's UTF-8 bytes; the text stays here.",
        "category": "What kind of matter it is, in the words of the office.",
        "subject": "The regulated party.",
        "external_reference": "What the matter is called where it came from.",
        "source": "The channel by which it came.",
        "due_at": "By when the case must be finished, from now on.",
        "from_due_at": "By when it had to be finished before.",
        "working_days": "How many working days were counted: to the due date, or of the pause.",
        "calendar": "The holidays that were counted by; empty: weekends only.",
        "time_zone": "Where the days were counted.",
        "changes": "Each changed field with its value before and after.",
        "reviewer_id": "Whom the case is assigned to.",
        "from_reviewer_id": "Whom it was assigned to before.",
        "reason": "Why, in the words of who did it.",
        "note_id": "The note.",
        "body_sha256": "SHA-256 of the note's UTF-8 bytes; the text stays here.",
        "user": "Whose access it is.",
        "permission": "What the access allows.",
        "chains": "How many cases have a trail.",
        "events": "How many events there are in all trails together.",
        "root": "The root of the Merkle tree over the heads of all trails, in hex.",
        "note": "The signed statement, whole: keep it outside of the office.",
    }
)
_MORE: Final[Mapping[str, Schema]] = MappingProxyType(
    {
        "case_id": {"pattern": "^CASE-[0-9]{6,15}$", "examples": ["CASE-000042"]},
        "description_sha256": {"pattern": "^[0-9a-f]{64}$"},
        "body_sha256": {"pattern": "^[0-9a-f]{64}$"},
        "root": {"pattern": "^[0-9a-f]{64}$"},
    }
)
# Of the envelope, what goes into the data, and what goes there only when it says something.
_ALWAYS: Final = ("case_id", "actor_id")
_SOMETIMES: Final = ("imported_by", "four_eyes_overridden")
_ENVELOPE: Final = frozenset(field.name for field in fields(CaseEvent))
_SERVICE_ENVELOPE: Final = frozenset(field.name for field in fields(ServiceEvent))

_E = TypeVar("_E", CaseEvent, ServiceEvent)


def kinds() -> dict[str, type[CaseEvent]]:
    """Return the class of each event that messages tell of, by its type, in the order of TYPES."""
    found = {kind.type: kind for kind in _below(CaseEvent)}
    return {name: found[name] for name in TYPES}


def service_kinds() -> dict[str, type[ServiceEvent]]:
    """Return the same for facts about the service, in the order of SERVICE_TYPES."""
    found = {kind.type: kind for kind in _below(ServiceEvent)}
    return {name: found[name] for name in SERVICE_TYPES}


def _below(kind: type[_E]) -> Iterator[type[_E]]:
    for one in kind.__subclasses__():
        if "type" in vars(one):
            yield one
        yield from _below(one)


def said(kind: type[CaseEvent | ServiceEvent]) -> str:
    """Return what an event says happened, for people who read Markdown."""
    return cleandoc(kind.__doc__ or "").replace("``", "`")


def data_schema(kind: type[CaseEvent]) -> Schema:
    """Return the schema of ``data`` in messages about events of this class.

    Raises:
        TypeError: the class has a field of a type that no message can hold.
        KeyError: a field has no line in ``MEANINGS``.
    """
    hints = get_type_hints(kind)
    own = [field for field in fields(kind) if field.name not in _ENVELOPE]
    names = [*_ALWAYS, *(field.name for field in own), *_SOMETIMES]
    required = [*_ALWAYS, *(field.name for field in own if field.default is MISSING)]
    return {
        "type": "object",
        "description": said(kind),
        "required": list(required),
        "properties": {name: _field(name, hints[name]) for name in names},
    }


def service_data_schema(kind: type[ServiceEvent]) -> Schema:
    """Return the schema of ``data`` in messages about facts of this class.

    Raises:
        TypeError: the class has a field of a type that no message can hold.
        KeyError: a field has no line in ``MEANINGS``.
    """
    hints = get_type_hints(kind)
    own = [field for field in fields(kind) if field.name not in _SERVICE_ENVELOPE]
    return {
        "type": "object",
        "description": said(kind),
        "required": [field.name for field in own if field.default is MISSING],
        "properties": {field.name: _field(field.name, hints[field.name]) for field in own},
    }


def withheld_schema() -> Schema:
    """Return the schema of ``data`` where the case is restricted."""
    return {
        "type": "object",
        "description": MEANINGS["restricted"],
        "required": ["case_id", "restricted"],
        "properties": {
            "case_id": _field("case_id", str),
            "restricted": {"const": True, "description": MEANINGS["restricted"]},
        },
        "additionalProperties": False,
    }


def message_schema(kind: type[CaseEvent], data: Schema, withheld: Schema) -> Schema:
    """Return the schema of a whole message: the CloudEvent with its ``data``.

    Args:
        kind: the class of the event.
        data: the schema of ``data``, or a reference to it.
        withheld: the same for restricted cases.
    """
    return _envelope(
        TYPES[kind.type],
        subject=_field("case_id", str) | {"description": "The case."},
        counts="Counts the events of the case, from 0.",
        data={"oneOf": [data, withheld]},
        traced=True,
    )


def service_message_schema(kind: type[ServiceEvent], data: Schema) -> Schema:
    """Return the schema of a whole message about the service.

    Args:
        kind: the class of the event.
        data: the schema of ``data``, or a reference to it.
    """
    return _envelope(
        SERVICE_TYPES[kind.type],
        subject={"const": kind.subject},
        counts="Counts the facts of the subject, from 1.",
        data=data,
        traced=False,
    )


def _envelope(type_: str, *, subject: Schema, counts: str, data: Schema, traced: bool) -> Schema:
    properties: Schema = {
        "specversion": {"const": "1.0"},
        "id": {
            "type": "string",
            "format": "uuid",
            "description": "The id of the event. It never changes: drop what you have seen.",
        },
        "source": {"const": SOURCE},
        "type": {"const": type_},
        "subject": subject,
        "time": {"type": "string", "format": "date-time", "description": "When it happened."},
        "datacontenttype": {"const": "application/json"},
        "sequence": {"type": "string", "pattern": "^[0-9]{10}$", "description": counts},
    }
    trace: Schema = {
        "traceparent": {
            "type": "string",
            "description": "The trace that the change belonged to (W3C Trace Context), if any.",
        },
        "tracestate": {"type": "string", "description": "Goes with `traceparent`."},
    }
    return {
        "type": "object",
        "required": [*properties, "data"],
        "properties": properties | (trace if traced else {}) | {"data": data},
    }


def _field(name: str, hint: object) -> Schema:
    return _type(name, hint) | {"description": MEANINGS[name]} | dict(_MORE.get(name, {}))


def _type(name: str, hint: object) -> Schema:
    if isinstance(hint, UnionType):  # with None: then it is left out, never sent as null
        (hint,) = (one for one in get_args(hint) if one is not NoneType)
    if get_origin(hint) is not None and issubclass(get_origin(hint) or object, Mapping):
        return {
            "type": "object",
            "additionalProperties": {
                "type": "object",
                "required": ["from", "to"],
                "properties": {"from": {"type": _ANY}, "to": {"type": _ANY}},
            },
        }
    if hint is datetime:
        return {"type": "string", "format": "date-time"}
    if hint is UUID:
        return {"type": "string", "format": "uuid"}
    if hint is bool:
        return {"type": "boolean"}
    if hint is int:
        return {"type": "integer"}
    if hint is str:
        return {"type": "string"}
    message = f"{name} is {hint}, which no schema here knows how to say."
    raise TypeError(message)


_ANY: Final[list[Json]] = ["string", "boolean", "integer", "null"]
