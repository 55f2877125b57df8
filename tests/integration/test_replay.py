"""From the trail alone every column of a case can be rebuilt, and the hashes link up."""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from audit.models import AuditEvent
from audit.selectors import trail_of
from cases import services
from cases.models import Case, CaseUserPermission
from tests.cast import OTHER_REVIEWER, REVIEWER, SUPERVISOR, SYSTEM, WRITER
from tests.factories import UserFactory
from tests.unit.test_audit_chain import rfc8785

pytestmark = pytest.mark.django_db

START = datetime(2026, 3, 2, 9, tzinfo=UTC)
TEXT = "A long story"


def rebuild(events: list[AuditEvent]) -> dict[str, Any]:  # noqa: C901, PLR0912 (a branch per event)
    """Rebuild a case's columns from its events, knowing nothing but the trail's format."""
    case: dict[str, Any] = {}
    for event in events:
        facts = event.details
        match event.event_type:
            case "CASE_CREATED":
                case |= {
                    "id": event.case_id, "created_by": event.actor_id,
                    "created_at": event.occurred_at, "status": facts["to_status"],
                    "restricted": False, "assigned_reviewer_id": None, "submitted_by": None,
                    "submitted_at": None, "closed_at": None, "overdue_at": None,
                    "paused_at": None, "due_at": moment(facts.get("due_at")),
                    "title": facts["title"], "priority": facts["priority"],
                    "received_at": moment(facts["received_at"]),
                    "description": facts.get("description_sha256", sha256("")),
                }  # fmt: skip
                for name in ("category", "subject", "external_reference", "source"):
                    case[name] = facts.get(name, "")
            case "CASE_UPDATED":
                for name, change in facts["changes"].items():
                    column = name.removesuffix("_sha256")
                    assert written(case[column]) == change["from"], name
                    new = change["to"]
                    case[column] = moment(new) if column.endswith("_at") else new
                if "due_at" in facts["changes"]:
                    case["overdue_at"] = None
            case "CASE_SUBMITTED":
                case |= {"submitted_by": event.actor_id, "submitted_at": event.occurred_at}
            case "CASE_CLOSED":
                case["closed_at"] = event.occurred_at
            case "CASE_DUE_DATE_CHANGED":
                case["overdue_at"] = None
            case "CASE_CLOCK_PAUSED":
                case["paused_at"] = event.occurred_at
            case "CASE_CLOCK_RESUMED":
                case["paused_at"] = None
                if "due_at" in facts:
                    case["overdue_at"] = None
            case "CASE_RESTRICTED" | "CASE_UNRESTRICTED":
                case["restricted"] = event.event_type == "CASE_RESTRICTED"
            case "CASE_OVERDUE":
                case["overdue_at"] = event.occurred_at
                assert moment(facts["due_at"]) == case["due_at"]
        if event.sequence:
            assert facts.get("from_status", case["status"]) == case["status"]
            case["status"] = facts.get("to_status", case["status"])
            case["assigned_reviewer_id"] = facts.get("reviewer_id", case["assigned_reviewer_id"])
            if "due_at" in facts:
                case["due_at"] = moment(facts["due_at"])
        case |= {"version": event.sequence, "updated_at": event.occurred_at}
    return case


def moment(text: str | None) -> datetime | None:
    return None if text is None else datetime.fromisoformat(text)


def written(value: Any) -> Any:
    return value.strftime("%Y-%m-%dT%H:%M:%S.%fZ") if isinstance(value, datetime) else value


def sha256(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


@pytest.fixture
def long_story() -> list[Case]:
    """Play every action there is; return the case after each of them."""
    UserFactory(username="grace", password=None)
    UserFactory(username="henry", password=None)
    clock = iter(START + timedelta(hours=7 * n) for n in range(100))
    case = services.create_case(
        fields={"title": "Late", "description": TEXT, "category": "reporting", "due_at": START},
        actor=WRITER,
        at=next(clock),
    )
    changes = {
        "title": "Late reporting", "description": "", "category": "", "subject": "ACME Ltd.",
        "external_reference": "2026/17", "source": "portal", "priority": "URGENT",
        "received_at": START - timedelta(days=3), "due_at": None,
    }  # fmt: skip
    why = {"reason": "Because\nit is so"}
    steps: list[tuple[Any, Any, dict[str, Any]]] = [
        (services.update_case, WRITER, {"fields": changes}),
        (services.update_case, WRITER, {"fields": {"description": TEXT, "due_at": START}}),
        (services.mark_overdue, SYSTEM, {}),
        (services.add_note, WRITER, {"body": "Called the firm"}),
        (services.submit_case, WRITER, {}),
        (services.restrict_case, SUPERVISOR, why),
        (services.grant_access, SUPERVISOR, {"user": "grace", "permission": "view_case"}),
        (services.grant_access, SUPERVISOR, {"user": "henry", "permission": "add_note"}),
        (services.revoke_access, SUPERVISOR, {"user": "grace", "permission": "view_case"}),
        (services.set_due_date, SUPERVISOR, {"due_at": START + timedelta(days=9), **why}),
        (services.assign_reviewer, SUPERVISOR, {"reviewer_id": OTHER_REVIEWER.id}),
        (services.start_review, OTHER_REVIEWER, {"reviewer_id": OTHER_REVIEWER.id}),
        (services.assign_reviewer, OTHER_REVIEWER, {"reviewer_id": REVIEWER.id}),
        (services.pause_clock, REVIEWER, why),
        *((services.add_note, REVIEWER, {"body": f"Note {n}"}) for n in range(10)),
        (services.resume_clock, REVIEWER, why),
        (services.unrestrict_case, SUPERVISOR, why),
        (services.escalate_case, REVIEWER, why),
        (services.pause_clock, SUPERVISOR, why),
        (services.close_case, REVIEWER, why),
        (services.grant_access, SUPERVISOR, {"user": "grace", "permission": "view_case"}),
    ]
    states = [Case.objects.get(pk=case.id)]
    for service, actor, given in steps:
        service(case_id=case.id, actor=actor, at=next(clock), **given)
        states.append(Case.objects.get(pk=case.id))
    return states


def test_every_column_is_rebuilt_from_the_trail_at_every_step(long_story: list[Case]) -> None:
    events = list(trail_of(long_story[0].id))
    columns = [field.attname for field in Case._meta.concrete_fields]

    for case in long_story:
        stored = {name: getattr(case, name) for name in columns}
        stored["description"] = sha256(case.description)
        assert rebuild(events[: case.version + 1]) == stored


def test_the_story_has_every_kind_of_event_without_a_gap(long_story: list[Case]) -> None:
    events = list(trail_of(long_story[0].id))

    assert [event.sequence for event in events] == list(range(long_story[-1].version + 1))
    assert len({event.event_type for event in events}) == 16


def test_grants_and_notes_are_rebuilt_too(long_story: list[Case]) -> None:
    case, grants, notes = long_story[-1], set(), []
    for event in trail_of(case.id):
        pair = (event.details.get("user"), event.details.get("permission"))
        if event.event_type == "CASE_ACCESS_GRANTED":
            grants.add(pair)
        elif event.event_type == "CASE_ACCESS_REVOKED":
            grants.remove(pair)
        elif event.event_type == "CASE_NOTE_ADDED":
            facts = (event.details["note_id"], event.sequence, event.details["body_sha256"])
            notes.append((*facts, event.actor_id, event.occurred_at))

    rows = CaseUserPermission.objects.values_list("user__username", "permission__codename")
    assert grants == set(rows)
    assert notes == [
        (str(n.id), n.sequence, sha256(n.body), n.author, n.created_at)
        for n in case.notes.order_by("sequence")
    ]


def test_no_long_text_is_repeated_in_the_trail(long_story: list[Case]) -> None:
    trail = "".join(str(event.details) for event in trail_of(long_story[0].id))

    assert TEXT not in trail
    assert "Called the firm" not in trail


def test_the_chain_is_recomputed_from_the_stored_rows(long_story: list[Case]) -> None:
    previous = bytes(32)

    for event in trail_of(long_story[0].id):
        content = {
            "actor_id": event.actor_id, "case_id": event.case_id, "details": event.details,
            "event_id": str(event.id), "event_type": event.event_type, "format": 1,
            "occurred_at": written(event.occurred_at), "recorded_at": written(event.recorded_at),
            "request_id": event.request_id, "sequence": event.sequence,
        }  # fmt: skip
        content_hash = hashlib.sha256(rfc8785(content).encode()).digest()
        assert bytes(event.content_hash) == content_hash
        assert bytes(event.previous_hash) == previous
        previous = hashlib.sha256(previous + content_hash).digest()
        assert bytes(event.hash) == previous
