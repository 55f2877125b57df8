"""Delivery: each event once in the normal case, in order per case, never lost."""

from __future__ import annotations

import json
import threading
from collections.abc import Sequence
from datetime import timedelta
from functools import partial

import pytest
from django.db import connection, transaction
from django.db.models.functions import Now

from cases import services
from outbox import queue
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


def test_what_is_refused_for_good_is_dead_at_once_and_keeps_back_its_case() -> None:
    gone, good = case_with(2), case_with(1)
    recorder = Recorder(refusing=[gone])

    batch = drain_batch(recorder, size=100)

    assert (batch.delivered, batch.failed, batch.dead) == (1, 1, 1)
    row = OutboxEvent.objects.get(case_id=gone, sequence=0)
    assert (row.attempts, row.last_error) == (1, "gone for good")
    assert row.dead_at is not None
    assert recorder.by_case() == {good: [0]}


def test_a_destination_that_is_away_costs_no_attempts_and_makes_nothing_dead() -> None:
    case_id = case_with(2)
    recorder = Recorder(retry_after=7)
    recorder.away = "nobody answers"

    for _ in range(30):
        batch = drain_batch(recorder, size=100)

    assert (batch.size, batch.untried, batch.retry_after) == (0, 1, 7)
    first, second = OutboxEvent.objects.order_by("id")
    assert (first.attempts, first.last_error, first.dead_at) == (0, "nobody answers", None)
    assert (second.attempts, second.last_error) == (0, "")
    recorder.away = ""
    assert drain(recorder) == (2, 0)
    assert recorder.by_case() == {case_id: [0, 1]}


def test_a_message_that_breaks_the_code_of_a_destination_does_not_take_others_along() -> None:
    bad, good = case_with(2), case_with(2)

    class Fragile(Recorder):
        def deliver(self, messages: Sequence[Message]) -> list[Outcome]:
            if any(message.subject == bad for message in messages):
                raise KeyError("no such field")  # noqa: EM101, TRY003 (as a bug raises it)
            return super().deliver(messages)

    fragile = Fragile()
    batch = drain_batch(fragile, size=100)

    assert (batch.delivered, batch.failed) == (2, 1)
    assert fragile.by_case() == {good: [0, 1]}
    assert (
        OutboxEvent.objects.get(case_id=bad, sequence=0).last_error == "KeyError: 'no such field'"
    )


def test_a_destination_that_answers_for_fewer_messages_than_it_got_has_failed() -> None:
    case_with(2)

    class Forgetful(Recorder):
        def deliver(self, messages: Sequence[Message]) -> list[Outcome]:
            return super().deliver(messages)[1:]

    batch = drain_batch(Forgetful(), size=100)

    assert (batch.delivered, batch.failed) == (0, 1)


def test_a_destination_may_ask_for_more_patience_up_to_an_hour() -> None:
    ids = [case_with(1), case_with(1)]
    drain_batch(Recorder(failing=ids[:1], retry_after=600), size=1)
    drain_batch(Recorder(failing=ids[1:], retry_after=86_400), size=1)

    waits = [row.next_attempt_at - row.written_at for row in OutboxEvent.objects.order_by("id")]

    assert 599 < waits[0].total_seconds() < 660
    assert 3_599 < waits[1].total_seconds() < 3_660


def test_a_message_is_passed_on_as_it_stands_in_its_row_whatever_wrote_it() -> None:
    """Rows of an older or newer version: what this one does not know goes out unread."""
    case_with(1)
    OutboxEvent.objects.update(
        event_type="CASE_DREAMT_OF",
        payload={"specversion": "1.0", "type": "org.regulator.case.dreamt-of.v7", "new": [1]},
    )
    recorder = Recorder()

    assert drain(recorder) == (1, 0)
    assert json.loads(recorder.bodies[0])["new"] == [1]


def test_the_statements_of_the_relay_know_only_the_columns_of_the_first_version() -> None:
    """Drainers of two versions run side by side while a new one is rolled out."""
    case_id = case_with(3)
    drain_batch(Recorder(failing=[case_id]), size=100)
    due_now()
    new = ("written_at", "discarded_at", "discarded_by", "discard_reason")
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("ALTER TABLE outbox_events " + ", ".join(f"DROP {name}" for name in new))
        claimed = list(queue.claim("log", size=10, retries=True, after=0))
        queue.mark_delivered([claimed[0].pk])
        queue.mark_untried({claimed[1].pk: "away"})
        queue.mark_failed([queue.Failure(claimed[2].pk, "no", 1.0, dead=True)])
        queue.forgive_a_clock_put_back("log")
        fresh = list(queue.claim("log", size=10, retries=False, after=0))
        transaction.set_rollback(True)

    assert [row.message.sequence for row in claimed] == [0, 1, 2]
    assert [(row.message.sequence, row.waits) for row in fresh] == [(1, False), (2, True)]


def test_a_megabyte_arrives_whole() -> None:
    case_with(3)
    text = "\u00fc" * 1_000_000
    OutboxEvent.objects.filter(sequence=1).update(payload={"type": "t", "data": text})
    recorder = Recorder()

    assert drain(recorder) == (3, 0)
    assert json.loads(recorder.bodies[1])["data"] == text


def test_a_clock_that_was_put_back_makes_nothing_wait_for_longer_than_an_hour() -> None:
    """Fresh ones look at no clock; a retry that would wait too long is due at once."""
    fresh, failed = case_with(1), case_with(1)
    drain_batch(Recorder(failing=[failed]), size=100)
    OutboxEvent.objects.update(processed_at=None, next_attempt_at=Now() + timedelta(days=365 * 20))
    OutboxEvent.objects.filter(case_id=fresh).update(attempts=0)
    recorder = Recorder()

    assert drain(recorder) == (1, 0)
    assert queue.forgive_a_clock_put_back("log") == 1
    assert drain(recorder) == (1, 0)
    assert recorder.by_case() == {fresh: [0], failed: [0]}


def test_a_pass_goes_on_behind_what_it_has_seen() -> None:
    blocked = [case_with(2) for _ in range(3)]
    drain_batch(Recorder(refusing=blocked), size=100)
    good = [case_with(1) for _ in range(4)]
    recorder = Recorder()

    first = drain_batch(recorder, size=2)
    second = drain_batch(recorder, size=2, after=first.last_id)

    assert recorder.by_case() == {case_id: [0] for case_id in good}
    assert second.last_id > first.last_id > 0
    assert drain_batch(recorder, size=2, after=second.last_id).last_id == 0
