"""One event of each kind, complete, for the tests of what becomes of events."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from cases import events

AT = datetime(2026, 11, 20, 9, 30, tzinfo=UTC)
DUE = datetime(2026, 12, 1, 12, tzinfo=UTC)
EVENT_ID = UUID("019391f0-0000-7000-8000-000000000001")
NOTE_ID = UUID("019391f0-0000-7000-8000-000000000002")
ENVELOPE: dict[str, Any] = {
    "id": EVENT_ID,
    "case_id": "CASE-000042",
    "sequence": 3,
    "actor_id": "wanda",
    "occurred_at": AT,
}
COUNTED = events.Counted(working_days=7, calendar="DE-BE", time_zone="Europe/Berlin")
SECRET = "Whistleblower: Zoë, extension 4711"


def _move(start: str, end: str) -> dict[str, str]:
    return {"from_status": start, "to_status": end}


SAMPLES: dict[type[events.CaseEvent], events.CaseEvent] = {
    type(event): event
    for event in (
        events.CaseCreated(
            **ENVELOPE,
            to_status="DRAFT",
            title="Late reporting",
            received_at=AT,
            priority="HIGH",
            description_sha256=events.sha256_hex(SECRET),
            category="reporting",
            subject="ACME Ltd.",
            external_reference="2026/17",
            source="portal",
            due_at=DUE,
        ),
        events.CaseUpdated(**ENVELOPE, changes={"due_at": {"from": None, "to": DUE}}),
        events.CaseSubmitted(
            **ENVELOPE, **_move("DRAFT", "SUBMITTED"), due_at=DUE, **COUNTED._asdict()
        ),
        events.CaseReviewStarted(
            **ENVELOPE, **_move("SUBMITTED", "UNDER_REVIEW"), reviewer_id="rob"
        ),
        events.CaseReviewerAssigned(**ENVELOPE, reviewer_id="rosa", from_reviewer_id="rob"),
        events.CaseEscalated(**ENVELOPE, **_move("UNDER_REVIEW", "ESCALATED"), reason="Beyond us"),
        events.CaseClosed(**ENVELOPE, **_move("ESCALATED", "CLOSED"), reason="Resolved"),
        events.CaseNoteAdded(**ENVELOPE, note_id=NOTE_ID, body_sha256=events.sha256_hex(SECRET)),
        events.CaseDueDateChanged(**ENVELOPE, due_at=DUE, reason="Asked for", from_due_at=AT),
        events.CaseClockPaused(**ENVELOPE, reason="Waiting"),
        events.CaseClockResumed(
            **ENVELOPE, reason="Answered", from_due_at=AT, due_at=DUE, **COUNTED._asdict()
        ),
        events.CaseRestricted(**ENVELOPE, reason="Names a person"),
        events.CaseUnrestricted(**ENVELOPE, reason="Published"),
        events.CaseAccessGranted(**ENVELOPE, user="grace", permission="view_case"),
        events.CaseAccessRevoked(**ENVELOPE, user="grace", permission="view_case"),
        events.CaseOverdue(**ENVELOPE, due_at=DUE),
    )
}


def event_classes() -> set[type[events.CaseEvent]]:
    """Return every class of event that has a name on the wire."""
    found, queue = set(), [events.CaseEvent]
    while queue:
        kind = queue.pop()
        queue += kind.__subclasses__()
        if "type" in vars(kind):
            found.add(kind)
    return found
