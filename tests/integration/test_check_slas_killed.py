"""check_slas that is killed, and several of it at once: each case is marked, and none twice."""

from __future__ import annotations

import signal
import subprocess
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import psycopg
import pytest
from django.db import connection

from audit.models import AuditEvent
from cases import services
from cases.models import Case
from outbox.models import OutboxEvent
from tests.cast import WRITER
from tests.integration.import_runs import assert_gapless, killed_after, start
from tests.starts import own_database

pytestmark = pytest.mark.usefixtures("committed")

PAST = datetime(2026, 1, 5, 12, tzinfo=UTC)
CASES = 1_200


@pytest.fixture(autouse=True)
def _overdue(committed: None) -> None:
    rows = [
        {"title": f"Late {n}", "due_at": PAST + timedelta(minutes=n), "source": "Register"}
        for n in range(CASES)
    ]
    services.create_cases(rows=rows, actor=WRITER)


def marked() -> int:
    return Case.objects.exclude(overdue_at=None).count()


def wait_for(condition: Callable[[], object]) -> None:
    deadline = time.monotonic() + 60
    while not condition() and time.monotonic() < deadline:
        time.sleep(0.02)


def waits() -> bool:
    """Tell whether somebody waits for the trail."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT FROM pg_locks WHERE NOT granted AND relation = 'audit_events'::regclass"
        )
        return cursor.rowcount > 0


def assert_each_marked_once() -> None:
    """Each case bears its mark, told once to the trail and once to the destination."""
    assert set(Case.objects.values_list("version", flat=True)) == {1}
    assert marked() == CASES
    for told in (AuditEvent, OutboxEvent):
        assert told.objects.filter(event_type="CASE_OVERDUE").count() == CASES
    assert_gapless()


def test_killed_in_the_middle_it_leaves_whole_batches_and_the_next_run_marks_the_rest() -> None:
    with killed_after(start("check_slas", "--batch-size", "10")):
        wait_for(marked)
    found = marked()
    assert 0 < found < CASES
    assert found % 10 == 0
    assert_gapless()

    assert start("check_slas").wait(60) == 0

    assert_each_marked_once()


def test_three_at_once_of_which_one_is_killed_mark_each_case_once() -> None:
    others = [start("check_slas", "--batch-size", "50") for _ in range(2)]
    with killed_after(start("check_slas", "--batch-size", "50")):
        wait_for(marked)

    assert [other.wait(60) for other in others] == [0, 0]
    # What the killed one held was locked until the database noticed: the others passed it by.
    assert start("check_slas").wait(60) == 0
    assert_each_marked_once()


def test_the_second_signal_ends_it_at_once_and_nothing_is_half_done() -> None:
    """Somebody holds the trail, so the batch in hand cannot be finished."""
    with psycopg.connect(own_database()) as holder:
        holder.execute("LOCK TABLE audit_events IN EXCLUSIVE MODE")
        process = start("check_slas")
        try:
            wait_for(waits)
            process.send_signal(signal.SIGTERM)
            with pytest.raises(subprocess.TimeoutExpired):
                process.wait(timeout=0.5)
            process.send_signal(signal.SIGTERM)
            assert process.wait(timeout=10) == 128 + signal.SIGTERM
        finally:
            process.kill()
            process.wait()
    assert marked() == 0
