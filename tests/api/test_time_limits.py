"""Nothing waits for ever: for a lock, a statement, a connection, or a database that hangs."""

from __future__ import annotations

import os
import signal
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress

import pytest

from tests.api import expect
from tests.api.postgres import SERVICE, own_postgres
from tests.api.server import Answer, Server, running_server
from tests.cast import AUDITOR, REVIEWER, WRITER
from tests.starts import children_of, in_test, run

# Row security makes every row that the service reads take its time; its owner reads at once.
SLEEPY = """
CREATE POLICY all_rows ON cases USING (true);
CREATE POLICY sleepy ON cases AS RESTRICTIVE FOR SELECT USING (pg_sleep(0.2)::text = '')
"""
WAITS = "wait_event_type = 'Lock' AND query LIKE '%cases%'"
LIMITS = {
    "DATABASE_STATEMENT_SECONDS": "2",
    "DATABASE_LOCK_SECONDS": "1",
    "DATABASE_IDLE_SECONDS": "1",
}


@pytest.fixture(scope="module")
def postgres():
    with own_postgres() as server:
        server.execute(SERVICE)
        server.execute(SLEEPY)
        yield server


@pytest.fixture(scope="module")
def server(postgres):
    url = postgres.url.replace("postgres@", "service@", 1)
    with running_server(url, **LIMITS) as running:
        yield running


def a_case(server: Server) -> str:
    answer = server.ask("POST", "/cases", WRITER, {"title": "Late reporting"})
    return expect.the_case(answer, 201)["id"]


def timed(server: Server, *asked) -> tuple[Answer, float]:
    started = time.monotonic()
    answer = server.ask(*asked)
    return answer, time.monotonic() - started


@contextmanager
def held(postgres, case_id: str) -> Iterator[None]:
    """Hold the row of a case, as a transaction that goes on and on does."""
    with closing(postgres.session()) as holder, holder.transaction():
        holder.execute("SELECT FROM cases WHERE id = %s FOR UPDATE", [case_id])
        yield


def test_a_case_that_somebody_holds_is_refused_after_a_second_and_other_cases_are_not(
    postgres, server
):
    case_id, other = a_case(server), a_case(server)

    with held(postgres, case_id):
        answer, seconds = timed(server, "POST", f"/cases/{case_id}/submit", WRITER)
        of_other = server.ask("POST", f"/cases/{other}/submit", WRITER)
    again = server.ask("POST", f"/cases/{case_id}/submit", WRITER)

    expect.refusal(answer, 409, "case_conflict", set())
    assert answer.headers["Retry-After"] == "1"
    assert 0.9 < seconds < 3
    assert expect.the_case(of_other)["version"] == expect.the_case(again)["version"] == 1


@pytest.fixture
def sleepy(postgres, server):
    """Have more rows than can be read in time."""
    for _ in range(12):
        a_case(server)
    postgres.execute("ALTER TABLE cases ENABLE ROW LEVEL SECURITY")
    yield
    postgres.execute("ALTER TABLE cases DISABLE ROW LEVEL SECURITY")


@pytest.mark.usefixtures("sleepy")
def test_a_statement_that_takes_too_long_is_given_up_and_an_export_may_take_longer(server):
    answer, seconds = timed(server, "GET", "/cases/summary", REVIEWER)
    export = server.ask("GET", "/cases/export.csv", AUDITOR)

    expect.refusal(answer, 503, "dependency_unavailable", set())
    assert int(answer.headers["Retry-After"]) >= 1
    assert 1.8 < seconds < 5
    assert '"sqlstate":"57014"' in server.logged()
    assert export.status_code == 200
    assert export.content.count(b"Late reporting") >= 12


def test_a_transaction_of_a_worker_that_hangs_is_ended_and_its_case_is_free(postgres):
    url = postgres.url.replace("postgres@", "service@", 1)
    with running_server(url, **(LIMITS | {"DATABASE_LOCK_SECONDS": "0"})) as own:
        case_id = a_case(own)
        [worker] = children_of(own.process.pid)
        answers: list[Answer] = []
        caller = threading.Thread(
            target=lambda: answers.append(own.ask("POST", f"/cases/{case_id}/submit", WRITER))
        )
        with held(postgres, case_id):
            caller.start()
            postgres.wait_until(WAITS)
            os.kill(worker, signal.SIGSTOP)
        try:
            postgres.wait_until("state = 'idle in transaction'")
            with postgres.session() as other:
                other.execute("SET lock_timeout = '10s'")
                other.execute("SELECT FROM cases WHERE id = %s FOR UPDATE", [case_id])
        finally:
            os.kill(worker, signal.SIGCONT)
        caller.join()

        expect.refusal(answers[0], 503, "dependency_unavailable", set())
        assert expect.the_case(own.ask("GET", f"/cases/{case_id}", WRITER))["version"] == 0


def test_who_finds_no_connection_left_in_the_pool_is_asked_to_come_back(postgres):
    url = postgres.url.replace("postgres@", "service@", 1)
    pool = {"DATABASE_POOL_SIZE": "1", "DATABASE_POOL_WAIT_SECONDS": "1"}
    # Who has it keeps it until the test lets go.
    patient = dict.fromkeys(("DATABASE_LOCK_SECONDS", "DATABASE_STATEMENT_SECONDS"), "0")
    with running_server(url, **(LIMITS | pool | patient)) as own:
        postgres.end_sessions()  # those of the other server would be counted below
        case_id = a_case(own)
        taking = threading.Thread(
            target=lambda: own.ask("POST", f"/cases/{case_id}/submit", WRITER)
        )
        with held(postgres, case_id):
            taking.start()
            postgres.wait_until(WAITS)
            answer, seconds = timed(own, "GET", "/cases", WRITER)
            ready = own.ask("GET", "/health/ready")
            with postgres.session() as session:
                used = session.execute(
                    "SELECT count(*) FROM pg_stat_activity"
                    " WHERE application_name = 'regulatory-cases web' AND query LIKE '%cases%'"
                ).fetchone()[0]
        taking.join()
        after = [own.ask("GET", "/cases", WRITER).status_code for _ in range(8)]
        postgres.end_sessions("application_name = 'regulatory-cases web'")
        broken = [own.ask("GET", "/cases", WRITER).status_code for _ in range(8)]

    expect.refusal(answer, 503, "dependency_unavailable", set())
    assert int(answer.headers["Retry-After"]) >= 1
    assert 0.9 < seconds < 30  # and not until the row is free
    assert ready.status_code == 200  # it asks the database, not the pool
    assert used == 1
    assert after == broken == [200] * 8  # also after the database has cut what the pool keeps


@contextmanager
def hanging(postgres) -> Iterator[None]:
    """Let no process of the database do anything for a while."""
    postmaster = int((postgres.place.data / "postmaster.pid").read_text().split()[0])
    hung = [postmaster, *children_of(postmaster)]

    def tell_all(number: int) -> None:
        for pid in hung:
            with suppress(ProcessLookupError):  # a session was just ending
                os.kill(pid, number)

    tell_all(signal.SIGSTOP)
    try:
        yield
    finally:
        tell_all(signal.SIGCONT)


def until_ready(server: Server) -> None:
    end = time.monotonic() + 10
    while server.ask("GET", "/health/ready").status_code != 200:
        assert time.monotonic() < end
        time.sleep(0.1)


def test_while_the_database_hangs_readiness_says_so_in_time_and_then_recovers(postgres, server):
    until_ready(server)
    with hanging(postgres):
        asked = [timed(server, "GET", "/health/ready") for _ in range(3)]
        live, seconds = timed(server, "GET", "/health/live")
    until_ready(server)

    for answer, took in asked:
        expect.refusal(answer, 503, "dependency_unavailable", set())
        assert took < 3
    assert live.status_code == 200
    assert seconds < 1


def test_while_all_threads_wait_for_a_database_that_hangs_probes_are_answered(postgres, server):
    until_ready(server)
    answers: list[Answer] = []
    callers = [
        threading.Thread(target=lambda: answers.append(server.ask("GET", "/cases", WRITER)))
        for _ in range(8)  # of four threads
    ]
    with hanging(postgres), socket.create_connection(("127.0.0.1", server.port)) as pipelined:
        for caller in callers:
            caller.start()
        time.sleep(1)
        # Who sends a request along with a probe waits for it by itself.
        head = f"Host: localhost\r\nX-Actor-ID: {WRITER.id}\r\nX-Actor-Roles: case_writer\r\n\r\n"
        pipelined.sendall(
            f"GET /health/live HTTP/1.1\r\n{head}GET /cases HTTP/1.1\r\n{head}".encode()
        )
        live, seconds = timed(server, "GET", "/health/live")
        ready, took = timed(server, "GET", "/health/ready")
        assert answers == []
    for caller in callers:
        caller.join()
    until_ready(server)

    assert live.status_code == 200
    expect.refusal(ready, 503, "dependency_unavailable", set())
    assert seconds < 2
    assert took < 4
    assert len(answers) == 8
    assert {answer.status_code for answer in answers} <= {200, 503}


def test_a_session_says_what_it_is_for_and_commands_have_limits_of_their_own(postgres):
    show = (
        "from django.db import connection; c = connection.cursor();"
        "c.execute(\"SELECT current_setting(n) FROM unnest(array['application_name',"
        "'statement_timeout', 'lock_timeout', 'idle_in_transaction_session_timeout']) AS n\");"
        "print(*(row[0] for row in c.fetchall()), sep='|')"
    )
    limits = LIMITS | {"DATABASE_COMMAND_SECONDS": "7"}
    environment = in_test(postgres.url, **limits)
    done = run("manage.py", "shell", "--no-imports", "-c", show, environment=environment)

    assert done.stdout.split("\n")[0] == "regulatory-cases shell|7s|0|0"


def test_a_migration_that_waits_for_a_table_gives_up_before_all_others_wait_for_it(postgres):
    environment = in_test(postgres.url, DATABASE_MIGRATE_LOCK_SECONDS="1")

    with closing(postgres.session()) as holder, holder.transaction():
        holder.execute("LOCK TABLE auth_user IN ROW EXCLUSIVE MODE")
        backwards = run("manage.py", "migrate", "auth", "0011", environment=environment)
    with postgres.session() as session:
        known = session.execute(
            "SELECT count(*) FROM django_migrations WHERE app = 'auth' AND name LIKE '0012%'"
        ).fetchone()[0]

    assert backwards.returncode == 75
    assert "does not do this now: canceling statement due to lock timeout" in backwards.stderr
    assert "Traceback" not in backwards.stderr
    assert known == 1  # nothing was done by halves
