"""Destinations for tests of the relay: they write down what they get and fail as they are told."""

from __future__ import annotations

import threading
import time
from collections import defaultdict
from collections.abc import Sequence

from outbox.destinations.base import (
    DELIVERED,
    Destination,
    Message,
    Outcome,
    failed,
    refused,
    untried,
)


class Recorder(Destination):
    """Writes down what it gets; fails for the subjects it was told to fail for."""

    name = "log"

    def __init__(
        self,
        *,
        failing: Sequence[str] = (),
        refusing: Sequence[str] = (),
        slow: float = 0,
        retry_after: float | None = None,
    ) -> None:
        self.failing, self.refusing = set(failing), set(refusing)
        self.slow, self.retry_after = slow, retry_after
        self.away = ""
        self.got: list[tuple[str, int]] = []
        self.bodies: list[str] = []
        self.attempts: list[int] = []
        self.lock = threading.Lock()

    def deliver(self, messages: Sequence[Message]) -> list[Outcome]:
        time.sleep(self.slow)
        return [self.take(message) for message in messages]

    def take(self, message: Message) -> Outcome:
        if self.away:
            return untried(self.away, retry_after=self.retry_after)
        if message.subject in self.failing:
            return failed("it said no\0", retry_after=self.retry_after)
        if message.subject in self.refusing:
            return refused("gone for good")
        with self.lock:
            self.got.append((message.subject, message.sequence))
            self.bodies.append(message.body)
            self.attempts.append(message.attempt)
        return DELIVERED

    def by_case(self) -> dict[str, list[int]]:
        found: dict[str, list[int]] = defaultdict(list)
        for subject, sequence in self.got:
            found[subject].append(sequence)
        return dict(found)


class Broken(Destination):
    """Raises, whatever it is given."""

    name = "log"

    def deliver(self, messages: Sequence[Message]) -> list[Outcome]:
        raise ConnectionError("the broker is away")  # noqa: EM101, TRY003 (as a library raises it)
