"""The trail of a case in words, for people: who did what, when, and what it was before."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from types import MappingProxyType
from typing import Final, NamedTuple

from django.utils.timezone import localtime

from audit.models import AuditEvent
from cases.events import Json

# What happened, by the type of the event. A type that is not here is shown as it is.
WHAT: Final[Mapping[str, str]] = MappingProxyType(
    {
        "CASE_CREATED": "created the case",
        "CASE_UPDATED": "changed the draft",
        "CASE_SUBMITTED": "submitted the case",
        "CASE_REVIEW_STARTED": "started the review",
        "CASE_REVIEWER_ASSIGNED": "assigned the case",
        "CASE_ESCALATED": "escalated the case",
        "CASE_CLOSED": "closed the case",
        "CASE_NOTE_ADDED": "added a note",
        "CASE_DUE_DATE_CHANGED": "set the due date",
        "CASE_CLOCK_PAUSED": "paused the clock",
        "CASE_CLOCK_RESUMED": "resumed the clock",
        "CASE_RESTRICTED": "restricted the case",
        "CASE_UNRESTRICTED": "lifted the restriction",
        "CASE_ACCESS_GRANTED": "granted access",
        "CASE_ACCESS_REVOKED": "revoked access",
        "CASE_OVERDUE": "marked the case overdue",
    }
)
# Details whose name says it badly, and those that say what another one was before.
_LABELS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "to_status": "Status",
        "reviewer_id": "Reviewer",
        "due_at": "Due",
        "received_at": "Received",
        "external_reference": "Reference there",
        "description_sha256": "Description, as SHA-256",
        "note_id": "Note",
        "body_sha256": "Text, as SHA-256",
    }
)
_BEFORE: Final[Mapping[str, str]] = MappingProxyType(
    {
        "to_status": "from_status",
        "reviewer_id": "from_reviewer_id",
        "due_at": "from_due_at",
    }
)
_CODES: Final = frozenset({"to_status", "from_status", "priority"})
# For who checks, not for who reads.
_PROOF: Final = frozenset({"note_id", "body_sha256", "description_sha256"})
# Told in other ways than as a value.
_TOLD: Final = frozenset({"reason", "changes", "imported_by", "four_eyes_overridden"})


class Value(NamedTuple):
    """One thing that the event says; ``old`` is None where nothing is told of a before."""

    label: str
    old: str | None
    new: str


@dataclass(frozen=True, kw_only=True)
class Entry:
    """An event, ready to be shown; every text in it may be a user's."""

    sequence: int
    event_type: str
    what: str
    actor_id: str
    occurred_at: datetime
    recorded_at: datetime
    values: list[Value]
    proof: list[Value]
    reason: str
    remarks: list[str]
    request_id: str
    hash: str


def entry(event: AuditEvent) -> Entry:
    """Put an event into words."""
    details: Mapping[str, Json] = event.details if isinstance(event.details, dict) else {}
    return Entry(
        sequence=event.sequence,
        event_type=event.event_type,
        what=WHAT.get(event.event_type, event.event_type),
        actor_id=event.actor_id,
        occurred_at=event.occurred_at,
        recorded_at=event.recorded_at,
        values=[*_values(details), *_changes(details.get("changes"))],
        proof=[
            Value(_label(name), None, shown(name, details[name]))
            for name in sorted(_PROOF.intersection(details))
        ],
        reason=str(details.get("reason") or ""),
        remarks=_remarks(details),
        request_id=event.request_id,
        hash=bytes(event.hash).hex(),
    )


def _values(details: Mapping[str, Json]) -> Iterator[Value]:
    """Yield the details in a steady order: what the case became first."""
    skipped = {*_BEFORE.values(), *_TOLD, *_PROOF}
    rest = sorted(details.keys() - _BEFORE.keys())
    for name in [*_BEFORE, *rest]:
        if name not in details or name in skipped:
            continue
        before = _BEFORE.get(name)
        old = shown(before, details[before]) if before is not None and before in details else None
        yield Value(_label(name), old, shown(name, details[name]))


def _changes(changes: Json) -> Iterator[Value]:
    if not isinstance(changes, dict):
        return
    for name, change in sorted(changes.items()):
        if isinstance(change, dict):
            old, new = change.get("from"), change.get("to")
            yield Value(_label(name), shown(name, old), shown(name, new))


def _remarks(details: Mapping[str, Json]) -> list[str]:
    remarks = []
    if imported_by := details.get("imported_by"):
        remarks.append(f"Loaded from the past by {imported_by}.")
    if details.get("four_eyes_overridden"):
        remarks.append("The four-eyes rule was set aside.")
    return remarks


def _label(name: str) -> str:
    return _LABELS.get(name) or name.replace("_", " ").capitalize()


def shown(name: str, value: Json) -> str:
    """Return a value as people read it: moments by the clock of the page, codes as words."""
    if value is None or value == "":
        return "(empty)"
    text = str(value)
    if name in _CODES:
        return text.replace("_", " ").capitalize()
    if not name.endswith("_at"):
        return text
    try:
        return f"{localtime(datetime.fromisoformat(text)):%Y-%m-%d %H:%M %Z}"
    except (ValueError, OverflowError):  # the trail holds what it was given
        return text
