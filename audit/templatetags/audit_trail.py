"""The trail of a case for any page that shows a case."""

from __future__ import annotations

from typing import Any

from django import template

from audit.selectors import trail_of
from cases.events import Json

register = template.Library()

# A page shows the newest; the whole trail is the API's to give.
_SHOWN = 200


@register.inclusion_tag("admin/audit/trail.html")
def audit_trail(case_id: str) -> dict[str, Any]:
    """Show the newest events of a case, oldest first; the caller has checked who may read it."""
    events = list(trail_of(case_id).order_by("-sequence")[:_SHOWN])[::-1]
    return {
        "rows": [(event, readable(event.details)) for event in events],
        "omitted": events[0].sequence if events else 0,
    }


def readable(details: dict[str, Json]) -> list[tuple[str, str]]:
    """Return details as names and texts in a steady order; a change reads ``old → new``."""
    found = []
    for name, value in sorted(details.items()):
        if name == "changes" and isinstance(value, dict):
            found += [
                (field, f"{change['from'] or '(empty)'} → {change['to'] or '(empty)'}")
                for field, change in sorted(value.items())
                if isinstance(change, dict)
            ]
        else:
            found.append((name, str(value)))
    return found
