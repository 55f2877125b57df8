"""Many callers at once, who keep their connections and count every request that failed."""

from __future__ import annotations

import socket
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field

from tests.api.server import PATIENCE

CREATE = b"POST", b"/cases", b'{"title":"Late reporting"}'
READS = (b"GET", b"/health/live", b""), (b"GET", b"/cases?limit=5", b"")


@dataclass
class Tally:
    """What all callers have seen. ``failed`` says of each lost request how it was lost."""

    answers: Counter[tuple[bytes, int]] = field(default_factory=Counter)
    failed: list[str] = field(default_factory=list)
    closes: int = 0
    """Connections that an answer announced to be the last on."""
    pause: float = 0.0
    """For how long each caller does nothing between two requests, in seconds."""

    @property
    def total(self) -> int:
        return self.answers.total()


class Caller(threading.Thread):
    """Asks one request after another, each on the connection of the last where that was kept.

    A connection that is refused has carried nothing, so the caller just looks for another server,
    as a balancer does; without any it has done its work. Whatever else is not a whole answer with a
    status below 400 is a request that failed.
    """

    def __init__(self, tally: Tally, ended: threading.Event, choose: Callable[[], int | None]):
        super().__init__(daemon=True)
        self._tally, self._ended, self._choose = tally, ended, choose
        self._socket: socket.socket | None = None
        self._port = 0

    def run(self) -> None:
        count = 0
        while not self._ended.is_set() and self._connect():
            method, path, body = CREATE if count % 3 == 0 else READS[count % 2]
            count += 1
            try:
                self._ask(method, path, body)
            except (OSError, ValueError) as error:
                self._tally.failed.append(f"{method.decode()} {path.decode()}: {error!r}")
                self._close()
            self._ended.wait(self._tally.pause)
        self._close()

    def _connect(self) -> bool:
        if self._socket is not None and self._choose() == self._port:
            return True
        self._close()
        while (port := self._choose()) is not None and not self._ended.is_set():
            with suppress(ConnectionRefusedError):
                self._socket = socket.create_connection(("127.0.0.1", port), PATIENCE)
                self._port = port
                return True
            if self._choose() == port:
                return False
        return False

    def _ask(self, method: bytes, path: bytes, body: bytes) -> None:
        assert self._socket is not None
        self._socket.sendall(
            b"%s %s HTTP/1.1\r\nHost: localhost\r\nX-Actor-ID: wanda\r\n"
            b"X-Actor-Roles: case_writer\r\nContent-Type: application/json\r\n"
            b"Content-Length: %d\r\n\r\n%s" % (method, path, len(body), body)
        )
        head, whole = self._answer()
        status = int(head[9:12])
        self._tally.answers[method, status] += 1
        if status >= 400 or not whole:
            message = f"{head[:40]!r}, whole: {whole}"
            raise ValueError(message)
        if b"\r\nConnection: close" in head:
            self._tally.closes += 1
            self._close()

    def _answer(self) -> tuple[bytes, bool]:
        assert self._socket is not None
        got = b""
        while b"\r\n\r\n" not in got:
            if not (more := self._socket.recv(65_536)):
                message = f"the connection ended after {len(got)} bytes"
                raise ValueError(message)
            got += more
        head, _, rest = got.partition(b"\r\n\r\n")
        length = next(int(x[15:]) for x in head.split(b"\r\n") if x[:15] == b"Content-Length:")
        while len(rest) < length and (more := self._socket.recv(65_536)):
            rest += more
        return head, len(rest) == length

    def _close(self) -> None:
        if self._socket is not None:
            self._socket.close()
            self._socket = None


@contextmanager
def calling(count: int, choose: Callable[[], int | None]) -> Iterator[Tally]:
    """Let so many callers ask, all the time that the block takes, whom ``choose`` names."""
    tally, ended = Tally(), threading.Event()
    callers = [Caller(tally, ended, choose) for _ in range(count)]
    for caller in callers:
        caller.start()
    try:
        yield tally
    finally:
        ended.set()
        for caller in callers:
            caller.join(PATIENCE)
