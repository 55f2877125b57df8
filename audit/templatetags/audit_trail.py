"""The trail of a case for any page that shows a case."""

from __future__ import annotations

from typing import Any

from django import template

from audit.selectors import trail_of
from audit.timeline import entry

register = template.Library()

# A page shows the newest; the whole trail is the API's to give.
_SHOWN = 200


@register.inclusion_tag("admin/audit/trail.html")
def audit_trail(case_id: str) -> dict[str, Any]:
    """Show the newest events of a case, oldest first; the caller has checked who may read it."""
    events = list(trail_of(case_id).order_by("-sequence")[:_SHOWN])[::-1]
    return {
        "case_id": case_id,
        "entries": [entry(event) for event in events],
        "omitted": events[0].sequence if events else 0,
    }
