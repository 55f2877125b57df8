"""Which events a file holds, and for whom."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, fields
from datetime import datetime

from django.db.models import Func, TextField

from audit.models import AppendOnlyQuerySet, AuditEvent
from cases import selectors
from cases.policies import Actor, sees_every_case

EXPORTED = "audit_events_exported"  # what the log calls it


class Hex(Func):
    """Bytes in lower-case hex."""

    template = "encode(%(expressions)s, 'hex')"
    output_field = TextField()


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


def chosen(actor: Actor, wanted: EventFilter) -> AppendOnlyQuerySet:
    """Return the events that are asked for, of cases that exist for the actor.

    Each case's events stand together, oldest first, so that its chain can be followed.
    """
    events = _matching(wanted)
    if not sees_every_case(actor):
        events = events.filter(case_id__in=selectors.visible_cases(actor).values("pk"))
    return events.order_by("case_id", "sequence")


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
