"""One scrape tells what all workers of a server did, whichever of them answers."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from pathlib import Path

import psycopg
import pytest

from config import counting
from tests.api.server import PATIENCE, Server, running_server
from tests.cast import AUDITOR, REVIEWER, WRITER
from tests.observability.figures import Figures, scrape
from tests.starts import Process, children_of, in_test, start

pytestmark = pytest.mark.django_db

TOKEN = "Zither4"
NEW = {"title": "Late reporting"}


@contextmanager
def two_workers(database: str, folder: Path) -> Iterator[Server]:
    with running_server(database, workers=2, threads=2, TMPDIR=str(folder)) as server:
        yield server


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    return tmp_path_factory.mktemp("counting")


@pytest.fixture(scope="module")
def server(database, folder) -> Iterator[Server]:
    with two_workers(database, folder) as server:
        yield server


def workers_of(server: Server) -> set[int]:
    """Return the processes that the server's master has started and that live."""
    return {*children_of(server.process.pid)}


def who_counted(folder: Path) -> set[int]:
    """Return the processes that have answered a request."""
    return {int(path.stem.split("_")[1]) for path in folder.glob("*/histogram_*.db")}


def until_both_answered(server: Server, folder: Path) -> int:
    """Create cases until both workers have had a part in it; return how many."""
    created, end = 0, time.monotonic() + PATIENCE
    with ThreadPoolExecutor(8) as callers:
        while not workers_of(server) <= who_counted(folder):
            assert time.monotonic() < end, "One of the workers answers nobody."
            answers = callers.map(lambda _: server.ask("POST", "/cases", WRITER, NEW), range(16))
            assert {answer.status_code for answer in answers} == {201}
            created += 16
    return created


def test_the_counts_of_two_workers_add_up(server, folder) -> None:
    before = scrape(server)
    created = until_both_answered(server, folder)

    for _ in range(8):  # whoever answers says the same
        told = scrape(server)
        for name, labels in (
            ("http_request_duration_seconds_count",
             {"method": "POST", "route": "/cases", "status": "201"}),
            ("case_actions_total", {"action": "create", "outcome": "done"}),
        ):  # fmt: skip
            assert told.total(name, **labels) - before.total(name, **labels) == created
    assert len(workers_of(server) & who_counted(folder)) == 2


def test_requests_are_told_by_route_and_never_by_address(server) -> None:
    case_id = server.ask("POST", "/cases", WRITER, NEW).json()["id"]
    server.get(f"/v1/cases?search={TOKEN}", {"X-Actor-ID": TOKEN, "X-Actor-Roles": "auditor"})
    server.ask("GET", f"/v1/cases/{case_id}", AUDITOR)
    server.ask("GET", f"/nowhere/{TOKEN}")
    server.ask("BREW", "/cases")

    told = scrape(server)

    count = "http_request_duration_seconds_count"
    assert told.total(count, method="GET", route="/v1/cases", status="200") >= 1
    assert told.total(count, method="GET", route="/v1/cases/<case_id>", status="200") == 1
    assert told.total(count, method="GET", route="none", status="404") == 1
    assert told.total(count, method="other", route="/cases") == 1
    assert case_id not in told.text
    assert TOKEN not in told.text


def test_the_time_of_a_request_is_in_a_bucket_that_is_long_enough(server) -> None:
    server.ask("GET", "/health/live")

    told, route = scrape(server), {"route": "/health/live", "method": "GET", "status": "200"}

    buckets = {
        float(sample.labels["le"]): sample.value
        for sample in told.samples()
        if sample.name == "http_request_duration_seconds_bucket"
        and route.items() <= sample.labels.items()
    }
    assert sorted(buckets.values()) == [buckets[edge] for edge in sorted(buckets)]
    assert buckets[float("inf")] == told.total("http_request_duration_seconds_count", **route)
    assert told.total("http_request_duration_seconds_sum", **route) > 0


def test_actions_are_told_with_what_became_of_them(server) -> None:
    case_id = server.ask("POST", "/cases", WRITER, NEW).json()["id"]
    before = scrape(server)

    server.ask("POST", f"/cases/{case_id}/submit", WRITER)
    server.ask("POST", f"/cases/{case_id}/submit", WRITER)
    server.ask("POST", f"/cases/{case_id}/close", WRITER, {"reason": "Resolved"})
    server.ask("POST", f"/cases/{case_id}/start-review", REVIEWER, {"reviewer_id": ""})
    server.ask("POST", "/cases/CASE-999999/close", REVIEWER, {"reason": "Resolved"})
    server.ask("POST", f"/cases/{case_id}/close", None, {"reason": "Resolved"})  # of nobody

    told = scrape(server)
    acted = {
        (sample.labels["action"], sample.labels["outcome"]): sample.value
        - before.total("case_actions_total", **sample.labels)
        for sample in told.samples()
        if sample.name == "case_actions_total"
    }
    assert {what: number for what, number in acted.items() if number} == {
        ("submit", "done"): 1,
        ("submit", "invalid_case_transition"): 1,
        ("close", "permission_denied"): 1,
        ("start_review", "validation_error"): 1,
        ("close", "case_not_found"): 1,
    }


def test_an_answer_that_is_given_again_is_no_further_action(server) -> None:
    headers = {"Idempotency_Key": "once"}
    before = scrape(server)

    first = server.ask("POST", "/cases", WRITER, NEW, **headers)
    again = server.ask("POST", "/cases", WRITER, NEW, **headers)

    assert first.json()["id"] == again.json()["id"]
    created = [
        figures.total("case_actions_total", action="create", outcome="done")
        for figures in (before, scrape(server))
    ]
    assert created[1] == created[0] + 1


def test_workers_count_where_no_upload_can_take_the_room(monkeypatch) -> None:
    monkeypatch.delenv("TMPDIR", raising=False)
    monkeypatch.setenv(counting.FOLDER, "")

    counting.begin()
    try:
        assert Path(os.environ[counting.FOLDER]).parent == Path("/dev/shm")
    finally:
        counting.end()


COUNTS = """
import os, time
from config import counting
counting.begin()
print(os.environ[counting.FOLDER], flush=True)
time.sleep(600)
"""


def test_what_killed_servers_left_in_memory_is_removed_and_nothing_that_is_in_use(tmp_path) -> None:
    def begin() -> tuple[Process, Path]:
        environment = in_test(TMPDIR=str(tmp_path))
        process = processes.enter_context(
            start("-c", COUNTS, environment=environment, out=subprocess.PIPE)
        )
        processes.callback(process.kill)
        return process, Path(process.stdout.readline().strip())

    with ExitStack() as processes:
        (_, lives), (killed, left) = begin(), begin()
        killed.kill()
        killed.wait()
        assert {*tmp_path.iterdir()} == {lives, left}

        _, later = begin()

        assert {*tmp_path.iterdir()} == {lives, later}


def test_a_worker_that_begins_to_count_just_now_stops_no_scrape(server, folder) -> None:
    (counting,) = folder.glob("cases-metrics-*")
    begun = counting / "counter_1.db"  # opened, and not yet of any size
    begun.touch()
    try:
        assert scrape(server).total("http_request_duration_seconds_count") > 0
    finally:
        begun.unlink()


def held(told: Figures) -> float:
    return told.total("database_connections")


def test_connections_are_those_of_living_workers_and_counts_outlive_dead_ones(
    database, counting
) -> None:
    with two_workers(database, counting) as server:
        created = until_both_answered(server, counting)
        before, workers = scrape(server), workers_of(server)
        assert 2 <= held(before) <= 4  # two threads a worker, one connection a thread

        for pid in workers:
            os.kill(pid, signal.SIGKILL)
        end = time.monotonic() + PATIENCE
        while workers_of(server) & workers or len(workers_of(server)) < 2:
            assert time.monotonic() < end, server.logged()
            time.sleep(0.05)
        told = scrape(server)

        assert held(told) == 1  # of the thread that answers
        assert told.total("case_actions_total", action="create", outcome="done") == created
        assert told.total("database_connections_opened_total") == held(before) + 1
    assert list(counting.glob("cases-metrics-*")) == []


def until_told(server: Server, what: str, number: float) -> Figures:
    end = time.monotonic() + PATIENCE
    while (told := scrape(server)).total(what) < number:
        assert time.monotonic() < end, told.text
    return told


def test_pools_of_all_workers_are_told_and_who_waits_for_them(database, counting) -> None:
    pool = {
        "DATABASE_POOL_SIZE": "1",
        "DATABASE_POOL_WAIT_SECONDS": "1",
        "DATABASE_LOCK_SECONDS": "0",
        "TMPDIR": str(counting),
    }
    with (
        psycopg.connect(database) as other,
        running_server(database, workers=2, threads=3, **pool) as server,
        ThreadPoolExecutor(6) as callers,
    ):
        case_id = server.ask("POST", "/cases", WRITER, NEW).json()["id"]
        before = until_told(server, "database_pool_size", 1)

        other.execute("LOCK TABLE case_notes")  # who has a worker's one connection waits for it
        asked = [
            callers.submit(server.ask, "GET", f"/cases/{case_id}/notes", AUDITOR) for _ in range(6)
        ]
        until_told(server, "database_pool_timeouts_total", 1)
        told = until_told(server, "database_pool_size", 2)  # each worker has made its own
        other.rollback()

    assert before.total("database_pool_timeouts_total") == 0
    assert told.total("database_pool_limit", database="default") == 2
    assert told.total("database_pool_idle") == 0
    assert told.total("database_pool_waits_total") >= 1
    assert told.total("database_pool_wait_seconds_total") >= 1
    assert {answer.result().status_code for answer in asked} == {200, 503}
