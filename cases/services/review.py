"""Working on cases: start the review, assign, escalate, close, add notes."""

from __future__ import annotations

from datetime import datetime

from django.utils.timezone import now
from uuid_utils.compat import uuid7

from cases import intake
from cases.lifecycle import CaseAction
from cases.models import Case, Note
from cases.policies import Actor
from cases.services.steps import ExpectedVersion, open_case, ready, store, unit_of_work
from cases.signals import publish
from cases.storage import store_next_version


@unit_of_work
def start_review(
    *,
    case_id: str,
    reviewer_id: object,
    actor: Actor,
    at: datetime | None = None,
    expected_version: ExpectedVersion = None,
) -> Case:
    """Take a submitted case up, for the reviewer named."""
    case, overridden = open_case(CaseAction.START_REVIEW, case_id, actor)
    reviewer = intake.clean_actor_id(reviewer_id, field="reviewer_id")
    ready(case, CaseAction.START_REVIEW, expected_version)
    event = case.start_review(
        reviewer_id=reviewer, actor=actor, at=at or now(), overridden=overridden
    )
    return store(case, event)


@unit_of_work
def assign_reviewer(
    *,
    case_id: str,
    reviewer_id: object,
    actor: Actor,
    at: datetime | None = None,
    expected_version: ExpectedVersion = None,
) -> Case:
    """Hand a case to a reviewer."""
    case, _ = open_case(CaseAction.ASSIGN, case_id, actor)
    reviewer = intake.clean_actor_id(reviewer_id, field="reviewer_id")
    ready(case, CaseAction.ASSIGN, expected_version)
    return store(case, case.assign(reviewer_id=reviewer, actor=actor, at=at or now()))


@unit_of_work
def escalate_case(
    *,
    case_id: str,
    reason: object,
    actor: Actor,
    at: datetime | None = None,
    expected_version: ExpectedVersion = None,
) -> Case:
    """Put a case before a higher level."""
    case, overridden = open_case(CaseAction.ESCALATE, case_id, actor)
    why = intake.clean_reason(reason)
    ready(case, CaseAction.ESCALATE, expected_version)
    event = case.escalate(reason=why, actor=actor, at=at or now(), overridden=overridden)
    return store(case, event)


@unit_of_work
def close_case(
    *,
    case_id: str,
    reason: object,
    actor: Actor,
    at: datetime | None = None,
    expected_version: ExpectedVersion = None,
) -> Case:
    """Decide a case; its status is final."""
    case, overridden = open_case(CaseAction.CLOSE, case_id, actor)
    why = intake.clean_reason(reason)
    ready(case, CaseAction.CLOSE, expected_version)
    event = case.close(reason=why, actor=actor, at=at or now(), overridden=overridden)
    return store(case, event)


@unit_of_work
def add_note(
    *,
    case_id: str,
    body: object,
    actor: Actor,
    at: datetime | None = None,
    expected_version: ExpectedVersion = None,
) -> Note:
    """Write a note on a case."""
    case, _ = open_case(CaseAction.ADD_NOTE, case_id, actor)
    clean_body = intake.clean_body(body)
    ready(case, CaseAction.ADD_NOTE, expected_version)
    at = at or now()
    note = Note(id=uuid7(), case=case, author=actor.id, body=clean_body, created_at=at)
    event = case.add_note(note_id=note.id, body=clean_body, actor=actor, at=at)
    note.sequence = event.sequence
    store_next_version(case)
    note.save(force_insert=True)
    publish(event)
    return note
