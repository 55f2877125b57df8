"""What the web server's worker does with a socket itself: looks, keeps, refuses."""

from __future__ import annotations

import ctypes
import json
import select
import socket
import struct
from contextlib import suppress
from typing import Any, Final

from gunicorn.http import errors

_SO_ATTACH_FILTER: Final = 26  # from Linux' <asm/socket.h>
# Drop what has the flag SYN, by which a connection begins (RFC 9293, 3.1), and keep all else: a
# program of Linux' socket filters, each line an operation, where to go on, and a number.
_NO_SYN: Final = b"".join(
    struct.pack("HBBI", *line)
    for line in ((0x30, 0, 0, 13), (0x45, 0, 1, 0x02), (0x06, 0, 0, 0), (0x06, 0, 0, 2**32 - 1))
)
_LEFT: Final = select.POLLHUP | select.POLLERR | select.POLLNVAL
# What is refused before there is a request: status, reason, error and message of the answer.
_REFUSALS: Final[list[tuple[type[Exception], tuple[int, str, str, str]]]] = [
    (
        errors.LimitRequestLine,
        (414, "URI Too Long", "uri_too_long", "The request line is too long."),
    ),
    (
        errors.LimitRequestHeaders,
        (431, "Request Header Fields Too Large", "headers_too_large", "The headers are too large."),
    ),
    (
        errors.ParseException,
        (400, "Bad Request", "malformed_request", "This is no HTTP request."),
    ),
]


def refusal(error: Exception) -> bytes | None:
    """Return the whole answer to what is no request; None where there is none of ours."""
    found = next((answer for kind, answer in _REFUSALS if isinstance(error, kind)), None)
    if found is None:
        return None
    status, reason, code, message = found
    body = json.dumps({"error": code, "message": message, "details": {}}).encode()
    head = (
        f"HTTP/1.1 {status} {reason}\r\nConnection: close\r\nContent-Type: application/json\r\n"
        "X-Content-Type-Options: nosniff\r\nCache-Control: no-store\r\n"
        f"Content-Length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body


def admit_no_more(listener: socket.socket) -> None:
    """Have Linux ignore who asks for a connection from now on, whatever process listens here.

    Who was let in before waits to be accepted as ever. The others ask again a second later, and are
    refused by then, or find whoever listens there next.
    """
    if listener.family not in (socket.AF_INET, socket.AF_INET6):
        return
    code = ctypes.create_string_buffer(_NO_SYN, len(_NO_SYN))
    program = struct.pack("HP", len(_NO_SYN) // 8, ctypes.addressof(code))
    with suppress(OSError):  # some sandboxes have no filters
        listener.setsockopt(socket.SOL_SOCKET, _SO_ATTACH_FILTER, program)


def asks_for_health(sock: socket.socket) -> bool:
    """Look at what has come, and leave it there: a whole request without a body, and no second."""
    try:
        come = sock.recv(4096, socket.MSG_PEEK | socket.MSG_DONTWAIT)
    except OSError:
        return False
    head, end, more = come.partition(b"\r\n\r\n")
    return (
        head.startswith((b"GET /health/", b"HEAD /health/"))
        and end != b""
        and more == b""
        and not any(name in head.lower() for name in (b"content-length:", b"transfer-encoding:"))
    )


def has_come(fd: int) -> bool:
    """Tell whether something can be read; hung up is no request, who has left is not waited for."""
    look = select.poll()
    look.register(fd, select.POLLIN)
    return any(event & select.POLLIN and not event & _LEFT for _, event in look.poll(0))


class InOnePacket:
    """A socket that keeps the first part of an answer, its head, until the second one comes.

    Corking the connection would do the same, but uncorking sends, which takes its time, and Python
    lets no other thread run meanwhile. While it sends, it does.
    """

    def __init__(self, sock: socket.socket) -> None:
        self._sock = sock
        self._head: bytes | None = None

    def sendall(self, data: bytes) -> None:
        """Keep what comes first; send everything else at once. Raises OSError."""
        if self._head is None:
            self._head = data
            return
        head, self._head = self._head, b""
        self._sock.sendall(head + data if head else data)

    def flush(self) -> None:
        """Send what has been kept. Raises OSError."""
        if self._head:
            self.sendall(b"")

    def __getattr__(self, name: str) -> Any:
        """Do anything else with the socket itself, after what has been kept."""
        self.flush()
        return getattr(self._sock, name)
