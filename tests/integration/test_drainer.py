"""A drainer with all its lanes: independent destinations, wake-up, outages, and how it ends."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import ClassVar

import pytest
from django.db import connection

from cases import services
from outbox import lanes, wakeup
from outbox.destinations.base import Destination, Message, Outcome
from outbox.drainer import Drainer, Plan, Tally
from outbox.models import OutboxEvent
from outbox.queue import due
from tests.cast import WRITER
from tests.destinations import Recorder
from tests.factories import CaseFactory

pytestmark = pytest.mark.usefixtures("committed")


@pytest.fixture(autouse=True)
def _looks_often(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let a drainer look by itself, and whether to stop, ten times as often: nobody waits for it.

    It still looks less often than after a notice.
    """
    monkeypatch.setattr(lanes, "POLL_SECONDS", 0.05)
    monkeypatch.setattr(lanes, "_FIRST_PAUSE", 0.05)
    monkeypatch.setattr(wakeup, "_LOOK_SECONDS", 0.05)


def made(recorder: Recorder, name: str = "log", *, lanes: int = 1) -> type[Destination]:
    """Return a destination class whose every instance hands over to one recorder."""

    class Made(Destination):
        closed: ClassVar[list[int]] = []

        def deliver(self, messages: Sequence[Message]) -> Sequence[Outcome]:
            return recorder.deliver(messages)

        def close(self) -> None:
            self.closed.append(1)

    Made.name, Made.lanes = name, lanes
    return Made


def also_for(name: str) -> None:
    """Owe everything to a second destination as well."""
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO outbox_events (event_id, destination, case_id, sequence, event_type,"
            " payload, occurred_at, attempts, last_error) SELECT event_id, %s, case_id, sequence,"
            " event_type, payload, occurred_at, 0, '' FROM outbox_events",
            [name],
        )


def until(true: Callable[[], object], *, seconds: float = 20) -> None:
    deadline = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < deadline, "it did not come to pass"
        time.sleep(0.01)


@contextmanager
def following(*destinations: type[Destination], **plan: int) -> Iterator[Drainer]:
    """Run a drainer beside the test; in the end it stops and all its lanes have ended."""
    drainer = Drainer(
        Plan(destinations={each.name: each for each in destinations}, follow=True, **plan)
    )

    def run() -> None:
        drainer.run()
        connection.close()

    thread = threading.Thread(target=run)
    thread.start()
    try:
        yield drainer
    finally:
        drainer.stop()
        thread.join(20)
        assert not thread.is_alive()


def once(*destinations: type[Destination], **plan: int) -> Tally:
    return Drainer(Plan(destinations={each.name: each for each in destinations}, **plan)).run()


def test_a_destination_that_hangs_holds_back_no_other() -> None:
    ids = [CaseFactory().id for _ in range(5)]
    also_for("slow")
    leave = threading.Event()

    class Hanging(Recorder):
        def deliver(self, messages: Sequence[Message]) -> list[Outcome]:
            leave.wait(20)
            return super().deliver(messages)

    hanging, quick = Hanging(), Recorder()
    with following(made(hanging, "slow"), made(quick)):
        until(lambda: len(quick.got) == 5)
        assert hanging.got == []
        late = CaseFactory().id
        until(lambda: len(quick.got) == 6)
        leave.set()

    assert sorted(quick.by_case()) == sorted([*ids, late])
    assert sorted(hanging.by_case()) == sorted(ids)


def test_a_case_that_hangs_again_holds_back_no_fresh_one() -> None:
    """What failed before has a lane of its own."""
    bad = CaseFactory().id
    once(made(Recorder(failing=[bad])))
    OutboxEvent.objects.update(next_attempt_at="2026-11-20T09:00Z")
    inside, leave = threading.Event(), threading.Event()

    class Hanging(Recorder):
        def deliver(self, messages: Sequence[Message]) -> list[Outcome]:
            if any(message.subject == bad for message in messages):
                inside.set()
                leave.wait(20)
            return super().deliver(messages)

    recorder = Hanging()
    with following(made(recorder)):
        assert inside.wait(20)
        good = CaseFactory().id
        until(lambda: recorder.by_case() == {good: [0]})
        leave.set()
        until(lambda: bad in recorder.by_case())


def test_a_notice_wakes_a_drainer_long_before_it_would_look_by_itself(monkeypatch) -> None:
    monkeypatch.setattr("outbox.lanes.POLL_SECONDS", 60.0)
    recorder = Recorder()
    with following(made(recorder)):
        until(lambda: listeners() == 1)
        first = CaseFactory().id
        until(lambda: recorder.by_case() == {first: [0]}, seconds=30)
        # Two in a row: the second sends no notice of its own, and still comes soon.
        services.add_note(case_id=first, body="One", actor=WRITER)
        services.add_note(case_id=first, body="Two", actor=WRITER)
        until(lambda: recorder.by_case() == {first: [0, 1, 2]}, seconds=30)


def test_a_notice_that_comes_while_a_lane_delivers_makes_it_look_again_soon(monkeypatch) -> None:
    """What is committed right after the notice has none of its own."""
    monkeypatch.setattr(wakeup, "_NOTIFY", "SELECT 1")
    waits: list[float] = []
    wait = wakeup.Wakings.wait

    def noting(wakings: wakeup.Wakings, *, since: int, seconds: float) -> bool:
        if threading.current_thread().name == "outbox-log-fresh":
            waits.append(seconds)
        return wait(wakings, since=since, seconds=seconds)

    class Noticed(Recorder):
        def deliver(self, messages: Sequence[Message]) -> list[Outcome]:
            waits.clear()
            drainer.wakings.wake()
            return super().deliver(messages)

    monkeypatch.setattr(wakeup.Wakings, "wait", noting)
    recorder = Noticed()
    with following(made(recorder)) as drainer:
        until(lambda: listeners() == 1 and waits[-2:] == [lanes.POLL_SECONDS] * 2)
        CaseFactory()
        until(lambda: recorder.got and waits)

        assert waits[0] == wakeup.LOOK_AGAIN_SECONDS


def test_without_notices_it_looks_by_itself(monkeypatch) -> None:
    monkeypatch.setattr(wakeup, "_NOTIFY", "SELECT 1")
    recorder = Recorder()
    with following(made(recorder)):
        time.sleep(0.2)
        case_id = CaseFactory().id
        until(lambda: recorder.by_case() == {case_id: [0]})


def listeners() -> int:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()"
            " AND query = 'LISTEN outbox_events'"
        )
        return int(cursor.fetchone()[0])


def cut_all_others() -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE datname = current_database() AND pid <> pg_backend_pid()"
            " AND (application_name LIKE 'outbox-%' OR query = 'LISTEN outbox_events')"
        )


def cut_the_lane_that_calls() -> None:
    pid, other = connection.connection.info.backend_pid, connection.copy()
    try:
        with other.cursor() as cursor:
            cursor.execute("SELECT pg_terminate_backend(%s)", [pid])
    finally:
        other.close()


def test_lost_connections_are_made_anew_and_nothing_is_lost() -> None:
    recorder = Recorder()
    with following(made(recorder), batch_size=2):
        first = CaseFactory().id
        until(lambda: recorder.by_case() == {first: [0]})
        cut_all_others()
        second = CaseFactory().id
        until(lambda: second in recorder.by_case())
        until(lambda: listeners() == 1)

    assert due("log") == 0


def test_a_connection_that_is_lost_in_the_middle_of_a_batch_has_it_delivered_again() -> None:
    cut = threading.Event()

    class CutOff(Recorder):
        def deliver(self, messages: Sequence[Message]) -> list[Outcome]:
            outcomes = super().deliver(messages)
            if not cut.is_set():
                cut.set()
                cut_the_lane_that_calls()
            return outcomes

    case_id = CaseFactory(status="SUBMITTED").id
    recorder = CutOff()

    tally = once(made(recorder))

    assert recorder.by_case() == {case_id: [0, 1, 0, 1]}
    assert (tally.delivered, tally.database_away) == (2, "")
    assert due("log") == 0


def test_a_drainer_that_stands_still_loses_its_rows_to_another() -> None:
    """As one stopped by a signal, or whose machine is gone: the database takes them back."""
    case_id = CaseFactory(status="SUBMITTED").id
    inside, leave = threading.Event(), threading.Event()

    class Still(Recorder):
        def deliver(self, messages: Sequence[Message]) -> list[Outcome]:
            outcomes = super().deliver(messages)
            if not inside.is_set():
                inside.set()
                leave.wait(30)
            return outcomes

    standing, other = Still(), Recorder()
    stuck = made(standing)
    stuck.time_limit = 0.5 - 15  # half a second, the grace included
    with following(stuck):
        assert inside.wait(20)
        until(lambda: once(made(other)).delivered == 2)
        leave.set()

    assert other.by_case() == {case_id: [0, 1]}
    assert standing.by_case() == {case_id: [0, 1]}  # repeats, in order, before it could know
    assert set(OutboxEvent.objects.values_list("attempts", flat=True)) == {1}


def test_a_destination_that_was_away_gets_everything_when_it_is_back() -> None:
    ids = [CaseFactory(status="SUBMITTED").id for _ in range(3)]
    recorder = Recorder()
    recorder.away = "nobody answers"
    with following(made(recorder, lanes=2)) as drainer:
        until(lambda: OutboxEvent.objects.filter(last_error="nobody answers").exists())
        assert recorder.got == []
        recorder.away = ""
        until(lambda: len(recorder.got) == 6)

    assert recorder.by_case() == {case_id: [0, 1] for case_id in ids}
    assert (drainer.tally.delivered, drainer.tally.failed) == (6, 0)
    assert set(OutboxEvent.objects.values_list("attempts", "last_error")) == {(1, "")}


def test_once_leaves_a_destination_that_is_away_and_says_so() -> None:
    CaseFactory()
    also_for("gone")
    gone, here = Recorder(), Recorder()
    gone.away = "nobody answers"

    tally = once(made(gone, "gone"), made(here))

    assert (tally.delivered, tally.away) == (1, {"gone": "nobody answers"})


@pytest.mark.parametrize("lanes", [1, 3])
def test_a_limit_holds_for_all_lanes_together(lanes) -> None:
    for _ in range(12):
        CaseFactory()
    also_for("empty")
    OutboxEvent.objects.filter(destination="empty").delete()
    recorder = Recorder(slow=0.01)

    tally = once(made(recorder, lanes=lanes), made(Recorder(), "empty"), limit=7, batch_size=2)

    assert tally.delivered == 7
    assert due("log") == 5


def test_lanes_of_one_destination_share_the_work_in_order() -> None:
    ids = [CaseFactory(status="CLOSED").id for _ in range(12)]
    recorder = Recorder(slow=0.005)

    tally = once(made(recorder, lanes=4), batch_size=3)

    assert tally.delivered == 48
    assert recorder.by_case() == {case_id: [0, 1, 2, 3] for case_id in ids}


def test_every_lane_closes_its_destination() -> None:
    CaseFactory()
    destination = made(Recorder(), lanes=3)

    with following(destination):
        until(lambda: due("log") == 0)

    assert 1 <= len(destination.closed) <= 4
    assert not [name for name in (t.name for t in threading.enumerate()) if name[:7] == "outbox-"]


def test_a_destination_that_cannot_be_made_breaks_the_run_and_not_the_others() -> None:
    CaseFactory()
    also_for("broken")

    class Unmade(Recorder):
        name = "broken"

        def __init__(self) -> None:
            raise RuntimeError("no secret")  # noqa: EM101, TRY003 (as a bug raises it)

    recorder = Recorder()
    tally = once(Unmade, made(recorder))

    assert tally.broken == "RuntimeError: no secret"
    assert tally.delivered == 1
