"""RabbitMQ without any service: the bare client, publishing as fast as confirmations come."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, Final, TypeVar

import aio_pika

T = TypeVar("T")
OUTSTANDING: Final = 1_000  # messages that wait for their confirmation


def declare(url: str, exchange: str) -> None:
    """Make the exchange and one durable queue that takes everything."""

    async def work(channel: Any) -> None:
        made = await channel.declare_exchange(exchange, "topic", durable=True)
        queue = await channel.declare_queue(exchange, durable=True)
        await queue.bind(made, "#")

    _with_channel(url, work)


def clear(url: str, exchange: str) -> int:
    """Empty the queue; returns how many messages were in it."""

    async def work(channel: Any) -> int:
        queue = await channel.get_queue(exchange)
        return int((await queue.purge()).message_count)

    return _with_channel(url, work)


def delete(url: str, exchange: str) -> None:
    """Leave nothing behind."""

    async def work(channel: Any) -> None:
        await channel.queue_delete(exchange)
        await channel.exchange_delete(exchange)

    _with_channel(url, work)


def bare_rate(url: str, exchange: str, bodies: Sequence[str]) -> float:
    """Publish all messages, many at once, each confirmed; returns messages a second."""

    async def work(channel: Any) -> float:
        made = await channel.get_exchange(exchange)
        free = asyncio.Semaphore(OUTSTANDING)

        async def one(body: str) -> None:
            values = json.loads(body)
            async with free:
                await made.publish(
                    aio_pika.Message(
                        body.encode(),
                        message_id=values["id"],
                        content_type="application/cloudevents+json",
                        delivery_mode=aio_pika.DeliveryMode.PERSISTENT,
                    ),
                    values["type"],
                    mandatory=True,
                )

        began = time.perf_counter()
        await asyncio.gather(*map(one, bodies))
        return len(bodies) / (time.perf_counter() - began)

    return _with_channel(url, work)


def _with_channel(url: str, work: Callable[[Any], Awaitable[T]]) -> T:
    async def run() -> T:
        connection = await aio_pika.connect(url, timeout=10)
        try:
            return await work(await connection.channel(on_return_raises=True))
        finally:
            await connection.close()

    return asyncio.run(run())
