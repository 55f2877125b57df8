"""The ``broker`` destination: RabbitMQ, each message confirmed."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import datetime
from typing import ClassVar, Final

import aio_pika
from aio_pika.abc import AbstractChannel, AbstractConnection, AbstractExchange
from aio_pika.exceptions import (
    AMQPChannelError,
    AMQPConnectionError,
    AMQPError,
    AuthenticationError,
    ChannelPreconditionFailed,
    DeliveryError,
    ProbableAuthenticationError,
    PublishError,
)
from django.conf import settings
from django.core.checks import CheckMessage, Error
from pamqp.exceptions import PAMQPException
from yarl import URL

from outbox.cloudevents import CONTENT_TYPE
from outbox.destinations.base import (
    DELIVERED,
    Destination,
    Message,
    Outcome,
    Result,
    Unavailable,
    failed,
    untried,
)
from outbox.destinations.side_by_side import Loop, side_by_side

_AT_ONCE: Final = 1_000  # messages that wait for their confirmation
_CONNECT_SECONDS: Final = 10.0  # connect, log in, declare
_CONFIRM_SECONDS: Final = 10.0
_BEGIN_SECONDS: Final = 10.0  # after that a batch begins nothing more
_HEARTBEAT_SECONDS: Final = 20
_NAME_MOST: Final = 127  # what AMQP lets an exchange be called, in characters


class BrokerDestination(Destination):
    """Publishes each message to a durable topic exchange, under its type as routing key."""

    name = "broker"
    # While one lane waits for confirmations, the other claims and marks.
    lanes: ClassVar[int] = 2
    batch: ClassVar[int] = 500
    time_limit: ClassVar[float] = 35.0

    def __init__(self) -> None:
        self._loop: Loop | None = None
        self._connection: AbstractConnection | None = None
        self._channel: AbstractChannel | None = None
        self._exchange: AbstractExchange | None = None

    @classmethod
    def check(cls) -> list[CheckMessage]:
        """Return what is wrong with the address of the broker and the name of the exchange."""
        return _check_settings()

    def deliver(self, messages: Sequence[Message]) -> Sequence[Outcome]:
        """Publish all messages and wait for the broker's confirmations."""
        if self._loop is None:
            self._loop = Loop("broker")
        return self._loop.run(self._deliver(messages), seconds=self.time_limit)

    def close(self) -> None:
        """Close the connection."""
        if self._loop is not None:
            self._loop.run(self._hang_up(), seconds=_CONNECT_SECONDS)
            self._loop.close()

    async def _deliver(self, messages: Sequence[Message]) -> list[Outcome]:
        exchange = await self._ready()
        outcomes = await side_by_side(
            messages,
            lambda message, _: _publish(exchange, message),
            at_once=_AT_ONCE,
            seconds=_BEGIN_SECONDS,
        )
        if any(outcome.result is Result.UNTRIED for outcome in outcomes):
            await self._hang_up()  # a confirmation that comes later must find nobody
        return outcomes

    async def _ready(self) -> AbstractExchange:
        """Return the exchange, connected and declared anew if the connection is gone.

        Raises:
            Unavailable: the broker cannot be reached, or takes neither the log-in nor the exchange.
        """
        if self._exchange and self._channel and not self._channel.is_closed:
            return self._exchange
        await self._hang_up()
        try:
            async with asyncio.timeout(_CONNECT_SECONDS):
                self._connection = await aio_pika.connect(
                    URL(settings.OUTBOX_BROKER_URL).update_query(heartbeat=_HEARTBEAT_SECONDS),
                    client_properties={"connection_name": "regulatory-case-management outbox"},
                )
                self._channel = await self._connection.channel(on_return_raises=True)
                self._exchange = await self._channel.declare_exchange(
                    settings.OUTBOX_BROKER_EXCHANGE, aio_pika.ExchangeType.TOPIC, durable=True
                )
        except (AMQPError, PAMQPException, OSError, RuntimeError) as error:  # TimeoutError is one
            await self._hang_up()
            raise Unavailable(_why(error)) from error
        return self._exchange

    async def _hang_up(self) -> None:
        connection, self._connection, self._channel, self._exchange = (
            self._connection,
            None,
            None,
            None,
        )
        if connection is None:
            return
        try:
            async with asyncio.timeout(_CONNECT_SECONDS / 2):
                await connection.close()
        except (AMQPError, PAMQPException, OSError, RuntimeError):
            return  # it was gone already


async def _publish(exchange: AbstractExchange, message: Message) -> Outcome:
    """Publish one message and wait until the broker has it safe, or says why not."""
    try:
        await exchange.publish(
            aio_pika.Message(
                message.body.encode(),
                content_type=CONTENT_TYPE,
                delivery_mode=aio_pika.DeliveryMode.PERSISTENT,
                message_id=message.id,
                type=message.type,
                timestamp=datetime.fromisoformat(message.parsed()["time"]),
            ),
            routing_key=message.type,
            mandatory=True,
            timeout=_CONFIRM_SECONDS,
        )
    except PublishError:
        return failed("The broker returned the message: no queue is bound for its type.")
    except DeliveryError:
        return failed("The broker did not take the message: a queue is full, or it has a fault.")
    except AMQPChannelError as error:
        return failed(f"The broker closed the channel: {type(error).__name__}.")
    except TimeoutError:
        return untried("The broker did not confirm in time.")
    except (AMQPError, PAMQPException, OSError, RuntimeError) as error:
        return untried(f"The connection to the broker broke: {type(error).__name__}.")
    return DELIVERED


def _why(error: Exception) -> str:
    """Say why there is no connection: in words of ours, since theirs may hold what we sent."""
    if isinstance(error, AuthenticationError | ProbableAuthenticationError):
        return "The broker refused the log-in."
    if isinstance(error, ChannelPreconditionFailed):
        return (
            f"The exchange {settings.OUTBOX_BROKER_EXCHANGE} exists and is no durable topic"
            " exchange."
        )
    if isinstance(error, TimeoutError):
        return "The broker did not answer in time."
    if isinstance(error, AMQPConnectionError | OSError):
        return f"The broker cannot be reached ({type(error).__name__})."
    return f"The broker cannot be used ({type(error).__name__})."


def _check_settings() -> list[CheckMessage]:
    found: list[CheckMessage] = []
    how = "Set it to amqps://user:password@host:5671/vhost, or amqp:// inside of one network."
    try:
        url = URL(settings.OUTBOX_BROKER_URL)
        complete = url.scheme in ("amqp", "amqps") and bool(url.host)
    except ValueError:
        complete = False
    if not settings.OUTBOX_BROKER_URL:
        found.append(Error("OUTBOX_BROKER_URL is not set.", hint=how, id="outbox.E020"))
    elif not complete:
        # Never shown: it holds a password.
        found.append(Error("OUTBOX_BROKER_URL is no broker's address.", hint=how, id="outbox.E021"))
    exchange = settings.OUTBOX_BROKER_EXCHANGE
    if not 0 < len(exchange) <= _NAME_MOST or exchange.startswith("amq."):
        found.append(
            Error(
                f"OUTBOX_BROKER_EXCHANGE is {exchange!r}, which is no name for an exchange.",
                hint=f"Use 1 to {_NAME_MOST} characters that do not begin with amq.",
                id="outbox.E022",
            )
        )
    return found
