"""Domain events: facts about a case, past tense, immutable. No Django, no HTTP.

An event becomes one audit row and one outbox row per destination. Its ``type`` is the name on
the wire and in the audit trail: written out, never derived, because it outlives class names.
``details()`` is the one place that turns an event into plain JSON values; from the details of
its events every field of a case can be rebuilt.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from datetime import UTC, datetime
from typing import ClassVar, NamedTuple, TypeAlias
from uuid import UUID

from uuid_utils.compat import uuid7

Json: TypeAlias = "str | int | bool | list[Json] | dict[str, Json] | None"


def rfc3339(at: datetime) -> str:
    """Write an aware time as RFC 3339 in UTC with microseconds, always of the same length."""
    # Everything from the database is in UTC; isoformat takes a third of the time of strftime.
    written = at if at.tzinfo is UTC else at.astimezone(UTC)
    return f"{written.isoformat(timespec='microseconds')[:-6]}Z"


def sha256_hex(text: str) -> str:
    """Return the SHA-256 of a text's UTF-8 bytes in lower-case hex: it stands for long texts."""
    return hashlib.sha256(text.encode()).hexdigest()


class Counted(NamedTuple):
    """How many working days were counted, and on which calendar: enough to count them again."""

    working_days: int
    calendar: str
    time_zone: str


@dataclass(frozen=True, kw_only=True)
class CaseEvent:
    """What every event tells. ``sequence`` is the version of the case that it produced."""

    type: ClassVar[str]

    id: UUID = field(default_factory=uuid7)
    case_id: str
    sequence: int
    actor_id: str
    occurred_at: datetime
    # Who loaded this fact from a past that happened elsewhere; empty for what happens here.
    imported_by: str = ""
    # An actor with the right to do so set the four-eyes rule aside; the trail must say it.
    four_eyes_overridden: bool = False
    # False keeps the event out of the outbox: loading an archive must not notify the world.
    announced: bool = True

    def details(self) -> dict[str, Json]:
        """Return the event's own facts as JSON values; what is empty is left out."""
        own: dict[str, Json] = {
            f.name: _json(value)
            for f in fields(self)
            if f.name not in _ENVELOPE and (value := getattr(self, f.name)) is not None
        }
        if self.imported_by:
            own["imported_by"] = self.imported_by
        if self.four_eyes_overridden:
            own["four_eyes_overridden"] = True
        return own


_ENVELOPE = frozenset(f.name for f in fields(CaseEvent))


@dataclass(frozen=True, kw_only=True)
class ServiceEvent:
    """A fact about the service rather than about a case: it is announced, not audited.

    ``subject`` is to it what the case is to a case event, ``sequence`` counts the facts of one
    subject from 1, without gaps.
    """

    type: ClassVar[str]
    subject: ClassVar[str]

    id: UUID = field(default_factory=uuid7)
    sequence: int
    occurred_at: datetime

    def details(self) -> dict[str, Json]:
        """Return the event's own facts as JSON values; what is empty is left out."""
        return {
            f.name: _json(value)
            for f in fields(self)
            if f.name not in _SERVICE_ENVELOPE and (value := getattr(self, f.name)) is not None
        }


_SERVICE_ENVELOPE = frozenset(f.name for f in fields(ServiceEvent))


def _json(value: object) -> Json:
    if isinstance(value, datetime):
        return rfc3339(value)
    if isinstance(value, UUID):
        return str(value)
    if isinstance(value, Mapping):
        return {str(key): _json(item) for key, item in value.items()}
    if value is None or isinstance(value, str | int):
        return value
    message = f"{type(value).__name__} has no place in an event"
    raise TypeError(message)


@dataclass(frozen=True, kw_only=True)
class StatusChanged(CaseEvent):
    """A fact that moved the case from one status to another."""

    from_status: str
    to_status: str


@dataclass(frozen=True, kw_only=True)
class CaseCreated(CaseEvent):
    """The regulator took the case in."""

    type = "CASE_CREATED"

    to_status: str
    title: str
    received_at: datetime
    priority: str
    description_sha256: str | None = None
    category: str | None = None
    subject: str | None = None
    external_reference: str | None = None
    source: str | None = None
    due_at: datetime | None = None


@dataclass(frozen=True, kw_only=True)
class CaseUpdated(CaseEvent):
    """Fields of a draft were changed: ``{field: {"from": old, "to": new}}``."""

    type = "CASE_UPDATED"

    changes: Mapping[str, Mapping[str, object]]


@dataclass(frozen=True, kw_only=True)
class CaseSubmitted(StatusChanged):
    """The draft is complete and waits for a review.

    ``due_at`` and what it was counted from are given where submitting set it.
    """

    type = "CASE_SUBMITTED"

    due_at: datetime | None = None
    working_days: int | None = None
    calendar: str | None = None
    time_zone: str | None = None


@dataclass(frozen=True, kw_only=True)
class CaseReviewStarted(StatusChanged):
    """A reviewer took the case up."""

    type = "CASE_REVIEW_STARTED"

    reviewer_id: str


@dataclass(frozen=True, kw_only=True)
class CaseReviewerAssigned(CaseEvent):
    """The case was handed to a reviewer."""

    type = "CASE_REVIEWER_ASSIGNED"

    reviewer_id: str
    from_reviewer_id: str | None = None


@dataclass(frozen=True, kw_only=True)
class CaseEscalated(StatusChanged):
    """The reviewer put the case before a higher level."""

    type = "CASE_ESCALATED"

    reason: str


@dataclass(frozen=True, kw_only=True)
class CaseClosed(StatusChanged):
    """The case is decided; its status is final."""

    type = "CASE_CLOSED"

    reason: str


@dataclass(frozen=True, kw_only=True)
class CaseNoteAdded(CaseEvent):
    """Somebody wrote on the case. The body is proven by its hash and repeated nowhere."""

    type = "CASE_NOTE_ADDED"

    note_id: UUID
    body_sha256: str


@dataclass(frozen=True, kw_only=True)
class CaseDueDateChanged(CaseEvent):
    """A supervisor set another due date; an overdue mark of the old one is lifted."""

    type = "CASE_DUE_DATE_CHANGED"

    due_at: datetime
    reason: str
    from_due_at: datetime | None = None


@dataclass(frozen=True, kw_only=True)
class CaseClockPaused(CaseEvent):
    """The time to the due date stands still."""

    type = "CASE_CLOCK_PAUSED"

    reason: str


@dataclass(frozen=True, kw_only=True)
class CaseClockResumed(CaseEvent):
    """The clock runs again; ``due_at`` is given where the pause moved it.

    How many working days the pause cost is told where the case has a due date.
    """

    type = "CASE_CLOCK_RESUMED"

    reason: str
    from_due_at: datetime | None = None
    due_at: datetime | None = None
    working_days: int | None = None
    calendar: str | None = None
    time_zone: str | None = None


@dataclass(frozen=True, kw_only=True)
class CaseRestricted(CaseEvent):
    """From now on only few may know of the case."""

    type = "CASE_RESTRICTED"

    reason: str


@dataclass(frozen=True, kw_only=True)
class CaseUnrestricted(CaseEvent):
    """Every role may read the case again."""

    type = "CASE_UNRESTRICTED"

    reason: str


@dataclass(frozen=True, kw_only=True)
class CaseAccessGranted(CaseEvent):
    """A user was given a permission on this one case."""

    type = "CASE_ACCESS_GRANTED"

    user: str
    permission: str


@dataclass(frozen=True, kw_only=True)
class CaseAccessRevoked(CaseEvent):
    """A permission on this one case was taken back from a user."""

    type = "CASE_ACCESS_REVOKED"

    user: str
    permission: str


@dataclass(frozen=True, kw_only=True)
class CaseOverdue(CaseEvent):
    """The due date passed and the case was not closed."""

    type = "CASE_OVERDUE"

    due_at: datetime
