"""Delivery: each event once in the normal case, in order per case, never lost."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from functools import partial

import pytest
from django.db import connection
from django.db.models.functions import Now

from cases import services
from outbox.destinations.base import Destination, Message, Outcome
from outbox.models import OutboxEvent
from outbox.queue import due
from outbox.relay import drain_batch
from tests.cast import REVIEWER, WRITER
from tests.destinations import Broken, Recorder
from tests.factories import CaseFactory

pytestmark = pytest.mark.usefixtures("committed")


def case_with(events: int) -> str:
    case = CaseFactory()
    for n in range(events - 1):
        services.add_note(case_id=case.id, body=f"Note {n}", actor=WRITER)
    return case.id


def drain(destination: Destination, *, size: int = 7) -> tuple[int, int]:
    """Deliver until nothing is due; returns how many were delivered and how many failed."""
    delivered = failed = 0
    while True:
        batches = [
            drain_batch(destination, size=size, retries=retries) for retries in (False, True)
        ]
        if not any(batch.size for batch in batches):
            return delivered, failed
        delivered += sum(batch.delivered for batch in batches)
        failed += sum(batch.failed for batch in batches)


def due_now() -> None:
    """Let the time of waiting pass."""
    OutboxEvent.objects.filter(processed_at=None).update(next_attempt_at=Now())


@pytest.mark.parametrize("drainers", [2, 4])
def test_drainers_side_by_side_deliver_each_event_once_and_in_order(at_once, drainers) -> None:
    ids = [case_with(5) for _ in range(40)]
    recorder = Recorder(slow=0.005)

    totals = at_once(*[partial(drain, recorder)] * drainers)

    assert sum(delivered for delivered, _ in totals) == 200
    assert recorder.by_case() == {case_id: [0, 1, 2, 3, 4] for case_id in ids}
    assert due("log") == 0
    assert set(OutboxEvent.objects.values_list("attempts", flat=True)) == {1}


def test_events_that_come_while_drainers_run_are_delivered_in_order(at_once) -> None:
    recorder, done = Recorder(), threading.Event()
    ids = [case_with(1) for _ in range(4)]

    def write() -> None:
        for n in range(10):
            for case_id in ids:
                services.add_note(case_id=case_id, body=f"Note {n}", actor=WRITER)
        done.set()

    def follow() -> None:
        while not done.is_set() or due("log"):
            drain_batch(recorder, size=3)

    outcomes = at_once(write, follow, follow)

    assert outcomes == [None, None, None]
    assert recorder.by_case() == {case_id: list(range(11)) for case_id in ids}


def test_a_drainer_that_is_killed_leaves_its_events_to_the_next() -> None:
    case_id = case_with(3)

    class Killed(Recorder):
        def deliver(self, messages: Sequence[Message]) -> list[Outcome]:
            answers = super().deliver(messages)
            connection.connection.close()  # the process dies with its locks and marks
            return answers

    killed, next_one = Killed(), Recorder()
    with pytest.raises(Exception, match="clos"):
        drain_batch(killed, size=10)
    connection.close()

    assert killed.by_case() == {case_id: [0, 1, 2]}
    assert due("log") == 3
    drain(next_one)
    assert next_one.by_case() == {case_id: [0, 1, 2]}


def test_a_failing_event_keeps_back_its_own_case_only() -> None:
    bad, good = case_with(3), case_with(3)
    recorder = Recorder(failing=[bad])

    outcome = drain_batch(recorder, size=100)

    assert (outcome.delivered, outcome.failed) == (3, 1)
    assert recorder.by_case() == {good: [0, 1, 2]}
    rows = OutboxEvent.objects.filter(case_id=bad).order_by("sequence")
    assert [row.attempts for row in rows] == [1, 0, 0]
    assert rows[0].last_error == "it said no"
    assert rows[0].next_attempt_at > rows[1].next_attempt_at
    assert drain(recorder) == (0, 0)


def test_what_was_kept_back_follows_in_order_once_it_works_again() -> None:
    bad = case_with(3)
    drain(Recorder(failing=[bad]))
    due_now()
    recorder = Recorder()

    drain(recorder)

    assert recorder.by_case() == {bad: [0, 1, 2]}
    assert not OutboxEvent.objects.exclude(last_error="").exists()


def test_a_destination_that_raises_has_got_nothing_and_every_case_waits() -> None:
    ids = [case_with(2) for _ in range(3)]

    outcome = drain_batch(Broken(), size=100)

    assert (outcome.delivered, outcome.failed) == (0, 3)
    failed = OutboxEvent.objects.filter(attempts=1)
    assert sorted(failed.values_list("case_id", flat=True)) == sorted(ids)
    assert {row.last_error for row in failed} == {"ConnectionError: the broker is away"}


def test_an_event_is_dead_after_its_last_attempt_and_its_case_waits_for_a_person() -> None:
    bad, good = case_with(2), case_with(1)
    recorder = Recorder(failing=[bad])
    for attempt in range(1, 21):
        drain(recorder)
        row = OutboxEvent.objects.get(case_id=bad, sequence=0)
        assert (row.attempts, row.dead_at is not None) == (attempt, attempt == 20)
        due_now()

    recorder.failing.clear()
    services.submit_case(case_id=good, actor=WRITER)

    assert drain(recorder) == (1, 0)
    assert recorder.by_case() == {good: [0, 1]}


def test_what_one_drainer_holds_another_does_not_touch(at_once) -> None:
    held, free = case_with(2), case_with(2)
    inside, leave = threading.Event(), threading.Event()

    class Waiting(Recorder):
        def deliver(self, messages: Sequence[Message]) -> list[Outcome]:
            inside.set()
            leave.wait(10)
            return super().deliver(messages)

    slow, quick = Waiting(), Recorder()

    def second() -> tuple[int, int]:
        inside.wait(10)
        try:
            return drain(quick)
        finally:
            leave.set()

    outcomes = at_once(lambda: drain_batch(slow, size=1).delivered, second)

    assert outcomes == [1, (2, 0)]
    assert (slow.by_case(), quick.by_case()) == ({held: [0]}, {free: [0, 1]})


def test_another_destination_s_rows_are_left_alone() -> None:
    case_with(2)
    OutboxEvent.objects.update(destination="elsewhere")

    assert drain(Recorder()) == (0, 0)
    assert list(OutboxEvent.objects.values_list("attempts", flat=True)) == [0, 0]


def test_the_work_of_a_reviewer_goes_out_as_it_happened() -> None:
    case = CaseFactory(status="ESCALATED")
    services.close_case(case_id=case.id, reason="Done", actor=REVIEWER)
    recorder = Recorder()

    drain(recorder, size=2)

    assert recorder.got == [(case.id, n) for n in range(5)]
