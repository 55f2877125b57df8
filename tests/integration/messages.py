"""Messages as the relay hands them to a destination, without a database."""

from __future__ import annotations

from typing import Any

import orjson

from cases import events
from outbox.cloudevents import cloudevent
from outbox.destinations.base import Message
from tests.unit.samples import ENVELOPE

FACTS = {name: ENVELOPE[name] for name in ("actor_id", "occurred_at")}


def message_of(event: events.CaseEvent, *, attempt: int = 1) -> Message:
    """Return the message about an event."""
    values: dict[str, Any] = cloudevent(event)
    return Message(
        id=values["id"],
        type=values["type"],
        subject=values["subject"],
        sequence=event.sequence,
        body=orjson.dumps(values).decode(),
        attempt=attempt,
    )


def restricted(case: int = 1, sequence: int = 0, *, reason: str = "Names a person") -> Message:
    """Return a message about one case, of which there may be several."""
    return message_of(
        events.CaseRestricted(**FACTS, case_id=f"CASE-{case:06d}", sequence=sequence, reason=reason)
    )
