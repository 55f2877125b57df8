"""A real RabbitMQ for tests, and a line to it that can be cut."""

from __future__ import annotations

import asyncio
import os
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any
from uuid import uuid4

import aio_pika
import pytest
from aio_pika.abc import AbstractIncomingMessage
from yarl import URL

BROKER = URL(os.environ.get("TEST_RABBITMQ_URL", "amqp://guest:guest@127.0.0.1:5672/"))


def insist_on_a_broker() -> None:
    """Skip where no broker answers; on a machine that should have one, fail."""
    try:
        socket.create_connection((str(BROKER.host), BROKER.port or 5672), timeout=2).close()
    except OSError as error:
        reason = f"No RabbitMQ answers on {BROKER.host}:{BROKER.port} ({error}); CI insists on it."
        if os.environ.get("CI"):
            pytest.fail(reason)
        pytest.skip(reason)


class Bench:
    """An exchange's name and a queue of this test alone."""

    def __init__(self) -> None:
        self.exchange = f"test-{uuid4().hex}"
        self.queue = f"{self.exchange}-queue"

    def bind(self, *keys: str, **arguments: Any) -> None:
        """Declare the queue and bind it to the exchange."""

        async def work(channel: Any) -> None:
            exchange = await channel.declare_exchange(self.exchange, "topic", durable=True)
            queue = await channel.declare_queue(self.queue, durable=True, arguments=arguments)
            for key in keys or ("org.regulator.case.#",):
                await queue.bind(exchange, key)

        self._with_channel(work)

    def read(self) -> list[AbstractIncomingMessage]:
        """Return what lies in the queue, and take it out."""
        found: list[AbstractIncomingMessage] = []

        async def work(channel: Any) -> None:
            queue = await channel.get_queue(self.queue)
            while (message := await queue.get(fail=False, no_ack=True)) is not None:
                found.append(message)

        self._with_channel(work)
        return found

    def declare_otherwise(self) -> None:
        """Let the exchange be of another kind."""

        async def work(channel: Any) -> None:
            await channel.declare_exchange(self.exchange, "fanout", durable=False)

        self._with_channel(work)

    def delete(self) -> None:
        """Leave nothing behind."""

        async def work(channel: Any) -> None:
            await channel.queue_delete(self.queue)
            await channel.exchange_delete(self.exchange)

        self._with_channel(work)

    def _with_channel(self, work: Any) -> None:
        async def run() -> None:
            connection = await aio_pika.connect(BROKER)
            try:
                await work(await connection.channel())
            finally:
                await connection.close()

        asyncio.run(run())


class Line:
    """A TCP connection to the broker by way of this process."""

    def __init__(self, server: socket.socket) -> None:
        self.server, self.up, self.flows = server, True, threading.Event()
        self.flows.set()
        self.ends: list[socket.socket] = []
        threading.Thread(target=self._accept, daemon=True).start()

    @property
    def url(self) -> str:
        """The broker's address by this line."""
        return str(BROKER.with_host("127.0.0.1").with_port(self.server.getsockname()[1]))

    def cut(self) -> None:
        """Break all connections; new ones are broken at once, as by a broker that is away."""
        self.up = False
        for end in self.ends:
            with suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)
        self.ends.clear()

    def mend(self) -> None:
        """Let connections through again."""
        self.up = True

    def stall(self) -> None:
        """Let nothing through, without breaking anything: as a broker that has no memory left."""
        self.flows.clear()

    def _accept(self) -> None:
        while True:
            try:
                near, _ = self.server.accept()
            except OSError:
                return
            if not self.up:
                near.close()
                continue
            far = socket.create_connection((str(BROKER.host), BROKER.port or 5672))
            self.ends += [near, far]
            for source, target in ((near, far), (far, near)):
                threading.Thread(target=self._pump, args=(source, target), daemon=True).start()

    def _pump(self, source: socket.socket, target: socket.socket) -> None:
        with suppress(OSError):
            while data := source.recv(65_536):
                self.flows.wait()
                target.sendall(data)
        for end in (source, target):
            with suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)
            end.close()


@contextmanager
def line() -> Iterator[Line]:
    """Lay a line until the end of the block."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        laid = Line(server)
        try:
            yield laid
        finally:
            laid.flows.set()
            laid.cut()
            server.shutdown(socket.SHUT_RDWR)
