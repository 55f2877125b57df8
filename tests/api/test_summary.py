"""The numbers of the summary: each is the length of a list."""

from __future__ import annotations

import itertools
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from cases import services
from tests.api import expect
from tests.cast import (
    ADMIN,
    AUDITOR,
    NOBODY,
    OTHER_REVIEWER,
    REVIEWER,
    SUPERVISOR,
    SYSTEM,
    WRITER,
)
from tests.factories import CaseFactory, UserFactory

pytestmark = pytest.mark.django_db

STATUSES = ("DRAFT", "SUBMITTED", "UNDER_REVIEW", "ESCALATED", "CLOSED")
OPEN = "&".join(f"status={status}" for status in STATUSES[:4])
PAST, FUTURE = "2026-01-31T09:00:00Z", "2199-01-01T09:00:00Z"
PEOPLE = [WRITER, REVIEWER, OTHER_REVIEWER, SUPERVISOR, AUDITOR, ADMIN, NOBODY]


@pytest.fixture
def office() -> None:
    """Make cases that count here and not there, open and restricted, granted and not."""
    for name in ("norman", "rosa", "rob"):
        UserFactory(username=name, password=None)
    made = [
        CaseFactory(
            status=status,
            due_at=due_at,
            restricted=restricted,
            paused=status == "ESCALATED" and due_at == PAST,
            reviewer=REVIEWER if due_at else OTHER_REVIEWER,
        )
        for status, due_at, restricted in itertools.product(
            STATUSES, (None, PAST, FUTURE), (False, True)
        )
    ]
    assigned = CaseFactory(status="SUBMITTED")
    services.assign_reviewer(case_id=assigned.id, reviewer_id="rob", actor=SUPERVISOR)
    marked = CaseFactory(status="UNDER_REVIEW", due_at=PAST)
    services.mark_overdue(case_id=marked.id, actor=SYSTEM)
    for case, name in itertools.product(made[::5], ("norman", "rosa", "rob")):
        services.grant_access(case_id=case.id, user=name, permission="view_case", actor=SUPERVISOR)


def length(client: Any, query: str) -> int:
    answer = client.get(f"/cases?limit=200&{query}")
    assert answer.status_code == 200, answer.content
    return len(answer.json()["results"])


@pytest.mark.parametrize("actor", PEOPLE, ids=lambda actor: actor.id)
def test_every_number_is_the_length_of_a_list_that_the_reader_has(as_actor, office, actor) -> None:
    client = as_actor(actor)

    summary = client.get("/cases/summary").json()

    assert summary == {
        "total": length(client, ""),
        "by_status": {status: length(client, f"status={status}") for status in STATUSES},
        "overdue": length(client, "overdue=true"),
        "unassigned": length(client, "status=SUBMITTED&assigned_reviewer_id=none"),
        "by_reviewer": [
            {"reviewer_id": name, "open": number}
            for name in ("rob", "rosa")
            if (number := length(client, f"{OPEN}&assigned_reviewer_id={name}"))
        ],
    }
    assert summary["total"] > 0


def test_who_sees_more_counts_more(as_actor, office) -> None:
    def total(actor: Any) -> int:
        return as_actor(actor).get("/cases/summary").json()["total"]

    assert total(NOBODY) < total(WRITER) < total(OTHER_REVIEWER) < total(AUDITOR) == 32


def test_an_office_without_cases_counts_none(as_actor) -> None:
    answer = as_actor(WRITER).get("/v1/cases/summary")

    assert answer.json() == {
        "total": 0,
        "by_status": dict.fromkeys(STATUSES, 0),
        "overdue": 0,
        "unassigned": 0,
        "by_reviewer": [],
    }


def test_it_is_counted_in_one_statement(as_actor, office) -> None:
    with CaptureQueriesContext(connection) as captured:
        as_actor(REVIEWER).get("/cases/summary")

    assert len([q for q in captured.captured_queries if '"cases"' in q["sql"]]) == 1


@pytest.mark.parametrize("query", ["status=DRAFT", "limit=5", "cursor=x", "colour=red"])
def test_it_takes_no_parameters(as_actor, query) -> None:
    answer = as_actor(WRITER).get(f"/cases/summary?{query}")

    expect.refusal(answer, 422, "validation_error", {query.split("=")[0]})


def test_who_is_nobody_is_told_no_numbers(stranger) -> None:
    expect.refusal(stranger.get("/cases/summary"), 401, "not_authenticated", set())
