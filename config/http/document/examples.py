"""Examples of requests and answers: one matter, carried from intake to closure.

The cases in them are as the lifecycle and the policies would have them; a test checks each example
against its schema.
"""

from __future__ import annotations

import csv
import io
import json
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any, Final

from audit.api.due_dates import written
from audit.exports.table import EVENT_COLUMNS
from audit.exports.xes import Xes
from cases.api.reports import written as report_written
from cases.api.serializers import ActionSerializer
from cases.calendar import WorkCalendar
from cases.deadlines import Fact, explain
from cases.events import rfc3339
from cases.lifecycle import LIFECYCLE, CaseAction, CaseStatus, Priority
from cases.policies import DEFAULT_ROLES, Actor, available_actions, explained_actions
from cases.reports import AgeBand, DueDay, FlowWeek, Kept, KeptWeek, Overview, Workload
from config.http.document.operations import Document, Operation

_MONDAY: Final = datetime(2026, 11, 23, 9, 30, tzinfo=UTC)
_TUESDAY: Final = datetime(2026, 11, 24, 14, 5, tzinfo=UTC)
_DUE: Final = datetime(2026, 12, 18, 15, 0, tzinfo=UTC)
_NOTE_ID: Final = "01a205b1-d253-7237-ad4e-e2900d3e7d4e"
_REQUEST_ID: Final = "01a20592-4845-779d-8628-30ce7623b9cc"

REQUESTS: Final[dict[CaseAction, dict[str, Any]]] = {
    CaseAction.CREATE: {
        "title": "Late reporting",
        "description": "The report of 2025 is missing.",
        "received_at": "2026-11-20T16:00:00+01:00",
        "category": "reporting",
        "subject": "Example Insurance plc",
        "external_reference": "2026/17",
        "source": "portal",
        "priority": "HIGH",
    },
    CaseAction.UPDATE: {"title": "Late annual report", "due_at": None},
    CaseAction.SUBMIT: {},
    CaseAction.START_REVIEW: {"reviewer_id": "reviewer-1"},
    CaseAction.ASSIGN: {"reviewer_id": "reviewer-2"},
    CaseAction.ESCALATE: {"reason": "Beyond our remit"},
    CaseAction.CLOSE: {"reason": "Reports received in full"},
    CaseAction.ADD_NOTE: {"body": "Called the firm."},
    CaseAction.SET_DUE_DATE: {
        "due_at": "2026-12-18T16:00:00+01:00",
        "reason": "Agreed with the firm",
    },
    CaseAction.PAUSE: {"reason": "Waiting for the firm"},
    CaseAction.RESUME: {"reason": "The firm answered"},
    CaseAction.RESTRICT: {"reason": "Names a whistleblower"},
    CaseAction.UNRESTRICT: {"reason": "Published by now"},
    CaseAction.GRANT_ACCESS: {
        "operation": "grant",
        "user": "guest-1",
        "permission": "view_case",
    },
    CaseAction.REVOKE_ACCESS: {
        "operation": "revoke",
        "user": "guest-1",
        "permission": "view_case",
    },
}


def _situation(action: CaseAction | None) -> tuple[Actor, SimpleNamespace]:
    """Return who reads the case after the action, and what the policies ask about it."""
    step = LIFECYCLE[action or CaseAction.CREATE]
    # An action that starts from several statuses is shown where most of them are possible.
    shown = CaseStatus.UNDER_REVIEW if CaseStatus.UNDER_REVIEW in step.sources else None
    status = step.target or shown or step.sources[0]
    handed_in = status is not CaseStatus.DRAFT
    taken_up = handed_in and status is not CaseStatus.SUBMITTED
    reviewer = "reviewer-2" if action is CaseAction.ASSIGN else "reviewer-1" if taken_up else None
    state = SimpleNamespace(
        status=status,
        restricted=action is CaseAction.RESTRICT,
        paused_at=_TUESDAY if action is CaseAction.PAUSE else None,
        overdue_at=None,
        due_at=_DUE if action is CaseAction.SET_DUE_DATE else None,
        created_by="writer-1",
        submitted_by="writer-1" if handed_in else None,
        assigned_reviewer_id=reviewer,
    )
    role = "reviewer" if handed_in else "case_writer"
    reader = Actor(id="reviewer-1" if handed_in else "writer-1", permissions=DEFAULT_ROLES[role])
    return reader, state


def _case(action: CaseAction | None) -> dict[str, Any]:
    """Return the case as the action leaves it; as a draft, where nothing happened to it."""
    reader, state = _situation(action)
    status, reviewer = state.status, state.assigned_reviewer_id
    handed_in, taken_up = state.submitted_by is not None, reviewer is not None
    version = 0 if action in (None, CaseAction.CREATE) else 1 + 2 * handed_in + taken_up
    closed = status is CaseStatus.CLOSED
    fields = REQUESTS[CaseAction.CREATE]
    return {
        "id": "CASE-000001",
        "title": fields["title"],
        "status": str(status),
        "assigned_reviewer_id": reviewer,
        "version": version,
        "description": fields["description"],
        "received_at": "2026-11-20T15:00:00.000000Z",
        "category": fields["category"],
        "subject": fields["subject"],
        "external_reference": fields["external_reference"],
        "source": fields["source"],
        "priority": str(Priority.HIGH),
        "restricted": state.restricted,
        "created_by": state.created_by,
        "submitted_by": state.submitted_by,
        "created_at": rfc3339(_MONDAY),
        "updated_at": rfc3339(_TUESDAY if version else _MONDAY),
        "submitted_at": rfc3339(_MONDAY) if handed_in else None,
        "closed_at": rfc3339(_TUESDAY) if closed else None,
        "due_at": rfc3339(state.due_at) if state.due_at else None,
        "overdue_at": None,
        "paused_at": rfc3339(state.paused_at) if state.paused_at else None,
        "available_actions": [str(a) for a in available_actions(reader, state, four_eyes=True)],
    }


_NOTE: Final = {
    "id": _NOTE_ID,
    "sequence": 2,
    "author": "reviewer-1",
    "body": "Called the firm.",
    "created_at": rfc3339(_TUESDAY),
}
_EVENT: Final[dict[str, Any]] = {
    "id": "01a20592-4898-776f-9f1c-579c616d7596",
    "case_id": "CASE-000001",
    "sequence": 1,
    "event_type": LIFECYCLE[CaseAction.SUBMIT].event.type,
    "actor_id": "writer-1",
    "occurred_at": rfc3339(_MONDAY),
    "recorded_at": rfc3339(_MONDAY),
    "request_id": _REQUEST_ID,
    "details": {"from_status": "DRAFT", "to_status": "SUBMITTED"},
    "previous_hash": "0" * 64,
    "hash": "fac563f006b69893c54bb610a53c94cc33ff9e1ae7e3a1f9af1b8c1b1f6a51d0",
}
_BY_STATUS: Final = dict(zip(map(str, CaseStatus), (2, 1, 3, 1, 4), strict=True))
_SUMMARY: Final = {
    "total": sum(_BY_STATUS.values()),
    "by_status": _BY_STATUS,
    "overdue": 1,
    "unassigned": 1,
    "by_reviewer": [
        {"reviewer_id": "reviewer-1", "open": 3},
        {"reviewer_id": "reviewer-2", "open": 1},
    ],
}


def _reports() -> dict[str, Any]:
    """Return what a small office has to report on the Tuesday, each list shortened to its end."""
    calendar = WorkCalendar("", "UTC")
    today = calendar.day_of(_TUESDAY)
    week = calendar.weeks(_TUESDAY, 1)[0]
    kept = dict.fromkeys(Priority, Kept()) | {Priority.HIGH: Kept(kept=3, missed=1)}
    _, end = calendar.bounds(today)
    _, a_year_ago = calendar.bounds(today - timedelta(days=365))
    return report_written(
        Overview(
            at=_TUESDAY,
            coming_due=[DueDay(today, _TUESDAY, end, {"reviewer-1": 1, None: 1})],
            sla_kept=[KeptWeek(week, *calendar.week_bounds(week), kept)],
            flow=[FlowWeek(week, *calendar.week_bounds(week), created=5, closed=4)],
            open_ages=[AgeBand(365, None, a_year_ago, cases=7)],
            workloads=[Workload("reviewer-1", open=3, overdue=1)],
        ),
        time_zone="UTC",
    )


def _actions() -> list[dict[str, Any]]:
    """Return what each action is to the reviewer of the case."""
    reader, state = _situation(CaseAction.START_REVIEW)
    explained = explained_actions(reader, state, four_eyes=True)
    return [ActionSerializer().to_representation(item) for item in explained.items()]


def _explanation() -> dict[str, Any]:
    """Return why a case that was submitted on the Monday is due when it is."""
    calendar = WorkCalendar("DE-BE", "Europe/Berlin")
    due_at = calendar.due_after(_MONDAY, 10)
    counted = {
        "working_days": 10,
        "calendar": calendar.name,
        "time_zone": calendar.zone,
        "due_at": rfc3339(due_at),
    }
    submitted = Fact(1, LIFECYCLE[CaseAction.SUBMIT].event.type, _MONDAY, counted)
    return written(explain([submitted]), due_at)


def _cases_as_csv() -> str:
    """Return a file of one case; its columns are the fields of a case but the last."""
    case = {name: value for name, value in _case(None).items() if name != "available_actions"}
    words = {None: "", False: "false", True: "true"}
    written = io.StringIO()
    lines = csv.writer(written)
    lines.writerow(case)
    lines.writerow(
        words[value] if value is None or isinstance(value, bool) else value
        for value in case.values()
    )
    return "\ufeff" + written.getvalue()


def _events_as_csv() -> str:
    """Return a file of one event."""
    details = _EVENT["details"]
    event = _EVENT | details | {"reason": "", "details": json.dumps(details)}
    written = io.StringIO()
    lines = csv.writer(written)
    lines.writerow(EVENT_COLUMNS)
    lines.writerow(event[name] for name in EVENT_COLUMNS)
    return "\ufeff" + written.getvalue()


def _event_as_xes() -> str:
    """Return a file of one event."""
    form, event = Xes(), _EVENT
    case = {"status": "SUBMITTED", "priority": "NORMAL"}
    row = [
        case, event["id"], event["case_id"], event["sequence"], event["event_type"],
        event["actor_id"], event["occurred_at"], event["details"],
    ]  # fmt: skip
    copied = b"\x02".join(json.dumps(value).encode() for value in row) + b"\n"
    return (form.head() + form.row(copied) + form.tail()).decode()


_ROWS: Final[dict[str, Any]] = {"Case": _case(None), "Note": _NOTE, "AuditEvent": _EVENT}
_OTHERS: Final[dict[str, Any]] = {
    "Action": _actions(),
    "CaseSummary": _SUMMARY,
    "CaseReports": _reports(),
    "DueDateExplanation": _explanation(),
    "SuggestedReviewer": [
        {"reviewer_id": "reviewer-2", "name": "Rosa Reviewer", "open": 1},
        {"reviewer_id": "reviewer-1", "name": "", "open": 3},
    ],
}
# By the end of the address.
_FILES: Final = {
    "/cases/export.csv": _cases_as_csv(),
    "/audit-events/export.csv": _events_as_csv(),
    "/audit-events/export.jsonl": json.dumps(_EVENT) + "\n",
    "/audit-events/export.xes": _event_as_xes(),
}


def _answer(operation: Operation, schema: str) -> Any:
    if schema == "Case":
        return _case(operation.actions[0] if operation.actions else None)
    row = schema.removeprefix("Paginated").removesuffix("List")
    if row != schema and row in _ROWS:
        return {"next": None, "previous": None, "results": [_ROWS[row]]}
    return (_ROWS | _OTHERS).get(schema)


def add_examples(document: Document, operation: Operation) -> None:
    """Show a request of each action that an operation carries out, and its answer."""
    del document
    if body := operation.said.get("requestBody"):
        for content in body["content"].values():
            content["examples"] = {
                str(action): {"summary": str(action), "value": REQUESTS[action]}
                for action in operation.actions
            }
    file = next((text for end, text in _FILES.items() if operation.path.endswith(end)), None)
    for content in operation.success.get("content", {}).values():
        schema = content["schema"].get("items", content["schema"])
        name = str(schema.get("$ref", "")).rpartition("/")[2]
        answer = file or _answer(operation, name)
        if "examples" not in content and answer is not None:
            content["example"] = answer
