"""The destinations this service knows, and those that are switched on (OUTBOX_DESTINATIONS)."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from django.conf import settings

from outbox.destinations.base import Destination, Message
from outbox.destinations.log import LogDestination

__all__ = ["KNOWN", "Destination", "Message", "configured"]

KNOWN: Final[Mapping[str, Destination]] = MappingProxyType({"log": LogDestination()})


def configured() -> dict[str, Destination]:
    """Return the destinations that are switched on, by name.

    Raises:
        KeyError: a name that nobody knows; the system check ``outbox.E002`` says it at start.
    """
    return {name: KNOWN[name] for name in settings.OUTBOX_DESTINATIONS}
