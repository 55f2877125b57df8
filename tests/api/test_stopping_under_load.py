"""The web server is stopped, reloaded and replaced under load, and no request is lost."""

from __future__ import annotations

import signal
import socket
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from pathlib import Path

import psycopg
import pytest

from tests.api import expect
from tests.api.load import Tally, calling
from tests.api.server import PATIENCE, Server, copied_database, running_server
from tests.cast import WRITER
from tests.starts import children_of

pytestmark = pytest.mark.django_db

CALLERS = 24  # of two workers with two threads each
SOME = 60  # answers: every caller is at it
CALM = 0.1  # seconds between two requests of a caller, while others need the processor to start


@pytest.fixture(scope="module")
def database(django_db_setup, django_db_blocker) -> Iterator[str]:
    with django_db_blocker.unblock(), copied_database("stopping") as url:
        yield url


def cases(database: str) -> int:
    with psycopg.connect(database) as session:
        return session.execute("SELECT count(*) FROM cases").fetchone()[0]


def workers(server: Server) -> set[int]:
    return {*children_of(server.process.pid)}


def until(condition: Callable[[], bool]) -> None:
    end = time.monotonic() + 3 * PATIENCE  # a start takes its time beside other work
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.05)


def more(tally: Tally) -> None:
    """Wait until the callers have got some more answers."""
    enough = tally.total + SOME
    until(lambda: tally.total > enough)


def meanwhile(tally: Tally, server: Server, old: set[int]) -> int:
    """Return how many answers came while workers are replaced, until the first of them is gone."""
    begun, counted = tally.total, 0

    def replaced() -> bool:
        nonlocal counted
        answers, now = tally.total, workers(server)
        if old <= now:
            counted = answers - begun
        return not old & now

    until(replaced)
    return counted


def test_reloaded_and_told_to_stop_it_loses_no_request_of_many_callers(database, tmp_path) -> None:
    before, address = cases(database), tmp_path / "address"
    address.write_text(database)
    with (
        running_server("", threads=2, workers=2, DATABASE_URL_FILE=str(address)) as server,
        calling(CALLERS, lambda: server.port) as tally,
    ):
        more(tally)
        tally.pause = CALM
        old = workers(server)
        address.unlink()
        server.process.send_signal(signal.SIGHUP)
        until(lambda: "Not reloaded" in server.logged())
        assert "DATABASE_URL_FILE" in server.logged()
        more(tally)
        assert workers(server) == old

        address.write_text(database)
        server.process.send_signal(signal.SIGHUP)
        until(lambda: len(workers(server) - old) == 2)
        assert meanwhile(tally, server, old) > CALLERS  # nobody waits for the new ones to come up
        assert len(workers(server)) == 2

        tally.pause = 0
        more(tally)
        server.process.terminate()
        assert server.process.wait(PATIENCE) == 0

    assert tally.failed == []
    assert tally.closes >= CALLERS  # each was told that its connection ends, and found no other
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
        running_server(database, threads=2, workers=2, DRAIN_SECONDS="3") as old,
        running_server(database, threads=2, workers=2) as new,
    ):
        chosen.append(old.port)
        balancer = threading.Thread(target=balance, args=(old, new))
        balancer.start()
        try:
            with calling(CALLERS, lambda: chosen[0]) as tally:
                more(tally)
                tally.pause = CALM
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


@contextmanager
def hanging(database: str) -> Iterator[None]:
    """Let whoever reads or writes cases wait until the block ends."""
    with psycopg.connect(database) as holder:
        holder.execute("LOCK TABLE cases IN ACCESS EXCLUSIVE MODE")
        yield


def create(server: Server) -> socket.socket:
    """Ask for a case, and return the connection on which the answer is to come."""
    body = b'{"title":"Late reporting"}'
    caller = socket.create_connection(("127.0.0.1", server.port), PATIENCE)
    caller.sendall(
        b"POST /cases HTTP/1.1\r\nHost: localhost\r\nX-Actor-ID: wanda\r\n"
        b"X-Actor-Roles: case_writer\r\nContent-Type: application/json\r\n"
        b"Content-Length: %d\r\n\r\n%s" % (len(body), body)
    )
    return caller


def waiting(database: str) -> int:
    """Count the sessions that wait for the table of cases."""
    with psycopg.connect(database) as session:
        return session.execute(
            "SELECT count(*) FROM pg_locks WHERE NOT granted AND relation = 'cases'::regclass"
        ).fetchone()[0]


def statuses(callers: list[socket.socket]) -> list[bytes]:
    """Return what each caller is answered; who has an answer ends the connection."""

    def status(caller: socket.socket) -> bytes:
        answer = caller.recv(65_536)
        caller.close()
        return answer[9:12]

    with ThreadPoolExecutor(len(callers)) as readers:
        return list(readers.map(status, callers))


def listens(server: Server) -> bool:
    with suppress(ConnectionRefusedError), socket.create_connection(("127.0.0.1", server.port)):
        return True
    return False


def test_whose_master_is_killed_answers_what_has_come_and_ends(database) -> None:
    with running_server(database, threads=2) as server:
        [worker] = workers(server)
        with hanging(database):
            callers = [create(server) for _ in range(8)]
            until(lambda: waiting(database) == 2)
            server.process.kill()
            until(lambda: not listens(server))  # it has noticed

        assert statuses(callers) == [b"201"] * 8
        until(lambda: not Path(f"/proc/{worker}").exists())


def test_interrupted_it_ends_at_once_whatever_is_under_way(database) -> None:
    # Nothing else ends what hangs.
    limits = dict.fromkeys(("DATABASE_LOCK_SECONDS", "DATABASE_STATEMENT_SECONDS"), "0")
    with (
        running_server(database, threads=2, STOP_SECONDS="60", **limits) as server,
        hanging(database),
        create(server),
        create(server),
    ):
        until(lambda: waiting(database) == 2)
        server.process.send_signal(signal.SIGINT)

        assert server.process.wait(PATIENCE) == 0
