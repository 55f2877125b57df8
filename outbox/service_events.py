"""Facts about the service rather than about a case, on their way to the same destinations."""

from __future__ import annotations

from typing import Any

from cases.events import Json, ServiceEvent, rfc3339
from outbox.cloudevents import SERVICE_TYPES, SOURCE
from outbox.destinations import configured
from outbox.models import OutboxEvent
from outbox.wakeup import announce


def service_cloudevent(event: ServiceEvent) -> dict[str, Json]:
    """Return the message that tells of an event; its subject stands where others have a case."""
    return {
        "specversion": "1.0",
        "id": str(event.id),
        "source": SOURCE,
        "type": SERVICE_TYPES[event.type],
        "subject": event.subject,
        "time": rfc3339(event.occurred_at),
        "datacontenttype": "application/json",
        "sequence": f"{event.sequence:010d}",
        "data": event.details(),
    }


def enqueue_service_event(event: ServiceEvent, **kwargs: Any) -> None:
    """Insert a row per destination that wants it; the subject stands in the column of the case.

    So it is delivered as the events of a case are: in order, and apart from all others.
    """
    del kwargs
    payload = service_cloudevent(event)
    written = OutboxEvent.objects.bulk_create(
        OutboxEvent(
            event_id=event.id,
            destination=name,
            case_id=event.subject,
            sequence=event.sequence,
            event_type=event.type,
            payload=payload,
            occurred_at=event.occurred_at,
        )
        for name, destination in configured().items()
        if destination.wants(event)
    )
    if written:
        announce()
