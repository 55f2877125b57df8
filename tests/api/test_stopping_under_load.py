"""The web server is stopped, reloaded and replaced under load, and no request is lost."""

from __future__ import annotations

import signal
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psycopg
import pytest

from tests.api import expect
from tests.api.load import Tally, calling
from tests.api.server import PATIENCE, Server, copied_database, running_server
from tests.cast import WRITER

pytestmark = pytest.mark.django_db

CALLERS = 24  # of two workers with two threads each
SOME = 60  # answers: every caller is at it


@pytest.fixture(scope="module")
def database(django_db_setup, django_db_blocker) -> Iterator[str]:
    with django_db_blocker.unblock(), copied_database("stopping") as url:
        yield url


def cases(database: str) -> int:
    with psycopg.connect(database) as session:
        return session.execute("SELECT count(*) FROM cases").fetchone()[0]


def workers(server: Server) -> set[str]:
    children = Path(f"/proc/{server.process.pid}/task/{server.process.pid}/children")
    return {*children.read_text().split()}


def until(condition: Callable[[], bool]) -> None:
    end = time.monotonic() + 3 * PATIENCE  # a start takes its time beside other work
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.05)


def more(tally: Tally) -> None:
    """Wait until the callers have got some more answers."""
    enough = tally.total + SOME
    until(lambda: tally.total > enough)


def test_told_to_stop_it_loses_no_request_of_many_callers(database) -> None:
    before = cases(database)
    with (
        running_server(database, threads=2, workers=2) as server,
        calling(CALLERS, lambda: server.port) as tally,
    ):
        more(tally)
        server.process.terminate()
        assert server.process.wait(PATIENCE) == 0

    assert tally.failed == []
    assert tally.closes >= CALLERS  # each was told that its connection ends, and found no other
    assert cases(database) - before == tally.answers[b"POST", 201] > 0


def test_reloaded_it_loses_no_request_of_many_callers(database) -> None:
    before = cases(database)
    with (
        running_server(database, threads=2, workers=2) as server,
        calling(CALLERS, lambda: server.port) as tally,
    ):
        more(tally)
        old = workers(server)
        server.process.send_signal(signal.SIGHUP)
        until(lambda: len(workers(server)) == 4)
        more(tally)  # nobody waits for the new ones to come up
        assert old <= workers(server)
        until(lambda: not old & workers(server))
        assert len(workers(server)) == 2
        more(tally)

    assert tally.failed == []
    assert cases(database) - before == tally.answers[b"POST", 201] > 0


def test_replaced_behind_a_balancer_it_says_so_first_and_loses_no_request(database) -> None:
    ended = threading.Event()
    chosen: list[int] = []

    def balance(old: Server, new: Server) -> None:
        """Send everybody to the old server while it is ready, as a balancer with a probe does."""
        while not ended.is_set():
            try:
                ready = old.ask("GET", "/health/ready").status_code == 200
            except OSError:
                ready = False
            chosen[:] = [old.port if ready else new.port]
            time.sleep(0.1)

    with (
        running_server(database, threads=2, workers=2, DRAIN_SECONDS="5") as old,
        running_server(database, threads=2, workers=2) as new,
    ):
        chosen.append(old.port)
        balancer = threading.Thread(target=balance, args=(old, new))
        balancer.start()
        try:
            with calling(CALLERS, lambda: chosen[0]) as tally:
                more(tally)
                old.process.terminate()
                until(lambda: chosen == [new.port])
                refused = old.ask("GET", "/health/ready")
                served = old.ask("GET", "/cases", WRITER)
                more(tally)
                assert old.process.wait(PATIENCE) == 0
        finally:
            ended.set()
            balancer.join()

    assert tally.failed == []
    expect.refusal(refused, 503, "dependency_unavailable", set())
    assert "stopped" in refused.json()["message"]
    assert served.status_code == 200  # who has not noticed yet is served, and told to go
    assert served.headers["Connection"] == "close"


def test_interrupted_it_ends_at_once(database) -> None:
    with running_server(database, threads=2) as server:
        server.process.send_signal(signal.SIGINT)

        assert server.process.wait(5) == 0
