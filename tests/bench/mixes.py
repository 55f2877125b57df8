"""What the clients do: one function per mix, one call per round trip of work."""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from tests.bench.connection import Connection

LIST_OF_50 = "/cases?status=UNDER_REVIEW&limit=50"
PAGES_FOLLOWED = 20  # pages that a reader turns from where it starts


@dataclass(frozen=True, kw_only=True)
class Target:
    """A server under load: where it listens, who calls it, what is in it.

    Attributes:
        writer: header lines of the one who creates and submits.
        reviewer: header lines of the one who starts the review, closes and reads.
        case_ids: ids that the reader may see, for ``detail``.
        start: path of the first page that ``pages`` reads.
    """

    host: str
    port: int
    writer: str
    reviewer: str
    case_ids: tuple[str, ...] = ()
    start: str = ""


@dataclass
class Client:
    """One caller in a closed loop: the next request leaves when the last answer is there."""

    target: Target
    seconds: dict[str, list[float]] = field(default_factory=dict)
    errors: int = 0
    first_error: str | None = None

    def __post_init__(self) -> None:
        self.connection = Connection(self.target.host, self.target.port)
        self._next: str | None = None
        self._turned = 0

    def ask(
        self, kind: str, line: str, headers: str, body: bytes = b"", *, status: int = 200
    ) -> bytes | None:
        """Send a request, time it, count every other status as an error; returns the body."""
        target = self.target
        length = ""
        if line.startswith("POST"):
            length = f"Content-Length: {len(body)}\r\n"
            if body:
                length += "Content-Type: application/json\r\n"
        head = (
            f"{line} HTTP/1.1\r\nHost: {target.host}:{target.port}\r\n"
            f"Accept: application/json\r\n{headers}{length}\r\n"
        )
        request = head.encode() + body
        started = time.perf_counter()
        try:
            answer = self.connection.exchange(request)
        except (OSError, ValueError) as error:
            self._wrong(f"{kind}: {error!r}")
            time.sleep(0.05)  # a server that is gone must not be asked a thousand times a second
            return None
        self.seconds.setdefault(kind, []).append(time.perf_counter() - started)
        if answer.status != status:
            self._wrong(f"{kind}: {answer.status} {answer.body[:300]!r}")
            return None
        return answer.body

    def _wrong(self, what: str) -> None:
        self.errors += 1
        self.first_error = self.first_error or what

    def lifecycle(self) -> None:
        """Create, submit, start the review, close: four requests, by two people."""
        writer, reviewer = self.target.writer, self.target.reviewer
        title = b'{"title":"Late reporting of position limits"}'
        created = self.ask("create", "POST /cases", writer, title, status=201)
        if created is None:
            return
        path = "POST /cases/" + _text(created, "id")
        self.ask("submit", f"{path}/submit", writer)
        reviewer_id = b'{"reviewer_id":"reviewer-1"}'
        self.ask("start-review", f"{path}/start-review", reviewer, reviewer_id)
        self.ask("close", f"{path}/close", reviewer, b'{"reason":"Reports received in full"}')

    def detail(self) -> None:
        """Read one of many cases."""
        case_id = random.choice(self.target.case_ids)
        self.ask("detail", f"GET /cases/{case_id}", self.target.reviewer)

    def list(self) -> None:
        """Read the first page of what is under review."""
        self.ask("list", f"GET {LIST_OF_50}", self.target.reviewer)

    def pages(self) -> None:
        """Turn pages from where the target says, and start again there after some of them."""
        path = self._next or self.target.start
        page = self.ask("pages", f"GET {path}", self.target.reviewer)
        self._turned += 1
        following = _text(page, "next") if page and self._turned % PAGES_FOLLOWED else ""
        parts = urlsplit(following)
        self._next = f"{parts.path}?{parts.query}" if following else None

    def live(self) -> None:
        """Ask for nothing: what the server and the framework cost by themselves."""
        self.ask("live", "GET /health/live", "")


MIXES: dict[str, Callable[[Client], None]] = {
    "lifecycle": Client.lifecycle,
    "detail": Client.detail,
    "list": Client.list,
    "pages": Client.pages,
    "live": Client.live,
}


def _text(body: bytes, name: str) -> str:
    """Return the first text of this name in a JSON body, or "": parsing it all would cost more."""
    start = body.find(b'"%s":' % name.encode())
    if start < 0:
        return ""
    rest = body[start + len(name) + 3 :].lstrip()
    return rest[1 : rest.index(b'"', 1)].decode() if rest.startswith(b'"') else ""
