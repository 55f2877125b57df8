"""Exact schemas: what the service takes, and what it gives, to the character.

A property is known by its name, whichever object holds it: a field means the same everywhere.
"""

from __future__ import annotations

from typing import Any, Final

from cases import intake
from cases.deadlines import LONGEST
from cases.lifecycle import CaseAction
from cases.reports import AGES, DAYS, WEEKS
from cases.reviewers import SUGGESTED_MAX
from config.http.document import patterns
from config.http.document.operations import Document, operations
from config.http.pagination import LIMIT_MAX

_INT32_MAX: Final = 2_147_483_647
_LINK_MAX: Final = 10_000
# For what has no limit here: the largest number that every reader of JSON takes alike (RFC 8259).
_NO_LIMIT: Final = 2**53 - 1
_RECEIVED: Final = "When the regulator got it; the time of creation where not given."


def _line(maximum: int, description: str = "", *, required: bool = False) -> dict[str, Any]:
    return _said(
        {
            "minLength": int(required),
            "maxLength": maximum,
            "pattern": patterns.REQUIRED_LINE if required else patterns.LINE,
        },
        description,
    )


def _text(maximum: int, description: str = "", *, required: bool = False) -> dict[str, Any]:
    return _said(
        {
            "minLength": int(required),
            "maxLength": maximum,
            "pattern": patterns.REQUIRED_TEXT if required else patterns.TEXT,
        },
        description,
    )


def _exact(pattern: str, maximum: int, description: str) -> dict[str, Any]:
    return {"maxLength": maximum, "pattern": pattern, "description": description}


def _said(schema: dict[str, Any], description: str) -> dict[str, Any]:
    return schema | ({"description": description} if description else {})


def _actor(description: str) -> dict[str, Any]:
    return _line(intake.ACTOR_MAX, description, required=True)


BY_NAME: Final[dict[str, dict[str, Any]]] = {
    "title": _line(intake.TITLE_MAX, "What it is about, in one line.", required=True),
    "description": _text(intake.DESCRIPTION_MAX, "What it is about, at length."),
    "category": _line(intake.SHORT_MAX, "What kind of matter it is."),
    "subject": _line(intake.SHORT_MAX, "The regulated party."),
    "external_reference": _line(intake.SHORT_MAX, "The id it has at its source; unique there."),
    "source": _line(intake.SHORT_MAX, "The intake channel."),
    "reason": _text(intake.REASON_MAX, "Why; it becomes part of the trail.", required=True),
    "body": _text(intake.NOTE_MAX, "What is noted; never changed, never deleted.", required=True),
    "reviewer_id": _actor("Who is to review."),
    "user": _actor("The name of an account."),
    "author": _actor("Who wrote it."),
    "actor_id": _actor("Who did it."),
    "created_by": _actor("Who created the case."),
    "submitted_by": _actor("Who submitted the case; null before."),
    "assigned_reviewer_id": _actor("Whose case it is; null while it is nobody's."),
    "priority": {"description": "How urgent it is; NORMAL where not given."},
    "status": {"description": "Where it is in its lifecycle; CLOSED is final."},
    "case_id": _exact(patterns.CASE_ID, 20, "Which case."),
    "event_type": _exact(patterns.CONSTANT, 50, "What happened."),
    "previous_hash": _exact(patterns.SHA_256, 64, "Hash of the event before; SHA-256, in hex."),
    "hash": _exact(patterns.SHA_256, 64, "Hash of this event; SHA-256, in hex."),
    "next": {"maxLength": _LINK_MAX, "description": "Address of the next page; null at the end."},
    "previous": {"maxLength": _LINK_MAX, "description": "Address of the page before; or null."},
    "results": {"maxItems": LIMIT_MAX, "description": "The rows of the page."},
    "available_actions": {"maxItems": len(CaseAction), "uniqueItems": True},
    "by_reviewer": {"maxItems": _NO_LIMIT},
    "open": {"description": "How many open cases the reviewer has."},
    "version": {"description": "0 at first, and one more with every event of the trail."},
    "sequence": {"description": "The version of the case that this made."},
    "restricted": {"description": "Whether the case exists only for a few."},
    "operation": {"description": "Give the permission, or take it back."},
    "permission": {"description": "What the account may do on this one case."},
    "details": {"description": "What changed; the audit format says which names each type has."},
    "received_at": {"description": _RECEIVED},
    "created_at": {"description": "When it was made."},
    "updated_at": {"description": "When it last changed."},
    "submitted_at": {"description": "When it was submitted; null before."},
    "closed_at": {"description": "When it was closed; null before."},
    "due_at": {"description": "By when it must be closed; null without a date."},
    "overdue_at": {"description": "When it was marked overdue; null otherwise."},
    "paused_at": {"description": "Since when its clock stands still; null while it runs."},
    "occurred_at": {"description": "When it happened."},
    "recorded_at": {"description": "When the service wrote it down."},
}
# An id is another one in each kind of object; ids that are UUIDs say so by their format.
BY_COMPONENT: Final[dict[tuple[str, str], dict[str, Any]]] = {
    ("Case", "id"): _exact(patterns.CASE_ID, 20, "Stable public identity of the case."),
    ("Note", "id"): {"description": "Identity of the note: that of its event in the trail."},
    ("AuditEvent", "id"): {"description": "Identity of the event, in the trail and in messages."},
    ("AuditEvent", "request_id"): _exact(
        patterns.REQUEST_ID.replace("{1,", "{0,"),
        128,
        "The request that made it; empty where a command or an import did.",
    ),
    ("Action", "message"): {"minLength": 1, "maxLength": intake.REASON_MAX},
    ("CasesOfReviewer", "reviewer_id"): _actor("Whose cases they are."),
    ("SuggestedReviewer", "reviewer_id"): _actor("The name of the account."),
    ("SuggestedReviewer", "name"): {"maxLength": 301},
    ("CaseReports", "time_zone"): {"minLength": 1, "maxLength": 100},
    ("CaseReports", "coming_due"): {"maxItems": DAYS, "uniqueItems": True},
    ("CaseReports", "sla_kept"): {"maxItems": WEEKS, "uniqueItems": True},
    ("CaseReports", "flow"): {"maxItems": WEEKS, "uniqueItems": True},
    ("CaseReports", "open_ages"): {"maxItems": len(AGES), "uniqueItems": True},
    ("CaseReports", "workloads"): {"maxItems": _NO_LIMIT, "uniqueItems": True},
    ("CasesDueOnDay", "day"): {"maxLength": 10, "description": "A day of the office."},
    ("CasesDueOfReviewer", "reviewer_id"): _actor("Whose cases they are; null for nobody's."),
    ("CasesKeptInWeek", "week"): {"maxLength": 10},
    ("CasesInAndOut", "week"): {"maxLength": 10},
    ("WorkOfReviewer", "reviewer_id"): _actor("Whose work it is."),
    ("WorkCalendar", "holidays"): {"maxLength": 100},
    ("WorkCalendar", "time_zone"): {"minLength": 1, "maxLength": 100},
    ("DueDateExplanation", "steps"): {"maxItems": _NO_LIMIT},
    # The day on which counting began and the last one are both among them.
    ("DueDateExplanation", "days"): {"maxItems": LONGEST + 1, "uniqueItems": True},
    ("DueDateExplanation", "problems"): {
        "maxItems": _NO_LIMIT,
        "items": {"type": "string", "minLength": 1, "maxLength": intake.REASON_MAX},
    },
    ("DueDateStep", "text"): {"minLength": 1, "maxLength": intake.REASON_MAX},
    ("DueDateDay", "day"): {"maxLength": 10, "description": "Which day."},
    ("DueDateDay", "kind"): {"description": "What it is to the due date."},
    ("DueDateDay", "name"): {"maxLength": 200},
}

# How many there are in an answer that is a list and no page.
_MOST: Final = {"Action": len(CaseAction), "SuggestedReviewer": SUGGESTED_MAX}


def make_exact(document: Document) -> None:
    """Complete every schema of the document: bounds, patterns, and nothing beyond what is named."""
    schemas = document["components"]["schemas"]
    schemas["RequestId"] = {
        "type": "string",
        "minLength": 1,
        "maxLength": 128,
        "pattern": patterns.REQUEST_ID,
        "description": "Leads to the log lines of the request.",
    }
    for component, schema in schemas.items():
        if "enum" in schema:
            # The values say what the generated list would only repeat.
            schema.pop("description", None)
        if "properties" not in schema:
            continue
        schema.setdefault("additionalProperties", False)
        for name, found in schema["properties"].items():
            known = BY_COMPONENT.get((component, name)) or BY_NAME.get(name, {})
            schema["properties"][name] = completed(found, known)
    for operation in operations(document):
        for content in operation.success.get("content", {}).values():
            content["schema"] |= _bounds_of_answer(content["schema"])


def _bounds_of_answer(schema: dict[str, Any]) -> dict[str, Any]:
    """Return the bounds of an answer that is no object: actions, reviewers, or a file."""
    if schema.get("type") == "array":
        of = schema["items"]["$ref"].rpartition("/")[2]
        return {"maxItems": _MOST[of], "uniqueItems": True}
    return {"maxLength": _NO_LIMIT} if schema.get("type") == "string" else {}


def without_values(description: str) -> str:
    """Return a description without the generated list, which only repeats the values."""
    return description.partition("\n\n* `")[0]


def completed(found: dict[str, Any], known: dict[str, Any]) -> dict[str, Any]:
    """Return a property with what its name tells, and with the bounds of its type."""
    kinds = found.get("type", ())
    kinds = {kinds} if isinstance(kinds, str) else {*kinds}
    bounds: dict[str, Any] = {}
    if found.get("format") == "date-time":
        bounds = {"maxLength": 40, "pattern": patterns.MOMENT}
    elif found.get("format") == "uuid":
        bounds = {"maxLength": 36}
    elif "integer" in kinds:
        bounds = {"minimum": 0, "maximum": _INT32_MAX, "format": "int32"}
    # Beside a reference only words may stand.
    told = known if "$ref" not in found else {k: v for k, v in known.items() if k == "description"}
    if "description" in found:
        found = found | {"description": without_values(found["description"])}
    return {**bounds, **found, **told}
