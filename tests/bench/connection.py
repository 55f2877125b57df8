"""One keep-alive HTTP/1.1 connection over a raw socket: as little client as can be."""

from __future__ import annotations

import socket
from typing import Final, NamedTuple

_HEAD_END: Final = b"\r\n\r\n"
_READ: Final = 262_144  # bytes
_LARGEST_HEAD: Final = 65_536  # bytes


class Answer(NamedTuple):
    """What a server sent back."""

    status: int
    body: bytes


class Connection:
    """Sends one request after the other and reads each answer to its end.

    A client library would cost more than some of the servers measured: this one takes about
    0.05 ms of CPU per request.
    """

    def __init__(self, host: str, port: int, timeout: float = 30.0) -> None:
        self._address = (host, port)
        self._timeout = timeout
        self._socket: socket.socket | None = None
        self._unread = b""
        self.connects = 0

    def exchange(self, request: bytes) -> Answer:
        """Send a request, return its answer; a kept connection that has died is opened again once.

        Raises:
            OSError: the server cannot be reached, or went away within the answer.
            ValueError: what it sent is no HTTP.
        """
        kept = self._socket is not None
        try:
            return self._exchange(request)
        except _Closed:
            self.close()
            if not kept:
                raise
        except (OSError, ValueError):
            self.close()
            raise
        return self._exchange(request)

    def close(self) -> None:
        """Close the connection; the next request opens another."""
        if self._socket is not None:
            self._socket.close()
        self._socket, self._unread = None, b""

    def _exchange(self, request: bytes) -> Answer:
        if self._socket is None:
            self._socket = socket.create_connection(self._address, self._timeout)
            self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self.connects += 1
        try:
            self._socket.sendall(request)
            self._receive()
        except (ConnectionError, _EndOfStream):
            raise _Closed(*self._address) from None
        head = self._head()
        status = int(head[9:12])
        body = self._body(head)
        if b"\r\nconnection: close" in head:
            self.close()
        return Answer(status, body)

    def _head(self) -> bytes:
        while (end := self._unread.find(_HEAD_END)) < 0:
            if len(self._unread) > _LARGEST_HEAD:
                message = "The head of the answer does not end."
                raise ValueError(message)
            self._receive()
        head, self._unread = self._unread[:end].lower(), self._unread[end + len(_HEAD_END) :]
        return head

    def _body(self, head: bytes) -> bytes:
        start = head.find(b"\r\ncontent-length:")
        if start >= 0:
            return self._take(int(head[start + 17 :].split(b"\r\n", 1)[0]))
        if b"\r\ntransfer-encoding: chunked" in head:
            body = bytearray()
            while size := int(self._line().split(b";", 1)[0], 16):
                body += self._take(size)
                self._take(2)
            while self._line():
                pass  # trailers
            return bytes(body)
        message = "The answer says neither how long it is nor that it comes in chunks."
        raise ValueError(message)

    def _line(self) -> bytes:
        while (end := self._unread.find(b"\r\n")) < 0:
            self._receive()
        line, self._unread = self._unread[:end], self._unread[end + 2 :]
        return line

    def _take(self, size: int) -> bytes:
        if len(self._unread) < size:
            parts, have = [self._unread], len(self._unread)
            while have < size:
                self._unread = b""
                self._receive()
                parts.append(self._unread)
                have += len(self._unread)
            self._unread = b"".join(parts)
        taken, self._unread = self._unread[:size], self._unread[size:]
        return taken

    def _receive(self) -> None:
        assert self._socket is not None
        data = self._socket.recv(_READ)
        if not data:
            raise _EndOfStream
        self._unread += data


class _Closed(ConnectionError):
    """The server had closed the connection before it answered anything."""


class _EndOfStream(ConnectionError):
    """The server closed the connection where more was to come."""
