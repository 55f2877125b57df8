"""Before a listening socket is closed: who was let in stays, and nobody else comes in."""

from __future__ import annotations

import socket
from collections.abc import Iterator

import pytest

from config.sockets import admit_no_more

MOMENT = 0.3  # seconds; on one machine a connection takes none of it


@pytest.fixture(params=[(socket.AF_INET, "127.0.0.1"), (socket.AF_INET6, "::1")], ids=["4", "6"])
def listener(request) -> Iterator[socket.socket]:
    family, host = request.param
    with socket.create_server((host, 0), family=family) as server:
        server.settimeout(5)
        yield server


def test_who_was_let_in_before_is_accepted_and_answered(listener) -> None:
    with socket.create_connection(listener.getsockname()[:2], 5) as caller:
        admit_no_more(listener)
        caller.sendall(b"a request")
        accepted, _ = listener.accept()
        with accepted:
            assert accepted.recv(9) == b"a request"
            accepted.sendall(b"an answer")
        assert caller.recv(9) == b"an answer"


def test_who_comes_later_waits_and_is_not_let_in_to_be_reset(listener) -> None:
    admit_no_more(listener)

    with pytest.raises(TimeoutError):
        socket.create_connection(listener.getsockname()[:2], MOMENT)

    listener.setblocking(False)
    with pytest.raises(BlockingIOError):
        listener.accept()


def test_who_comes_later_finds_whoever_listens_there_next(listener) -> None:
    address = listener.getsockname()[:2]
    admit_no_more(listener)
    listener.close()

    with (
        socket.create_server(address, family=listener.family),
        socket.create_connection(address, 5) as caller,
    ):
        assert caller.getpeername()[:2] == address


def test_a_socket_of_this_machine_alone_is_left_as_it_is(tmp_path) -> None:
    path = str(tmp_path / "s")
    with socket.socket(socket.AF_UNIX) as server, socket.socket(socket.AF_UNIX) as caller:
        server.bind(path)
        server.listen()
        admit_no_more(server)
        caller.settimeout(5)
        caller.connect(path)
