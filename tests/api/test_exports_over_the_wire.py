"""Long exports behind a real socket: whole, ended early, and broken off where all can see it."""

from __future__ import annotations

import http.client
import json
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

import psycopg
import pytest

from tests.api.server import Server, copied_database, running_server
from tests.starts import children_of

pytestmark = pytest.mark.django_db

ROWS = 30_000
AUDREY = {"X-Actor-ID": "audrey", "X-Actor-Roles": "auditor"}
COPYING = """
SELECT pid FROM pg_stat_activity
 WHERE datname = %s AND query LIKE 'COPY %%' AND state = 'active'
   AND backend_type = 'client backend'
"""


@pytest.fixture(scope="module")
def office(django_db_setup: None, django_db_blocker) -> Iterator[tuple[Server, str]]:
    """Run the service on a database with more cases than any buffer between takes."""
    with django_db_blocker.unblock(), copied_database() as url:
        with psycopg.connect(url) as database:
            for guard in ("cases_has_audit_event", "cases_words_of_new"):
                database.execute(f"ALTER TABLE cases DISABLE TRIGGER {guard}")
            database.execute(
                "INSERT INTO cases (title, description, received_at, category, subject,"
                " external_reference, source, priority, restricted, status, version, created_by,"
                " created_at, updated_at) SELECT 'Case ' || n, repeat(md5(n::text), 30), now(), '',"
                " '', '', '', 'LOW', false, 'DRAFT', 0, 'wanda', now(), now()"
                " FROM generate_series(1, %s) AS n",
                [ROWS],
            )
        with running_server(url) as server:
            yield server, url


@contextmanager
def asked(server: Server, path: str = "/cases/export.csv") -> Iterator[http.client.HTTPResponse]:
    """Ask for an export; at the end of the block the caller is gone."""
    caller = http.client.HTTPConnection("127.0.0.1", server.port, timeout=60)
    caller.request("GET", path, headers=AUDREY)
    answer = caller.getresponse()
    try:
        yield answer
    finally:
        answer.close()
        caller.close()


def memory_of_workers(server: Server) -> int:
    """Return the most memory that a worker of this server ever had, in kB."""
    peaks = []
    for pid in children_of(server.process.pid):
        lines = Path(f"/proc/{pid}/status").read_text().splitlines()
        peaks += [int(line.split()[1]) for line in lines if line.startswith("VmHWM")]
    return max(peaks)


def wait_for(condition: Callable[[], object]) -> object:
    end = time.monotonic() + 30
    while time.monotonic() < end:
        if found := condition():
            return found
        time.sleep(0.05)
    message = "it did not come about"
    raise AssertionError(message)


def told(server: Server) -> list[dict[str, object]]:
    lines = [line for line in server.logged().splitlines() if '"cases_exported"' in line]
    return [json.loads(line) for line in lines]


def copying(url: str) -> list[int]:
    with psycopg.connect(url) as database:
        rows = database.execute(COPYING, [urlsplit(url).path.lstrip("/")]).fetchall()
    return [pid for (pid,) in rows]


def test_a_long_export_comes_whole_in_the_memory_of_a_short_one(office) -> None:
    server, _ = office
    with asked(server, "/cases/export.csv?status=CLOSED") as answer:
        answer.read()
    before = memory_of_workers(server)

    size = lines = 0
    with asked(server) as answer:
        while block := answer.read(65_536):
            size += len(block)
            lines += block.count(b"\r")

    assert lines == ROWS + 1
    assert size > 30_000_000
    assert memory_of_workers(server) - before < 8_000
    wait_for(lambda: told(server)[-1]["rows"] == ROWS and told(server)[-1]["outcome"] == "complete")


def test_who_goes_away_leaves_no_statement_running_and_a_usable_connection(office) -> None:
    server, url = office
    with asked(server) as answer:
        answer.read(200_000)
        assert wait_for(lambda: copying(url))

    wait_for(lambda: not copying(url))
    wait_for(lambda: told(server)[-1]["outcome"] == "left")
    for _ in range(8):
        assert server.get("/cases?limit=1", AUDREY)[0] == 200


def test_a_failure_midway_breaks_the_answer_off_instead_of_ending_it(office) -> None:
    server, url = office
    with asked(server) as answer:
        answer.read(200_000)
        [pid] = wait_for(lambda: copying(url))

        with psycopg.connect(url) as database:
            database.execute("SELECT pg_terminate_backend(%s)", [pid])
        with pytest.raises((http.client.IncompleteRead, ConnectionError)):
            answer.read()

    wait_for(lambda: told(server)[-1]["outcome"] not in ("complete", "left"))
    for _ in range(8):
        assert server.get("/cases?limit=1", AUDREY)[0] == 200


def test_a_failure_before_the_first_line_is_an_error_as_any_other(office) -> None:
    server, url = office
    with psycopg.connect(url, autocommit=True) as database:
        database.execute("SET lock_timeout = '5s'")
        database.execute("ALTER TABLE cases RENAME COLUMN subject TO gone")
        try:
            status, body = server.get("/cases/export.csv", AUDREY)
        finally:
            database.execute("ALTER TABLE cases RENAME COLUMN gone TO subject")

    assert status == 500
    assert json.loads(body)["error"] == "internal_error"
