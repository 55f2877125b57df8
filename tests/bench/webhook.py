"""A receiver of webhooks that takes its time, and looks at the order of what comes."""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Final

from tests.bench.load import BenchError

SECONDS: Final = 0.05  # for each message


class Slow:
    """What came in, by case."""

    def __init__(self) -> None:
        self.port = 0
        self.by_case: dict[str, list[str]] = {}

    def forget(self) -> None:
        """Begin anew."""
        self.by_case = {}

    def check(self, count: int) -> None:
        """Compare what came with what was owed.

        Raises:
            BenchError: messages are missing, came twice, or out of order.
        """
        came = sum(map(len, self.by_case.values()))
        if came != count:
            message = f"{came} of {count} webhooks came."
            raise BenchError(message)
        for case_id, sequences in self.by_case.items():
            if sequences != sorted(set(sequences)):
                message = f"The webhooks of {case_id} came as {sequences}."
                raise BenchError(message)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Answer each request of a connection after its time."""
        with suppress(asyncio.IncompleteReadError, ConnectionError):
            while True:
                head = await reader.readuntil(b"\r\n\r\n")
                (length,) = (
                    int(line.partition(b":")[2])
                    for line in head.lower().split(b"\r\n")
                    if line.startswith(b"content-length:")
                )
                message = json.loads(await reader.readexactly(length))
                await asyncio.sleep(SECONDS)
                self.by_case.setdefault(message["subject"], []).append(message["sequence"])
                writer.write(b"HTTP/1.1 204 No Content\r\n\r\n")
                await writer.drain()
        writer.close()


@contextmanager
def slow_receiver() -> Iterator[Slow]:
    """Run the receiver until the end of the block, in a thread."""
    slow, loop, up = Slow(), asyncio.new_event_loop(), threading.Event()

    async def run() -> None:
        server = await asyncio.start_server(slow.serve, "127.0.0.1", 0)
        slow.port = server.sockets[0].getsockname()[1]
        up.set()
        await ended.wait()
        server.close()

    ended = asyncio.Event()
    thread = threading.Thread(target=loop.run_until_complete, args=(run(),), daemon=True)
    thread.start()
    up.wait()
    try:
        yield slow
    finally:
        loop.call_soon_threadsafe(ended.set)
        thread.join()
        loop.close()
