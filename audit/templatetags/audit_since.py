"""What happened on a case since somebody looked at it."""

from __future__ import annotations

from typing import Any

from django import template

from audit.selectors import trail_of
from audit.timeline import entry

register = template.Library()

_SHOWN = 20


@register.inclusion_tag("admin/audit/since.html")
def audit_since(case_id: str, version: int) -> dict[str, Any]:
    """Show the events after a version; the caller has checked who may read them."""
    events = list(trail_of(case_id).filter(sequence__gt=version)[: _SHOWN + 1])
    return {
        "entries": [entry(event) for event in events[:_SHOWN]],
        "more": len(events) > _SHOWN,
    }
