"""Domain event to CloudEvents 1.0 (JSON format, structured mode). The one place that does it."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from cases.events import CaseEvent, Json, rfc3339
from cases.signals import current_trace

# Written out, never derived: consumers subscribe to these names, and the suffix is the version
# of the data that comes with them.
TYPES: Mapping[str, str] = MappingProxyType(
    {
        "CASE_CREATED": "org.regulator.case.created.v1",
        "CASE_UPDATED": "org.regulator.case.updated.v1",
        "CASE_SUBMITTED": "org.regulator.case.submitted.v1",
        "CASE_REVIEW_STARTED": "org.regulator.case.review-started.v1",
        "CASE_REVIEWER_ASSIGNED": "org.regulator.case.reviewer-assigned.v1",
        "CASE_ESCALATED": "org.regulator.case.escalated.v1",
        "CASE_CLOSED": "org.regulator.case.closed.v1",
        "CASE_NOTE_ADDED": "org.regulator.case.note-added.v1",
        "CASE_DUE_DATE_CHANGED": "org.regulator.case.due-date-changed.v1",
        "CASE_CLOCK_PAUSED": "org.regulator.case.clock-paused.v1",
        "CASE_CLOCK_RESUMED": "org.regulator.case.clock-resumed.v1",
        "CASE_RESTRICTED": "org.regulator.case.restricted.v1",
        "CASE_UNRESTRICTED": "org.regulator.case.unrestricted.v1",
        "CASE_ACCESS_GRANTED": "org.regulator.case.access-granted.v1",
        "CASE_ACCESS_REVOKED": "org.regulator.case.access-revoked.v1",
        "CASE_OVERDUE": "org.regulator.case.overdue.v1",
    }
)
# Of facts about the service rather than about a case; written out likewise.
SERVICE_TYPES: Mapping[str, str] = MappingProxyType(
    {"AUDIT_ANCHORED": "org.regulator.audit.anchored.v1"}
)
SOURCE = "/regulatory-cases"
CONTENT_TYPE = "application/cloudevents+json"


def cloudevent(event: CaseEvent) -> dict[str, Json]:
    """Return the message that tells of an event.

    ``id`` is the event's and never changes, so a consumer can drop repeats; ``sequence`` orders
    the events of one ``subject``. It is text, as the CloudEvents sequence extension asks, padded
    so that it sorts as it counts. ``traceparent`` and ``tracestate`` (distributed tracing
    extension) are there when the change belongs to a trace, so that a consumer can join it.
    """
    return {
        "specversion": "1.0",
        "id": str(event.id),
        "source": SOURCE,
        "type": TYPES[event.type],
        "subject": event.case_id,
        "time": rfc3339(event.occurred_at),
        "datacontenttype": "application/json",
        "sequence": f"{event.sequence:010d}",
        **current_trace(),
        "data": {"case_id": event.case_id, "actor_id": event.actor_id, **event.details()},
    }
