"""The web server's worker: connections that are kept, slow, idle, many or broken, and its end."""

from __future__ import annotations

import json
import socket
import threading
import time
from collections.abc import Iterator

import pytest

from tests.api.server import PATIENCE, Server, copied_database, running_server

pytestmark = pytest.mark.django_db

TWO_LENGTHS = (
    b"POST /cases HTTP/1.1\r\nHost: localhost\r\nContent-Length: 3\r\n"
    b"Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n"
)
LIVE = b"GET /health/live HTTP/1.1\r\nHost: localhost\r\n\r\n"


@pytest.fixture(scope="module")
def database(django_db_setup, django_db_blocker) -> Iterator[str]:
    with django_db_blocker.unblock(), copied_database() as url:
        yield url


@pytest.fixture(scope="module")
def server(database) -> Iterator[Server]:
    """Start the service with its two threads."""
    with running_server(database, threads=2, KEEP_ALIVE_SECONDS="2") as server:
        yield server


def connected(server: Server) -> socket.socket:
    return socket.create_connection(("127.0.0.1", server.port), PATIENCE)


def answers(caller: socket.socket, count: int = 1) -> list[bytes]:
    """Return the next answers on a connection, each whole; fewer where it ends before."""
    got, found = b"", []
    while len(found) < count:
        head, end, rest = got.partition(b"\r\n\r\n")
        length = next(
            (int(line[15:]) for line in head.split(b"\r\n") if line[:15] == b"Content-Length:"), 0
        )
        if end and len(rest) >= length:
            found.append(head + end + rest[:length])
            got = rest[length:]
        elif more := caller.recv(65_536):
            got += more
        else:
            break
    return found


def test_a_kept_connection_takes_one_request_after_another(server) -> None:
    with connected(server) as caller:
        for _ in range(5):
            caller.sendall(LIVE)
            assert answers(caller)[0].startswith(b"HTTP/1.1 200 ")


def test_requests_sent_without_waiting_are_answered_in_their_order(server) -> None:
    with connected(server) as caller:
        caller.sendall(LIVE + LIVE.replace(b"live", b"none") + LIVE)

        assert [a[9:12] for a in answers(caller, 3)] == [b"200", b"404", b"200"]


def test_callers_that_say_nothing_keep_nobody_waiting(server) -> None:
    silent = [connected(server) for _ in range(20)]
    try:
        started = time.monotonic()
        assert server.get("/health/live")[0] == 200
        assert time.monotonic() - started < 2
    finally:
        for caller in silent:
            caller.close()


def test_requests_that_stop_halfway_keep_nobody_waiting_for_long_and_do_nothing(server) -> None:
    with connected(server) as head, connected(server) as body:  # one for each thread
        head.sendall(LIVE[:30])
        body.sendall(
            b"POST /cases HTTP/1.1\r\nHost: localhost\r\nX-Actor-ID: wanda\r\n"
            b"X-Actor-Roles: case_writer\r\nContent-Type: application/json\r\n"
            b'Content-Length: 26\r\n\r\n{"title":'
        )
        time.sleep(0.5)

        assert server.get("/health/live")[0] == 200
        assert answers(head) == []
        [answer] = answers(body)
        assert body.recv(1) == b""

    assert answer.startswith(b"HTTP/1.1 400 ")
    assert b"The body stopped before its end." in answer
    assert "unhandled_error" not in server.logged()


def test_who_sends_a_large_body_to_what_refuses_it_unread_gets_the_answer(server) -> None:
    with connected(server) as caller:
        caller.sendall(
            b"POST /cases HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
            b"Content-Length: 9000000\r\n\r\n"
        )
        for _ in range(90):
            caller.sendall(b"x" * 100_000)
        [answer] = answers(caller)

    assert answer.startswith(b"HTTP/1.1 401 ")


def test_a_connection_that_is_not_used_again_is_closed(server) -> None:
    with connected(server) as caller:
        caller.sendall(LIVE)
        answers(caller)

        assert caller.recv(1) == b""


def test_more_callers_at_once_than_threads_all_get_their_answers(server) -> None:
    seen: list[bytes] = []

    def call() -> None:
        with connected(server) as caller:
            for _ in range(20):
                caller.sendall(LIVE)
                seen.append(answers(caller)[0][9:12])

    callers = [threading.Thread(target=call) for _ in range(12)]
    for caller in callers:
        caller.start()
    for caller in callers:
        caller.join()

    assert seen == [b"200"] * 240


@pytest.mark.parametrize(
    ("request_", "status", "error"),
    [
        (b"GET /cases?x=" + b"x" * 9_000 + b" HTTP/1.1\r\n\r\n", b"414", "uri_too_long"),
        (b"GET / HTTP/1.1\r\nX: " + b"x" * 9_000 + b"\r\n\r\n", b"431", "headers_too_large"),
        (b"GET / HTTP/1.1\r\n" + b"X: y\r\n" * 200 + b"\r\n", b"431", "headers_too_large"),
        (b"what is this\r\n\r\n", b"400", "malformed_request"),
        (b"GET / HTTP/1.1\r\nno colon\r\n\r\n", b"400", "malformed_request"),
        (TWO_LENGTHS, b"400", "malformed_request"),
    ],
    ids=["a long line", "a long header", "many headers", "no request", "no header", "two lengths"],
)
def test_what_is_no_request_is_refused_like_everything_else(server, request_, status, error):
    with connected(server) as caller:
        caller.sendall(request_)
        [answer] = answers(caller)
        assert caller.recv(1) == b""

    head, _, body = answer.partition(b"\r\n\r\n")
    assert head[9:12] == status
    assert b"Content-Type: application/json" in head
    assert b"X-Content-Type-Options: nosniff" in head
    assert json.loads(body)["error"] == error


def test_all_filters_of_a_list_fit_into_one_line(server) -> None:
    words = "%C3%A4" * 200
    path = f"/cases?category={words}&source={words}&search={words}&assigned_reviewer_id={words}"
    assert 4_094 < len(path) < 8_000

    assert server.get(path)[0] == 401


def test_told_to_stop_it_answers_what_is_under_way_and_ends(database) -> None:
    with running_server(database, threads=2) as own, connected(own) as kept:
        body = b'{"title":"Late reporting"}'
        kept.sendall(LIVE)
        answers(kept)
        with connected(own) as slow:
            slow.sendall(
                b"POST /cases HTTP/1.1\r\nHost: localhost\r\nX-Actor-ID: wanda\r\n"
                b"X-Actor-Roles: case_writer\r\nContent-Type: application/json\r\n"
                b"Content-Length: %d\r\n\r\n" % len(body)
            )
            time.sleep(0.5)  # a thread waits for the body now
            own.process.terminate()
            time.sleep(0.5)
            slow.sendall(body)
            assert answers(slow)[0].startswith(b"HTTP/1.1 201 ")
        kept.sendall(LIVE)  # crossed the stop on its way
        [last] = answers(kept)
        assert last.startswith(b"HTTP/1.1 200 ")
        assert b"Connection: close" in last
        assert own.process.wait(PATIENCE) == 0
        with pytest.raises(OSError, match="refused"):
            connected(own)
