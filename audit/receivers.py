"""Writes one audit row per event, in the transaction of the change."""

from __future__ import annotations

from typing import Any

from django.utils.timezone import now

from audit import chain
from audit.models import AuditEvent
from cases.events import CaseEvent
from cases.signals import request_id


def record_events(events: tuple[CaseEvent, ...], **kwargs: Any) -> None:
    """Insert the rows of a batch in one statement; the database links them into their chains."""
    del kwargs
    recorded_at, request = now(), request_id.get()
    rows = []
    for event in events:
        details = event.details()
        content = chain.canonical(
            event_id=event.id,
            case_id=event.case_id,
            sequence=event.sequence,
            actor_id=event.actor_id,
            event_type=event.type,
            occurred_at=event.occurred_at,
            recorded_at=recorded_at,
            request_id=request,
            details=details,
        )
        rows.append(
            AuditEvent(
                id=event.id,
                case_id=event.case_id,
                sequence=event.sequence,
                actor_id=event.actor_id,
                event_type=event.type,
                occurred_at=event.occurred_at,
                recorded_at=recorded_at,
                request_id=request,
                details=details,
                content_hash=chain.content_hash(content),
                previous_hash=chain.GENESIS,
                hash=chain.GENESIS,
            )
        )
    AuditEvent.objects.bulk_create(rows)
