"""A receiver of webhooks that checks signatures, writes down what it reads, and misbehaves."""

from __future__ import annotations

import asyncio
import contextlib
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final, Literal

from standardwebhooks import Webhook

from tests.drill.arrivals import Arrival

Mood = Literal["well", "answers 500", "hangs", "cuts after reading"]
_HANG_SECONDS: Final = 30.0
# For each message, so that what fails, fails in the middle of a batch.
_WORK_SECONDS: Final = 0.02


class Receiver:
    """What came in, in order, and how the next requests are answered."""

    def __init__(self, secret: str) -> None:
        self.mood: Mood = "well"
        self.port = 0
        self.arrivals: list[Arrival] = []
        self._checked = Webhook(secret)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Serve one connection until either side has enough."""
        gone = (asyncio.IncompleteReadError, asyncio.CancelledError, OSError)
        with contextlib.suppress(*gone):
            while await self._answer(reader, writer):
                pass
        writer.close()

    async def _answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
        lines = (line.partition(":") for line in head.split("\r\n")[1:])
        headers = {name.lower(): value.strip() for name, _, value in lines}
        body = await reader.readexactly(int(headers["content-length"]))
        self._checked.verify(body, headers)  # raises: a wrong signature is a fault of the drill
        await asyncio.sleep(_WORK_SECONDS)
        message, mood = json.loads(body), self.mood
        self.arrivals.append(Arrival.of(message, taken=mood == "well"))
        if mood == "hangs":
            await asyncio.sleep(_HANG_SECONDS)
        if mood in ("hangs", "cuts after reading"):
            return False
        status = b"204 No Content" if mood == "well" else b"500 Internal Server Error"
        writer.write(b"HTTP/1.1 " + status + b"\r\nContent-Length: 0\r\n\r\n")
        await writer.drain()
        return True


@contextmanager
def running(secret: str) -> Iterator[Receiver]:
    """Run the receiver until the end of the block, in a thread."""
    receiver, loop, up = Receiver(secret), asyncio.new_event_loop(), threading.Event()
    ended = asyncio.Event()

    async def run() -> None:
        server = await asyncio.start_server(receiver.serve, "127.0.0.1", 0)
        receiver.port = server.sockets[0].getsockname()[1]
        up.set()
        await ended.wait()
        server.close()
        connections = asyncio.all_tasks() - {asyncio.current_task()}
        for connection in connections:
            connection.cancel()
        await asyncio.gather(*connections, return_exceptions=True)

    thread = threading.Thread(target=loop.run_until_complete, args=(run(),), daemon=True)
    thread.start()
    up.wait()
    try:
        yield receiver
    finally:
        loop.call_soon_threadsafe(ended.set)
        thread.join()
