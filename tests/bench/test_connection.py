"""The clients' connection reads what servers send, and notices what they do not."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterator

import pytest

from tests.bench.connection import Connection

REQUEST = b"GET / HTTP/1.1\r\nHost: here\r\n\r\n"
Script = list[list[bytes]]  # per connection, what is sent for each request; b"" ends it at once


@pytest.fixture
def serve() -> Iterator[Callable[[Script], Connection]]:
    """Return a connection to a server that plays a script."""
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def play(script: Script) -> None:
            for answers in script:
                peer, _ = listener.accept()
                with peer:
                    for answer in answers:
                        if not peer.recv(4096):
                            break
                        for piece in answer.split(b"|"):
                            peer.sendall(piece)

        threads: list[threading.Thread] = []

        def start(script: Script) -> Connection:
            threads.append(threading.Thread(target=play, args=(script,), daemon=True))
            threads[-1].start()
            return Connection(*listener.getsockname(), timeout=5)

        yield start
    for thread in threads:
        thread.join(5)


def test_an_answer_of_known_length_is_read_to_its_end(serve) -> None:
    connection = serve([[b"HTTP/1.1 201 Created\r\nContent-|Length: 5\r\n\r\nhe|llo"]])

    assert connection.exchange(REQUEST) == (201, b"hello")
    connection.close()


def test_an_answer_in_chunks_is_put_together(serve) -> None:
    head = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
    connection = serve([[head + b"3;x=y\r\nhel\r|\n2\r\nlo\r\n0\r\nTrailer: 1\r\n\r\n"]])

    assert connection.exchange(REQUEST) == (200, b"hello")
    connection.close()


def test_two_answers_on_one_connection_are_told_apart(serve) -> None:
    answer = b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\n"
    connection = serve([[answer + b"a", answer + b"b"]])

    assert [connection.exchange(REQUEST).body for _ in range(2)] == [b"a", b"b"]
    assert connection.connects == 1
    connection.close()


def test_a_kept_connection_that_was_closed_meanwhile_is_opened_again(serve) -> None:
    answer = b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\n"
    connection = serve([[answer + b"a"], [answer + b"b"]])

    assert [connection.exchange(REQUEST).body for _ in range(2)] == [b"a", b"b"]
    assert connection.connects == 2
    connection.close()


def test_an_answer_that_breaks_off_is_an_error(serve) -> None:
    connection = serve([[b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhe"]])

    with pytest.raises(ConnectionError):
        connection.exchange(REQUEST)


def test_a_server_that_says_nothing_at_all_is_an_error(serve) -> None:
    connection = serve([[b""]])

    with pytest.raises(ConnectionError):
        connection.exchange(REQUEST)
