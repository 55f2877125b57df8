"""What a destination is: something that takes messages and says what became of each."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from enum import Enum
from typing import Any, ClassVar, Final, NamedTuple

import orjson
from django.core.checks import CheckMessage

from cases.events import CaseEvent, ServiceEvent


class Message(NamedTuple):
    """One CloudEvent on its way. What routes it stands beside it, so that few need to parse."""

    id: str
    type: str
    """The type in the message, like ``org.regulator.case.closed.v1``."""
    subject: str
    sequence: int
    body: str
    """The whole message as JSON text, to be passed on as it is."""
    attempt: int
    """1 the first time; from 2 on the destination may have it already."""

    def parsed(self) -> dict[str, Any]:
        """Return the message as values, for who looks inside."""
        values: dict[str, Any] = orjson.loads(self.body)
        return values


class Result(Enum):
    """What can become of a message."""

    DELIVERED = "delivered"
    FAILED = "failed"
    REFUSED = "refused"
    UNTRIED = "untried"


class Outcome(NamedTuple):
    """What became of one message. ``error`` is stored and shown: a sentence without secrets."""

    result: Result
    error: str = ""
    retry_after: float | None = None
    """Seconds that the destination asked for before the next attempt; taken up to an hour."""


DELIVERED: Final = Outcome(Result.DELIVERED)


def failed(error: str, *, retry_after: float | None = None) -> Outcome:
    """Return that the destination may not have the message: it is tried again, later each time."""
    return Outcome(Result.FAILED, error, retry_after)


def refused(error: str) -> Outcome:
    """Return that the message will never be taken: it is dead at once and waits for a person."""
    return Outcome(Result.REFUSED, error)


def untried(error: str, *, retry_after: float | None = None) -> Outcome:
    """Return that the destination as a whole is away: that is no attempt of this message.

    The drainer pauses before it turns to the destination again, longer each time.
    """
    return Outcome(Result.UNTRIED, error, retry_after)


class Unavailable(Exception):
    """The destination as a whole is away: every message of the batch is untried."""


class Destination(ABC):
    """One receiver of messages, and the connection to it.

    A drainer makes an instance for each of its lanes, uses it from the one thread of that lane and
    closes it in the end. Nothing is connected before the first ``deliver``; what breaks is
    connected anew by the next one. Writers of events make no instance: they only ask ``wants``.
    """

    name: ClassVar[str]
    """What settings and rows call it, for good."""
    lanes: ClassVar[int] = 1
    """How many batches of fresh messages one drainer may have in hand at the same time."""
    batch: ClassVar[int] = 100
    """How many messages a lane takes at once, unless the drainer was told otherwise."""
    time_limit: ClassVar[float] = 30.0
    """Seconds within which ``deliver`` returns, whatever the other side does. The rows of the
    batch are locked meanwhile; a little later the database takes them from a drainer that hangs."""
    passes_on: ClassVar[bool] = True
    """Whether readers see the messages: then those about restricted cases hold ids only."""

    @classmethod
    def wants(cls, event: CaseEvent | ServiceEvent) -> bool:
        """Tell whether this destination is to be told about an event: all, unless it says so."""
        del event
        return True

    @classmethod
    def check(cls) -> list[CheckMessage]:
        """Return what is wrong with the settings of this destination; asked where it is on."""
        return []

    @abstractmethod
    def deliver(self, messages: Sequence[Message]) -> Sequence[Outcome]:
        """Hand messages over; those of one subject in their order.

        Several subjects may be served at the same time. Once a message of a subject was not
        delivered, later ones of that subject must not be sent; what is said of them is ignored.

        Returns:
            An outcome for each message, in the order given.

        Raises:
            Unavailable: the destination is away; nothing counts as an attempt.
            Exception: nothing of the batch is known to have arrived. Each subject is then tried
                alone, so that one message that breaks the code does not keep others back.
        """

    def close(self) -> None:  # noqa: B027 (most have nothing to let go of)
        """Let go of connections; nothing is delivered afterwards."""
