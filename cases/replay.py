"""What a trail says of its case: the fold of its events. Plain Python, no Django, no HTTP.

Moments are texts as ``events.rfc3339`` writes them, long texts their SHA-256 in hex: so nothing is
parsed, and texts of one form compare as the moments do.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import fields
from typing import Any, Final, NamedTuple

from cases import events
from cases.lifecycle import CONDITIONS, LIFECYCLE, CaseAction, CaseState

# The columns of a case beside its id, in the order of ``CaseReplay.row``; a test holds the list
# against the model. ``description`` stands for its SHA-256.
COLUMNS: Final = (
    "version",
    "updated_at",
    "status",
    "assigned_reviewer_id",
    "restricted",
    "submitted_by",
    "submitted_at",
    "closed_at",
    "due_at",
    "overdue_at",
    "paused_at",
    "title",
    "description",
    "received_at",
    "category",
    "subject",
    "external_reference",
    "source",
    "priority",
    "created_by",
    "created_at",
)
_NO_TEXT: Final = events.sha256_hex("")
_UPDATABLE: Final = frozenset(
    field.name
    for field in fields(events.CaseCreated)
    if field.name not in {own.name for own in fields(events.CaseEvent)} | {"to_status"}
)

Facts = Mapping[str, Any]


class TrailNote(NamedTuple):
    """A note as its event tells of it."""

    sequence: int
    id: str
    author: str
    created_at: str
    body_sha256: str


class CaseReplay:
    """A case as far as its trail has been told. Fulfils ``lifecycle.CaseState``."""

    # What holds before the first event. No status: what comes first must be the creation.
    version: int = -1
    updated_at: str = ""
    status: str = ""
    assigned_reviewer_id: str | None = None
    restricted: bool = False
    submitted_by: str | None = None
    submitted_at: str | None = None
    closed_at: str | None = None
    due_at: str | None = None
    overdue_at: str | None = None
    paused_at: str | None = None
    title: str = ""
    description: str = _NO_TEXT
    received_at: str = ""
    category: str = ""
    subject: str = ""
    external_reference: str = ""
    source: str = ""
    priority: str = ""
    created_by: str = ""
    created_at: str = ""

    def __init__(self) -> None:
        self.grants: set[tuple[str, str]] = set()
        self.notes: list[TrailNote] = []
        self.problems: list[str] = []

    def tell(self, sequence: int, event_type: str, actor_id: str, at: str, facts: Facts) -> None:
        """Take the next event.

        What the lifecycle does not allow, or what contradicts the events before, goes into
        ``problems``, a clause each, and is told all the same.
        """
        self.version, self.updated_at = sequence, at
        known = _KNOWN.get(event_type)
        if known is None:
            self.problems.append(f"there is no event of the type {event_type!r}")
            return
        if self.status not in known.sources:
            state = f"that is {self.status}" if self.status else "that was not created before"
            self.problems.append(f"{event_type} is not possible on a case {state}")
        elif known.condition is not None and not known.condition(self):
            self.problems.append(f"{event_type} does not fit the state of the case before it")
        try:
            if known.target is not None:
                self._move(facts, known.target)
            known.told(self, actor_id, at, facts)
        except (KeyError, TypeError, AttributeError, ValueError) as error:
            self.problems.append(
                f"the details are not those of a {event_type} ({type(error).__name__}: {error})"
            )

    def row(self) -> tuple[Any, ...]:
        """Return what the case's row must hold, in the order of ``COLUMNS``."""
        return (
            self.version,
            self.updated_at,
            self.status,
            self.assigned_reviewer_id,
            self.restricted,
            self.submitted_by,
            self.submitted_at,
            self.closed_at,
            self.due_at,
            self.overdue_at,
            self.paused_at,
            self.title,
            self.description,
            self.received_at,
            self.category,
            self.subject,
            self.external_reference,
            self.source,
            self.priority,
            self.created_by,
            self.created_at,
        )

    def _move(self, facts: Facts, target: str) -> None:
        if self.status and facts["from_status"] != self.status:
            self.compare("from_status", facts["from_status"], self.status)
        if facts["to_status"] != target:
            self.compare("to_status", facts["to_status"], target)
        self.status = target

    def compare(self, name: str, told: object, known: object) -> None:
        """Note it when an event tells something else of what was than the events before it."""
        if told != known:
            self.problems.append(f"its {name} is {told!r}, but it must be {known!r}")


def _created(case: CaseReplay, actor_id: str, at: str, facts: Facts) -> None:
    case.title, case.priority = facts["title"], facts["priority"]
    case.received_at, case.due_at = facts["received_at"], facts.get("due_at")
    case.description = facts.get("description_sha256", _NO_TEXT)
    case.category = facts.get("category", "")
    case.subject = facts.get("subject", "")
    case.external_reference = facts.get("external_reference", "")
    case.source = facts.get("source", "")
    case.created_by, case.created_at = actor_id, at


def _updated(case: CaseReplay, _actor_id: str, _at: str, facts: Facts) -> None:
    for name, change in facts["changes"].items():
        if name not in _UPDATABLE:
            case.problems.append(f"it changes {name!r}, which no update may")
            continue
        column = name.removesuffix("_sha256")
        case.compare(f"old {name}", change["from"], getattr(case, column))
        setattr(case, column, change["to"])
    if "due_at" in facts["changes"]:
        case.overdue_at = None


def _submitted(case: CaseReplay, actor_id: str, at: str, facts: Facts) -> None:
    case.submitted_by, case.submitted_at = actor_id, at
    if "due_at" in facts:
        case.due_at = facts["due_at"]


def _review_started(case: CaseReplay, _actor_id: str, _at: str, facts: Facts) -> None:
    case.assigned_reviewer_id = facts["reviewer_id"]


def _assigned(case: CaseReplay, _actor_id: str, _at: str, facts: Facts) -> None:
    case.compare("from_reviewer_id", facts.get("from_reviewer_id"), case.assigned_reviewer_id)
    case.assigned_reviewer_id = facts["reviewer_id"]


def _escalated(case: CaseReplay, _actor_id: str, _at: str, facts: Facts) -> None:
    """Only the status changes."""


def _closed(case: CaseReplay, _actor_id: str, at: str, _facts: Facts) -> None:
    case.closed_at = at


def _note_added(case: CaseReplay, actor_id: str, at: str, facts: Facts) -> None:
    note = TrailNote(case.version, facts["note_id"], actor_id, at, facts["body_sha256"])
    case.notes.append(note)


def _due_date_changed(case: CaseReplay, _actor_id: str, _at: str, facts: Facts) -> None:
    case.compare("from_due_at", facts.get("from_due_at"), case.due_at)
    case.due_at, case.overdue_at = facts["due_at"], None


def _clock_paused(case: CaseReplay, _actor_id: str, at: str, _facts: Facts) -> None:
    case.paused_at = at


def _clock_resumed(case: CaseReplay, _actor_id: str, _at: str, facts: Facts) -> None:
    case.paused_at = None
    if "due_at" in facts:
        case.compare("from_due_at", facts.get("from_due_at"), case.due_at)
        case.due_at, case.overdue_at = facts["due_at"], None


def _restricted(case: CaseReplay, _actor_id: str, _at: str, _facts: Facts) -> None:
    case.restricted = True


def _unrestricted(case: CaseReplay, _actor_id: str, _at: str, _facts: Facts) -> None:
    case.restricted = False


def _access_granted(case: CaseReplay, _actor_id: str, _at: str, facts: Facts) -> None:
    grant = (facts["user"], facts["permission"])
    if grant in case.grants:
        case.problems.append(f"{grant[0]!r} had {grant[1]} already")
    case.grants.add(grant)


def _access_revoked(case: CaseReplay, _actor_id: str, _at: str, facts: Facts) -> None:
    grant = (facts["user"], facts["permission"])
    if grant not in case.grants:
        case.problems.append(f"{grant[0]!r} did not have {grant[1]}")
    case.grants.discard(grant)


def _overdue(case: CaseReplay, _actor_id: str, at: str, facts: Facts) -> None:
    case.compare("due_at", facts["due_at"], case.due_at)
    if not facts["due_at"] < at:
        case.problems.append(f"its due date {facts['due_at']} had not passed")
    case.overdue_at = at


Told = Callable[[CaseReplay, str, str, Facts], None]

_TOLD: Final[Mapping[CaseAction, Told]] = {
    CaseAction.CREATE: _created,
    CaseAction.UPDATE: _updated,
    CaseAction.SUBMIT: _submitted,
    CaseAction.START_REVIEW: _review_started,
    CaseAction.ASSIGN: _assigned,
    CaseAction.ESCALATE: _escalated,
    CaseAction.CLOSE: _closed,
    CaseAction.ADD_NOTE: _note_added,
    CaseAction.SET_DUE_DATE: _due_date_changed,
    CaseAction.PAUSE: _clock_paused,
    CaseAction.RESUME: _clock_resumed,
    CaseAction.RESTRICT: _restricted,
    CaseAction.UNRESTRICT: _unrestricted,
    CaseAction.GRANT_ACCESS: _access_granted,
    CaseAction.REVOKE_ACCESS: _access_revoked,
    CaseAction.MARK_OVERDUE: _overdue,
}


class _Known(NamedTuple):
    """What the lifecycle says of an event type, in plain words that compare quickly."""

    sources: frozenset[str]
    target: str | None
    condition: Callable[[CaseState], bool] | None
    told: Told


_KNOWN: Final[Mapping[str, _Known]] = {
    step.event.type: _Known(
        # The creation has no source in the table: it needs a case that is not there yet.
        sources=frozenset(source.value for source in step.sources) or frozenset({""}),
        target=None if step.target is None else step.target.value,
        condition=CONDITIONS.get(action),
        told=_TOLD[action],
    )
    for action, step in LIFECYCLE.items()
}
