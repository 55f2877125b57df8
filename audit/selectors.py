"""The reads of the trail. Which case may be read is decided by ``cases.selectors``."""

from __future__ import annotations

from audit.models import AppendOnlyQuerySet, AuditEvent


def trail_of(case_id: str) -> AppendOnlyQuerySet:
    """Return the events of one case, oldest first; check first that the reader may see it."""
    return AuditEvent.objects.filter(case_id=case_id).order_by("sequence")
