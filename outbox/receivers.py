"""Writes the outbox rows of each event, in the transaction of the change."""

from __future__ import annotations

from typing import Any

from cases.events import CaseEvent
from outbox.cloudevents import cloudevent
from outbox.destinations import configured
from outbox.models import OutboxEvent


def enqueue_events(events: tuple[CaseEvent, ...], **kwargs: Any) -> None:
    """Insert one row per event and destination that wants it, in one statement."""
    del kwargs
    rows = []
    for event in events:
        if not event.announced:
            continue
        takers = [name for name, destination in configured().items() if destination.wants(event)]
        payload = cloudevent(event) if takers else {}
        rows += [
            OutboxEvent(
                event_id=event.id,
                destination=name,
                case_id=event.case_id,
                sequence=event.sequence,
                event_type=event.type,
                payload=payload,
                occurred_at=event.occurred_at,
            )
            for name in takers
        ]
    if rows:
        OutboxEvent.objects.bulk_create(rows)
