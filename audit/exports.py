"""The trail as a file: one JSON object a line, in the form in which the API shows an event."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, fields
from datetime import datetime

from django.db.models import Func, TextField

from audit.models import AppendOnlyQuerySet, AuditEvent
from cases import selectors
from cases.exports import Export
from cases.policies import Actor, sees_every_case


@dataclass(frozen=True, kw_only=True)
class EventFilter:
    """Which events a file is about; what is not given does not matter.

    The period begins with ``occurred_from`` and ends before ``occurred_to``.
    """

    case_id: str | None = None
    event_types: Collection[str] = ()
    actor_id: str | None = None
    occurred_from: datetime | None = None
    occurred_to: datetime | None = None

    def names(self) -> list[str]:
        """Return what it asks about, without the values."""
        return [field.name for field in fields(self) if getattr(self, field.name)]


class _Line(Func):
    """An event as JSON; a test compares it with what the API shows."""

    template = """json_build_object(
        'id', id, 'case_id', case_id, 'sequence', sequence, 'event_type', event_type,
        'actor_id', actor_id,
        'occurred_at', to_char(occurred_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'),
        'recorded_at', to_char(recorded_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'),
        'request_id', request_id, 'details', details,
        'previous_hash', encode(previous_hash, 'hex'), 'hash', encode(hash, 'hex'))::text"""
    output_field = TextField()


def events_as_jsonl(actor: Actor, wanted: EventFilter) -> Export:
    """Return the export of the events that are asked for, of cases that exist for the actor.

    Each case's events stand together, oldest first, so that its chain can be followed.
    """
    events = _matching(wanted)
    if not sees_every_case(actor):
        events = events.filter(case_id__in=selectors.visible_cases(actor).values("pk"))
    return Export(
        event="audit_events_exported",
        rows=events.order_by("case_id", "sequence").values_list(_Line()),
        # JSON has none of these characters as such: nothing is quoted, a line is the text itself.
        options="FORMAT csv, DELIMITER E'\\x02', QUOTE E'\\x01'",
        actor=actor,
        asked=wanted.names(),
    )


def _matching(wanted: EventFilter) -> AppendOnlyQuerySet:
    events = AuditEvent.objects.all()
    if wanted.case_id is not None:
        events = events.filter(case_id=wanted.case_id)
    if wanted.event_types:
        events = events.filter(event_type__in=sorted(wanted.event_types))
    if wanted.actor_id is not None:
        events = events.filter(actor_id=wanted.actor_id)
    if wanted.occurred_from is not None:
        events = events.filter(occurred_at__gte=wanted.occurred_from)
    if wanted.occurred_to is not None:
        events = events.filter(occurred_at__lt=wanted.occurred_to)
    return events
