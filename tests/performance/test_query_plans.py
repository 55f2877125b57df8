"""Which index answers which question, by EXPLAIN on tables with statistics of some size."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from django.contrib import admin
from django.db import connection
from django.db.models import QuerySet
from django.http import HttpRequest

from audit.admin import LONGEST_LIST
from audit.models import AuditEvent
from audit.selectors import trail_of
from audit.verify.rows import CASES, EVENTS, NOTES
from cases import selectors, services
from cases.models import Case
from outbox import queue
from outbox.models import OutboxEvent
from tests.cast import AUDITOR, WRITER
from tests.factories import CaseFactory

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def many_rows() -> None:
    """Fill the tables so far that the planner has a choice, and tell it."""
    for _ in range(4):
        cases = services.create_cases(
            rows=[{"title": f"Row {n}"} for n in range(1000)], actor=WRITER
        )
    services.submit_cases(cases=cases[:50], actor=WRITER)
    OutboxEvent.objects.filter(pk__in=OutboxEvent.objects.order_by("id")[:3900]).update(
        processed_at="2026-11-20T09:00Z"
    )
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE cases, audit_events, outbox_events")


def nodes(plan: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield plan
    for inner in plan.get("Plans", ()):
        yield from nodes(inner)


def explain(sql: str, params: Any) -> list[dict[str, Any]]:
    with connection.cursor() as cursor:
        cursor.execute(f"EXPLAIN (FORMAT JSON) {sql}", params)
        answer = cursor.fetchone()[0]
    [plan] = json.loads(answer) if isinstance(answer, str) else answer
    return list(nodes(plan["Plan"]))


def of(queryset: QuerySet) -> list[dict[str, Any]]:
    return explain(*queryset.query.sql_with_params())


def indexes(plan: list[dict[str, Any]]) -> set[str]:
    return {node["Index Name"] for node in plan if "Index Name" in node}


def kinds(plan: list[dict[str, Any]]) -> set[str]:
    return {node["Node Type"] for node in plan}


def test_the_list_newest_first_reads_its_index_and_sorts_nothing() -> None:
    plan = of(selectors.visible_cases(AUDITOR).order_by("-created_at", "-id")[:51])

    assert "cases_created" in indexes(plan)
    assert not {"Sort", "Incremental Sort"} & kinds(plan)


def test_the_drainers_look_for_heads_in_the_partial_indexes() -> None:
    plan = explain(queue.FRESH, {"destination": "log", "size": 100, "depth": 10, "after": 0})

    assert "outbox_events_fresh" in indexes(plan)
    assert "Seq Scan" not in kinds(plan)


def test_a_trail_is_read_in_order_from_its_unique_index() -> None:
    case = CaseFactory(status="CLOSED")

    plan = of(trail_of(case.id)[:51])

    assert indexes(plan) == {"audit_events_sequence"}
    assert "Sort" not in kinds(plan)


def test_the_guard_finds_the_head_of_a_chain_in_the_same_index() -> None:
    case = CaseFactory()

    plan = explain(
        "SELECT sequence, hash FROM audit_events WHERE case_id = %s ORDER BY sequence DESC LIMIT 1",
        [case.id],
    )

    assert indexes(plan) == {"audit_events_sequence"}
    assert "Sort" not in kinds(plan)


@pytest.mark.parametrize(
    ("source", "index"),
    [(EVENTS, "audit_events_sequence"), (CASES, "cases_pkey")],
    ids=lambda value: getattr(value, "name", ""),
)
def test_a_range_of_cases_is_verified_in_the_order_of_an_index(source, index) -> None:
    first, last = Case.objects.order_by("id").values_list("id", flat=True)[100:151:50]

    plan = explain(source.sql("{key} >= %s AND {key} < %s"), [first, last])

    assert indexes(plan) == {index}
    assert "Sort" not in kinds(plan)


def test_the_notes_of_a_range_are_found_by_their_cases() -> None:
    first, last = Case.objects.order_by("id").values_list("id", flat=True)[100:151:50]

    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off")  # as with many notes; here are few
    plan = explain(NOTES.sql("{key} >= %s AND {key} < %s"), [first, last])

    # One index has the order within a case as well; either will do.
    [index] = indexes(plan)
    assert index.startswith("case_notes_case_")


@pytest.mark.parametrize(
    ("asked", "index"),
    [
        ("", "audit_events_pkey"),
        ("CASE-000001", "audit_events_sequence"),
        ("case-000001", "audit_events_sequence"),
        ("rosa", "audit_events_actor"),
    ],
)
def test_a_page_of_the_trail_in_the_back_office_comes_from_an_index(asked: str, index: str) -> None:
    trail = admin.site.get_model_admin(AuditEvent)
    events = AuditEvent.objects.order_by(*trail.ordering)
    found, _ = trail.get_search_results(HttpRequest(), events, asked)

    assert indexes(of(found[:50])) == {index}
    # And is counted from one as well, no further than anybody leafs.
    plan = of(found.order_by()[:LONGEST_LIST]) if asked else []
    assert indexes(plan) == ({index} if asked else set())
