"""The database goes away in the middle of work and comes back; the service stays as it is."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing

import pytest

from tests.api import expect
from tests.api.postgres import SERVICE, own_postgres
from tests.api.server import Answer, Server, running_server
from tests.cast import REVIEWER, WRITER

THREADS = 4  # of the server, each with a connection of its own


@pytest.fixture(scope="module")
def postgres():
    with own_postgres() as server:
        server.execute(SERVICE)
        yield server


@pytest.fixture(scope="module")
def server(postgres):
    with running_server(postgres.url.replace("postgres@", "service@", 1)) as running:
        yield running


@pytest.fixture(autouse=True)
def _well_before_and_after(postgres, server):
    """A test finds the database well, and leaves it so: the service is never started again."""
    assert server.ask("GET", "/health/ready").status_code == 200
    yield
    assert server.ask("GET", "/health/ready").status_code == 200


def a_case(server) -> str:
    answer = server.ask("POST", "/cases", WRITER, {"title": "Late reporting"})
    return expect.the_case(answer, 201)["id"]


def unavailable(answer: Answer) -> None:
    """Check that the answer asks the caller to come back, in the one shape, telling no more."""
    expect.refusal(answer, 503, "dependency_unavailable", set())
    assert int(answer.headers["Retry-After"]) >= 1
    assert b"psycopg" not in answer.content
    assert b"Traceback" not in answer.content


def submit_in_background(server, case_id: str) -> tuple[threading.Thread, list[Answer]]:
    answers: list[Answer] = []
    caller = threading.Thread(
        target=lambda: answers.append(server.ask("POST", f"/cases/{case_id}/submit", WRITER))
    )
    caller.start()
    return caller, answers


WAITS = "wait_event_type = 'Lock' AND query LIKE '%cases%'"


def test_with_the_database_stopped_every_address_says_503_and_then_works_again(postgres, server):
    case_id = a_case(server)

    postgres.stop()
    down = [
        server.ask("GET", "/cases", WRITER),
        server.ask("GET", f"/cases/{case_id}", WRITER),
        server.ask("GET", f"/v1/cases/{case_id}/audit-events", WRITER),
        server.ask("POST", "/cases", WRITER, {"title": "Late reporting"}),
        server.ask("POST", f"/cases/{case_id}/submit", WRITER),
        server.ask("POST", f"/cases/{case_id}/close", REVIEWER, b"not JSON"),
    ]
    ready, live = server.ask("GET", "/health/ready"), server.ask("GET", "/health/live")
    nobody = server.ask("GET", "/cases")
    nowhere = server.ask("GET", "/nowhere", WRITER)
    page = server.ask("GET", "/admin/", Cookie="sessionid=" + "a" * 32)
    postgres.start()
    up = server.ask("POST", f"/cases/{case_id}/submit", WRITER)

    for answer in down:
        unavailable(answer)
    unavailable(ready)
    assert live.status_code == 200
    expect.refusal(nobody, 401, "not_authenticated", set())
    expect.refusal(nowhere, 404, "not_found", set())
    assert (page.status_code, page.headers["Content-Type"][:9]) == (503, "text/html")
    assert int(page.headers["Retry-After"]) >= 1
    assert expect.the_case(up)["status"] == "SUBMITTED"


@pytest.mark.parametrize("how", ["stop", "kill"])
def test_a_request_in_hand_when_the_database_goes_is_told_and_leaves_nothing(postgres, server, how):
    case_id = a_case(server)
    with closing(postgres.session()) as holder:
        holder.execute("BEGIN")
        holder.execute("SELECT FROM cases WHERE id = %s FOR UPDATE", [case_id])
        caller, answers = submit_in_background(server, case_id)
        postgres.wait_until(WAITS)
        getattr(postgres, how)()
        caller.join()
    postgres.start()
    kept = expect.the_case(server.ask("GET", f"/cases/{case_id}", WRITER))
    again = expect.the_case(server.ask("POST", f"/cases/{case_id}/submit", WRITER))

    unavailable(answers[0])
    assert (kept["status"], kept["version"]) == ("DRAFT", 0)
    assert (again["status"], again["version"]) == ("SUBMITTED", 1)


def logged(server: Server, sqlstate: str) -> bool:
    """Tell whether the log names the outage by its kind, and calls none a failure of ours."""
    log = server.logged()
    told = '"event":"dependency_unavailable"' in log and f'"sqlstate":"{sqlstate}"' in log
    return told and "unhandled_error" not in log


def test_a_request_whose_session_is_ended_is_told_and_the_next_one_works(postgres, server):
    case_id = a_case(server)
    with postgres.session() as holder, holder.transaction():
        holder.execute("SELECT FROM cases WHERE id = %s FOR UPDATE", [case_id])
        caller, answers = submit_in_background(server, case_id)
        postgres.wait_until(WAITS)
        assert postgres.end_sessions(WAITS) == 1
        caller.join()

    unavailable(answers[0])
    assert logged(server, "57P01")
    assert expect.the_case(server.ask("POST", f"/cases/{case_id}/submit", WRITER))["version"] == 1


def test_idle_sessions_that_were_ended_cost_no_request_anything(postgres, server):
    """What a restart, a fail-over or a firewall does to connections that are kept."""

    def ask(path: str) -> int:
        return server.ask("GET", path, WRITER).status_code

    for _ in range(3):
        with ThreadPoolExecutor(THREADS) as pool:  # every thread gets its connection
            assert set(pool.map(ask, ["/cases"] * THREADS * 2)) == {200}
        assert postgres.end_sessions() >= 1

        assert [ask("/cases") for _ in range(THREADS * 3)] == [200] * THREADS * 3
        assert postgres.end_sessions() >= 1

        written = server.ask("POST", "/cases", WRITER, {"title": "Late reporting"})
        assert written.status_code == 201


def test_a_database_that_was_stopped_and_started_between_two_requests_is_not_noticed(
    postgres, server
):
    case_id = a_case(server)

    postgres.stop()
    postgres.start()

    assert expect.the_case(server.ask("POST", f"/cases/{case_id}/submit", WRITER))["version"] == 1


def test_a_standby_is_read_and_a_write_asked_to_come_back(postgres, server):
    case_id = a_case(server)

    postgres.as_standby()
    try:
        read = server.ask("GET", f"/cases/{case_id}", WRITER)
        written = server.ask("POST", f"/cases/{case_id}/submit", WRITER)
    finally:
        postgres.as_primary()

    assert expect.the_case(read)["version"] == 0
    unavailable(written)
    assert logged(server, "25006")
    assert expect.the_case(server.ask("POST", f"/cases/{case_id}/submit", WRITER))["version"] == 1


def test_a_database_with_no_connection_left_asks_to_come_back(postgres, server):
    postgres.execute("ALTER ROLE service CONNECTION LIMIT 0")
    postgres.end_sessions()

    refused = server.ask("GET", "/cases", WRITER)
    ready = server.ask("GET", "/health/ready")
    postgres.execute("ALTER ROLE service CONNECTION LIMIT -1")

    unavailable(refused)
    assert ready.status_code == 503
    assert server.ask("GET", "/cases", WRITER).status_code == 200
