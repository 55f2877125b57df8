"""With a long history of delivered events, nothing that runs often reads it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from django.db import connection, transaction
from django.db.models import QuerySet

from outbox import backlog, queue
from outbox.models import OutboxEvent
from outbox.services import IN_STATE, State
from tests.performance.outbox_rows import FILL

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("history")]
PARTIAL = ("fresh", "retries", "waiting", "dead")


@pytest.fixture(scope="module")
def history(django_db_setup: None, django_db_blocker: Any) -> Iterator[None]:
    """Deliver 20,000 and leave 500 pending; of these some wait and some are dead.

    Once, in a transaction that all tests here share and that is undone.
    """
    with django_db_blocker.unblock():
        with transaction.atomic():
            _fill()
            yield
            transaction.set_rollback(True)
        connection.close()


def _fill() -> None:
    common = {"destination": "log", "per_case": 4}
    with connection.cursor() as cursor:
        cursor.execute(FILL, {**common, "first": 1, "events": 20_000, "delivered": True})
        cursor.execute(FILL, {**common, "first": 500_000, "events": 500, "delivered": False})
        cursor.execute(
            "UPDATE outbox_events SET attempts = 3, next_attempt_at = now() - interval '1 minute',"
            " dead_at = CASE WHEN id % 8 < 4 THEN now() END"
            " WHERE processed_at IS NULL AND sequence = 0"  # every fourth, whatever its number
        )
        cursor.execute("ANALYZE outbox_events")


def nodes(plan: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield plan
    for inner in plan.get("Plans", ()):
        yield from nodes(inner)


def explain(sql: str, params: Any) -> list[dict[str, Any]]:
    with connection.cursor() as cursor:
        cursor.execute(f"EXPLAIN (ANALYZE, TIMING OFF, FORMAT JSON) {sql}", params)
        answer = cursor.fetchone()[0]
    [plan] = json.loads(answer) if isinstance(answer, str) else answer
    return [node for node in nodes(plan["Plan"]) if "outbox_events" in str(node)]


def indexes(plan: list[dict[str, Any]]) -> set[str]:
    return {node["Index Name"] for node in plan if "Index Name" in node}


def rows_read(plan: list[dict[str, Any]]) -> float:
    """Return how many rows scans have touched, those that were thrown away included."""
    return sum(
        (node["Actual Rows"] + node.get("Rows Removed by Filter", 0)) * node["Actual Loops"]
        for node in plan
        if "Scan" in node["Node Type"] and "CTE" not in node["Node Type"]
    )


def kinds(plan: list[dict[str, Any]]) -> set[str]:
    return {node["Node Type"] for node in plan}


@pytest.mark.parametrize(
    ("statement", "index"),
    [
        pytest.param(queue.FRESH, "outbox_events_fresh", id="fresh"),
        pytest.param(queue.RETRIES, "outbox_events_retries", id="retries"),
    ],
)
def test_a_claim_reads_only_what_is_not_dealt_with(statement, index) -> None:
    plan = explain(statement, {"destination": "log", "size": 50, "depth": 10, "after": 0})

    assert index in indexes(plan)
    assert indexes(plan) <= {index, "outbox_events_order", "outbox_events_pkey"}
    assert "Seq Scan" not in kinds(plan)
    assert rows_read(plan) < 1_500


def test_the_figures_are_counted_in_partial_indexes() -> None:
    plan = explain(backlog.FIGURES, [["log"]])

    assert indexes(plan) <= {f"outbox_events_{which}" for which in PARTIAL}
    assert "Seq Scan" not in kinds(plan)
    assert rows_read(plan) < 1_500


def test_the_destinations_are_found_by_jumping_along_an_index() -> None:
    plan = explain(backlog.DESTINATIONS, [])

    assert "Seq Scan" not in kinds(plan)
    assert rows_read(plan) < 10


def page(queryset: QuerySet[OutboxEvent]) -> list[dict[str, Any]]:
    return explain(*queryset.order_by("-id")[:50].query.sql_with_params())


@pytest.mark.parametrize(
    "state", [State.PENDING, State.WAITING, State.DEAD, State.DISCARDED, State.DELIVERED]
)
def test_a_page_of_the_admin_reads_no_history_to_find_what_is_in_a_state(state) -> None:
    plan = page(OutboxEvent.objects.filter(IN_STATE[state]))

    assert "Seq Scan" not in kinds(plan)
    assert rows_read(plan) < 1_500


@pytest.fixture
def outage(history: None) -> Iterator[None]:
    """Let 5,000 wait their turn behind a few that failed: the counts say nothing of how many."""
    with transaction.atomic():
        with connection.cursor() as cursor:
            more = {"first": 900_000, "events": 5_000, "delivered": False}
            cursor.execute(FILL, {"destination": "log", "per_case": 4, **more})
            cursor.execute(
                "UPDATE outbox_events SET attempts = 0"
                " WHERE processed_at IS NULL AND dead_at IS NULL AND id % 64 <> 0"
            )
            cursor.execute("ANALYZE outbox_events")
        yield
        transaction.set_rollback(True)


@pytest.mark.usefixtures("outage")
def test_a_page_of_few_that_wait_reads_neither_history_nor_all_that_is_pending() -> None:
    plan = page(OutboxEvent.objects.filter(IN_STATE[State.WAITING]))

    assert rows_read(plan) < 1_000
