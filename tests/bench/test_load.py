"""Clients side by side: what they count, and that one wrong answer spoils the figure."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import count

import pytest

from tests.bench.load import BenchError, Figures, put_under_load
from tests.bench.mixes import Client, Target


class Office(BaseHTTPRequestHandler):
    """Answers as the service does, and writes down what it was asked."""

    protocol_version = "HTTP/1.1"
    asked: list[tuple[str, str]]
    numbers: count[int]
    closing_status = 200

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        case_id = f"CASE-{next(self.numbers):06}"
        status = 201 if self.path == "/cases" else 200
        if self.path.endswith("/close"):
            status = self.closing_status
        self._answer(status, b'{"id": "%s"}' % case_id.encode())

    def do_GET(self) -> None:
        page = int(self.path.rpartition("=")[2])
        following = f'"http://office.example/cases?page={page + 1}"' if page < 3 else "null"
        self._answer(200, b'{"next":%s,"results":[]}' % following.encode())

    def _answer(self, status: int, body: bytes) -> None:
        self.asked.append((self.path, self.headers["X-Actor-ID"]))
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *args: object) -> None:
        pass


@pytest.fixture
def asked() -> list[tuple[str, str]]:
    """Path and caller of every request so far."""
    return []


@pytest.fixture
def office(asked: list[tuple[str, str]]) -> Iterator[Target]:
    handler = type("Handler", (Office,), {"asked": asked, "numbers": count(1)})
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=[0.01])  # looks whether to end
        thread.start()
        yield Target(
            host="127.0.0.1",
            port=server.server_port,
            writer="X-Actor-ID: wanda\r\n",
            reviewer="X-Actor-ID: rob\r\n",
            start="/cases?page=1",
        )
        server.shutdown()
        thread.join()


@pytest.fixture(autouse=True)
def _begins_soon(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tests.bench.load._START_DELAY", 0.1)


def load(target: Target, mix: str) -> Figures:
    return put_under_load(target, mix, clients=2, seconds=0.3, warmup=0.1)


def test_a_load_tells_rate_times_and_connections(office: Target) -> None:
    figures = load(office, "lifecycle")

    assert figures.rate > 10
    assert 0 < figures.p50 <= figures.p95 <= figures.p99 < 1000
    assert set(figures.by_kind) == {"create", "submit", "start-review", "close"}
    assert figures.connects == 2


def test_one_wrong_answer_is_no_figure(office: Target, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Office, "closing_status", 409)

    with pytest.raises(BenchError, match=r"went wrong, the first one: close: 409"):
        load(office, "lifecycle")


def test_a_server_that_is_away_is_no_figure(office: Target) -> None:
    with pytest.raises(BenchError, match="detail: ConnectionRefusedError"):
        load(replace(office, port=1, case_ids=("CASE-000001",)), "detail")


def test_the_writer_creates_and_the_reviewer_decides(office: Target, asked) -> None:
    client = Client(office)

    client.lifecycle()

    case = "/cases/CASE-000001"
    assert asked == [
        ("/cases", "wanda"),
        (f"{case}/submit", "wanda"),
        (f"{case}/start-review", "rob"),
        (f"{case}/close", "rob"),
    ]
    client.connection.close()


def test_a_reader_follows_next_and_starts_again_at_the_end(office: Target, asked) -> None:
    client = Client(office)

    for _ in range(5):
        client.pages()

    assert [path[-1] for path, _ in asked] == ["1", "2", "3", "1", "2"]
    client.connection.close()
