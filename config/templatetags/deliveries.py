"""Who was told of what happened on a case: the trail's events and what became of each message."""

from __future__ import annotations

from typing import Any

from django import template

from audit.selectors import trail_of
from outbox.models import OutboxEvent

register = template.Library()

# The newest events of the trail; the outbox knows messages by their events.
_SHOWN = 50


@register.inclusion_tag("admin/outbox/deliveries.html")
def case_deliveries(case_id: str) -> dict[str, Any]:
    """Show the messages on a case, newest first; the caller has checked who may read it."""
    events = list(trail_of(case_id).order_by("-sequence").values_list("id", flat=True)[:_SHOWN])
    messages = OutboxEvent.objects.filter(event_id__in=events).order_by("-sequence", "destination")
    return {
        "rows": list(
            messages.values(
                "sequence", "event_type", "destination", "attempts", "processed_at", "dead_at"
            )
        )
    }
