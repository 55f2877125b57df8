"""What a destination is: something that takes messages and says which it has got."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from typing import ClassVar

from cases.events import CaseEvent, Json, ServiceEvent

Message = Mapping[str, Json]


class Destination(ABC):
    """One receiver of messages. ``name`` is what settings and rows call it, for good."""

    name: ClassVar[str]

    def wants(self, event: CaseEvent | ServiceEvent) -> bool:
        """Tell whether this destination is to be told about an event: all, unless it says so."""
        del event
        return True

    @abstractmethod
    def deliver(self, messages: Sequence[Message]) -> Sequence[str | None]:
        """Hand messages over, in order.

        Returns:
            For each message None if the destination has it for sure, else what went wrong. Once
            a message of a subject has failed, later ones of the same subject must not be sent.

        Raises:
            Exception: nothing of the batch is known to have arrived.
        """
