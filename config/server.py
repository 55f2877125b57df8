"""The web server's worker: gunicorn's with threads, which wait for the next request themselves.

In gunicorn's own, one thread waits for all connections, hands each request to another one and gets
the connection back: two changes of threads a request, for an interpreter that only one of them can
have. Here every thread waits for any connection and answers it. What a request is, how it is read,
refused and answered stays gunicorn's (docs/decisions/0012-gunicorn-stays.md). Linux only.
"""

from __future__ import annotations

import select
import socket
import struct
import threading
import time
from contextlib import suppress
from typing import Any, Final

from gunicorn.util import close_graceful
from gunicorn.workers.gthread import (
    DEFAULT_WORKER_DATA_TIMEOUT,
    STOP_KEEPALIVE_LINGER,
    TConn,
    ThreadWorker,
)

from config import handover
from config.frames import with_room
from config.metrics import pools
from config.sockets import InOnePacket, admit_no_more, asks_for_health, has_come, refusal

_READABLE_ONCE: Final = select.EPOLLIN | select.EPOLLONESHOT
# How long a caller may say nothing in the middle of a request, or take nothing of an answer. A
# thread waits that long at most; for callers who send a byte now and then there are proxies.
_SILENCE: Final = struct.pack("ll", int(DEFAULT_WORKER_DATA_TIMEOUT), 0)
_REFUSING_TO_READ: Final = struct.pack("ll", 60, 0)
# Of a body that nobody has read, so much is taken before the connection is closed, within two
# seconds: who is still sending sees no answer of a connection that was reset. More than an upload.
_UNREAD: Final = 2**26
_LOOK: Final = 0.5  # seconds between two looks at whether to stop, and at idle connections
_STEP: Final = 0.05  # the same while it stops
_PROBES: Final = 64  # connections looked at for probes at once


class Worker(ThreadWorker):  # type: ignore[misc] # gunicorn has no types
    """Serves connections with ``threads`` threads that are all alike."""

    alive: bool
    nr_conns: int
    _accepting: bool

    def init_process(self) -> None:
        """Set up, in the worker's own process, and run."""
        self._epoll = select.epoll()
        self._listeners = {listener.fileno(): listener for listener in self.sockets}
        # Whoever takes a connection out of here owns it, until it is put back or closed.
        self._waiting: dict[int, TConn] = {}
        self._at_work: dict[int, float] = {}  # threads, and since when
        self._lock = threading.Lock()
        self._stop = threading.Event()
        self._serving = True
        super().init_process()

    def handle_exit(self, sig: int, frame: object) -> None:  # noqa: ARG002 (gunicorn's)
        """Begin to stop: SIGTERM. Not at once, so the worker counts as alive for now."""
        self._stop.set()

    def handle_quit(self, sig: int, frame: object) -> None:
        """End at once: SIGQUIT, and SIGINT to the master."""
        self._serving = False
        super().handle_quit(sig, frame)

    def run(self) -> None:
        """Let the threads serve until the worker is told to stop, then let them finish."""
        self.set_accept_enabled(True)
        for _ in range(self.cfg.threads):
            # A daemon: the process ends when its time is over, whatever a thread still waits for.
            threading.Thread(target=self._serve, daemon=True).start()
        handover.serves(self.age)
        # A worker that was just born had no ears for the signal.
        while self._goes_on() and not (self._stop.is_set() or handover.stopping()):
            self._look(time.monotonic())
            self._stop.wait(_LOOK)
        told = time.monotonic()
        if self._goes_on():
            self._stay(told)
        self._finish(told)

    def _goes_on(self) -> bool:
        return bool(self.alive and self.is_parent_alive())

    def _stay(self, told: float) -> None:
        """Serve on until others do: a balancer has turned away, or newer workers are up.

        Both are waited for by the clock, too. Of a stop every answer tells that it is the last on
        its connection; of a reload nobody has to know.
        """
        ends, newest = handover.stopping(), handover.newest()
        if ends:
            self.max_keepalived = 0
        end = told + (handover.drain_seconds if ends else self.cfg.graceful_timeout / 2)
        while self._goes_on() and (now := time.monotonic()) < end:
            if not ends and handover.newest() != newest:
                break
            self._look(now)
            time.sleep(_STEP)

    def _look(self, now: float) -> None:
        self.notify()
        pools.publish()
        self._close_idle(now)
        begun = [*self._at_work.values()]
        if len(begun) >= self.cfg.threads and max(begun) < now - _LOOK:
            self._answer_probes()

    def _answer_probes(self) -> None:
        """Answer who asks for health, where no thread has come to it for a while.

        They may all wait for a database that hangs. Then no probe is to take that for a process
        that does. What else has come is left to the threads, of this worker or of another one.
        This thread must not wait with them, or the master takes the worker for one that hangs.
        """
        for _ in range(2):  # a probe that has just been let in has mostly asked already
            for fd, _ in self._epoll.poll(0, _PROBES):
                self.notify()
                if fd in self._listeners:
                    time.sleep(_STEP)  # a worker that is free takes it first
                    self._accept(self._listeners[fd])
                elif (connection := self._waiting.get(fd)) is None:
                    continue
                elif asks_for_health(connection.sock):
                    if self._waiting.pop(fd, None) is not None:
                        self.handle(connection)
                        self._close(connection, graceful=False)
                else:
                    self._epoll.modify(fd, _READABLE_ONCE)

    def _finish(self, told: float) -> None:
        """Answer what has come; who keeps a connection has a moment to use it once more."""
        with self._lock:  # nobody is about to switch it on again
            self.alive = False
            self.set_accept_enabled(False)
        if handover.stopping() or not self.is_parent_alive():
            self._accept_the_last()
        self._listeners = {}  # their numbers are free for connections now
        for listener in self.sockets:
            listener.close()
        linger = time.monotonic() + STOP_KEEPALIVE_LINGER
        end = max(told + self.cfg.graceful_timeout, linger)
        while self.nr_conns > 0 and (now := time.monotonic()) < end:
            self.notify()
            self._close_idle(now if now < linger else float("inf"))
            time.sleep(_STEP)
        self._serving = False

    def _accept_the_last(self) -> None:
        """Take the connections that the system has taken for us: after this nobody would.

        It takes none from here on: one that came between the last look and the end would be reset.
        """
        for listener in self.sockets:
            admit_no_more(listener)
        time.sleep(_STEP)  # who has been half let in is in by then
        for listener in self.sockets:
            while self._accept(listener):
                pass

    def set_accept_enabled(self, enabled: bool) -> None:  # noqa: FBT001 (gunicorn's)
        """Begin or cease to take new connections."""
        if enabled == self._accepting:
            return
        for fd, listener in self._listeners.items():
            if enabled:
                listener.settimeout(0)
                # Of several workers one is woken for a connection, not all of them.
                self._epoll.register(fd, select.EPOLLIN | select.EPOLLEXCLUSIVE)
            else:
                self._epoll.unregister(fd)
        self._accepting = enabled

    @with_room
    def _serve(self) -> None:
        while self._serving:
            for fd, _ in self._epoll.poll(_LOOK, 1):
                try:
                    if fd in self._listeners:
                        self._accept(self._listeners[fd])
                    elif (connection := self._waiting.pop(fd, None)) is not None:
                        self._work(fd, connection)
                except Exception:
                    self.log.exception("A connection failed.")

    def _accept(self, listener: socket.socket) -> bool:
        try:
            client, address = listener.accept()
        except OSError:  # another thread or worker was faster, or the caller has left
            return False
        client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVTIMEO, _SILENCE)
        client.setsockopt(socket.SOL_SOCKET, socket.SO_SNDTIMEO, _REFUSING_TO_READ)
        self._count(1)
        self._wait(client.fileno(), TConn(self.cfg, client, address, listener.getsockname()))
        return True

    def _work(self, fd: int, connection: TConn) -> None:
        thread = threading.get_ident()
        self._at_work[thread] = time.monotonic()
        try:
            self._answer(fd, connection)
        finally:
            del self._at_work[thread]

    def _answer(self, fd: int, connection: TConn) -> None:
        goes_on = self.handle(connection)
        while goes_on is True and connection.parser.unreader.buf.getvalue():
            goes_on = self.handle(connection)  # the next request came along with this one
        # Neither True nor False: nothing came on it yet.
        if goes_on and (self.alive or goes_on is True):
            self._wait(fd, connection)
        else:
            self._close(connection, graceful=True)

    def handle_request(self, req: Any, conn: TConn) -> bool:
        """Answer a request; headers and body leave in one packet, so the caller is woken once."""
        if threading.current_thread() is threading.main_thread():
            req.force_close()  # what may come behind this is not for the thread that watches
        sock = conn.sock
        conn.sock = answer = InOnePacket(sock)
        try:
            goes_on = bool(super().handle_request(req, conn))
            answer.flush()
        finally:
            conn.sock = sock
        return goes_on

    def _wait(self, fd: int, connection: TConn) -> None:
        new = connection.timeout is None
        connection.set_timeout()
        self._waiting[fd] = connection
        if new:
            self._epoll.register(fd, _READABLE_ONCE)
        else:
            self._epoll.modify(fd, _READABLE_ONCE)

    def _close(self, connection: TConn, *, graceful: bool) -> None:
        try:
            with suppress(OSError):
                if graceful:
                    close_graceful(connection.sock, max_drain=_UNREAD)
                else:
                    connection.close()
        finally:
            self._count(-1)

    def _close_idle(self, now: float) -> None:
        """Close what is idle for too long; where something has come, a thread will get to it."""
        for fd, connection in list(self._waiting.items()):
            if connection.timeout > now or has_come(fd):
                continue
            if self._waiting.get(fd) is connection and self._waiting.pop(fd, None):
                self._close(connection, graceful=False)

    def _count(self, change: int) -> None:
        with self._lock:
            self.nr_conns += change
            if self.alive:
                self.set_accept_enabled(self.nr_conns < self.worker_connections)

    def handle_error(self, req: Any, client: socket.socket, addr: Any, exc: Exception) -> None:
        """Refuse what is no request in the form of all other refusals."""
        answer = refusal(exc)
        if answer is None:
            super().handle_error(req, client, addr, exc)
            return
        self.log.warning("Refused a request: %s", type(exc).__name__)
        with suppress(OSError):
            client.sendall(answer)
