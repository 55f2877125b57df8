"""Taking cases in: create, update, submit."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from typing import Any

from django.db import IntegrityError
from django.utils.timezone import now
from psycopg.errors import UniqueViolation

from cases import intake, selectors
from cases.calendar import office_calendar
from cases.errors import DuplicateCase
from cases.events import CaseSubmitted, Counted
from cases.lifecycle import CaseAction
from cases.models import Case
from cases.policies import Actor
from cases.services.steps import ExpectedVersion, open_case, ready, require, store, unit_of_work
from cases.signals import publish
from cases.storage import insert_case, next_case_ids, store_next_version

_SOURCE_REFERENCE = "cases_source_reference"


@unit_of_work
def create_case(*, fields: Mapping[str, object], actor: Actor, at: datetime | None = None) -> Case:
    """Take a case in as DRAFT, version 0.

    Raises:
        DuplicateCase: source and external reference are those of another case.
    """
    require(actor, CaseAction.CREATE)
    case = _draft(intake.clean_new(fields), actor, at or now())
    with _duplicates_refused():
        insert_case(case)
    publish(case.created(actor))
    return case


@unit_of_work
def create_cases(
    *, rows: Sequence[Mapping[str, Any]], actor: Actor, at: datetime | None = None
) -> list[Case]:
    """Take a batch of cases in, in four statements; ``rows`` come from ``intake.clean_new``.

    Raises:
        DuplicateCase: source and external reference of a row are those of another case.
    """
    require(actor, CaseAction.CREATE)
    at = at or now()
    cases = [_draft(row, actor, at) for row in rows]
    # Django does not read back a key that the database made for a batch: ask for the ids first.
    for case, case_id in zip(cases, next_case_ids(len(cases)), strict=True):
        case.id = case_id
    with _duplicates_refused():
        Case.objects.bulk_create(cases)
    publish(*(case.created(actor) for case in cases))
    return cases


def _draft(values: Mapping[str, Any], actor: Actor, at: datetime) -> Case:
    received_at = values.get("received_at") or at
    return Case(
        **{**values, "received_at": received_at},
        created_by=actor.id,
        created_at=at,
        updated_at=at,
    )


@unit_of_work
def update_case(
    *,
    case_id: str,
    fields: Mapping[str, object],
    actor: Actor,
    at: datetime | None = None,
    expected_version: ExpectedVersion = None,
) -> Case:
    """Change fields of a draft. Values that are the same change nothing and record nothing.

    Raises:
        DuplicateCase: source and external reference are those of another case.
    """
    case, _ = open_case(CaseAction.UPDATE, case_id, actor)
    values = intake.clean(fields)
    if "received_at" in values and values["received_at"] is None:
        values["received_at"] = case.created_at
    ready(case, CaseAction.UPDATE, expected_version)
    changed = {name: value for name, value in values.items() if getattr(case, name) != value}
    if not changed:
        return case
    event = case.update(fields=changed, actor=actor, at=at or now())
    with _duplicates_refused():
        store_next_version(case, intake=True)
    publish(event)
    return case


@unit_of_work
def submit_case(
    *,
    case_id: str,
    actor: Actor,
    at: datetime | None = None,
    expected_version: ExpectedVersion = None,
) -> Case:
    """Hand a draft in for review; without a due date, it gets the one of its priority."""
    case, _ = open_case(CaseAction.SUBMIT, case_id, actor)
    ready(case, CaseAction.SUBMIT, expected_version)
    return store(case, _submit(case, case.target_days, actor, at or now()))


@unit_of_work
def submit_cases(*, cases: Sequence[Case], actor: Actor, at: datetime | None = None) -> None:
    """Submit drafts that this transaction has created, as a batch of four statements."""
    require(actor, CaseAction.SUBMIT)
    at, targets = at or now(), selectors.sla_targets()
    submitted = [_submit(case, targets.get(case.priority), actor, at) for case in cases]
    store_next_version(*cases)
    publish(*submitted)


def _submit(case: Case, working_days: int | None, actor: Actor, at: datetime) -> CaseSubmitted:
    due_at, counted = None, None
    # A past that is loaded had deadlines of its own, or none.
    if case.due_at is None and working_days is not None and not actor.imported_by:
        calendar = office_calendar()
        due_at = calendar.due_after(at, working_days)
        counted = Counted(working_days, calendar.name, calendar.zone)
    event: CaseSubmitted = case.submit(actor=actor, at=at, due_at=due_at, counted=counted)
    return event


@contextmanager
def _duplicates_refused() -> Iterator[None]:
    """Tell a repeated source and external reference (DuplicateCase) from all other violations."""
    try:
        yield
    except IntegrityError as error:
        cause = error.__cause__
        if isinstance(cause, UniqueViolation) and cause.diag.constraint_name == _SOURCE_REFERENCE:
            raise DuplicateCase from error
        raise
