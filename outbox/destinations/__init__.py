"""The destinations this service knows, and those that are switched on (OUTBOX_DESTINATIONS)."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from django.conf import settings
from django.utils.module_loading import import_string

from outbox.destinations.base import Destination

# Classes by path: what a destination imports is loaded only where it is switched on.
KNOWN: Final[Mapping[str, str]] = MappingProxyType(
    {
        "log": "outbox.destinations.log.LogDestination",
        "webhook": "outbox.destinations.webhook.WebhookDestination",
        "broker": "outbox.destinations.broker.BrokerDestination",
        "email": "outbox.destinations.email.EmailDestination",
    }
)


def destination_class(name: str) -> type[Destination]:
    """Return the class behind a name of ``KNOWN``.

    Raises:
        KeyError: nobody knows the name.
    """
    found: type[Destination] = import_string(KNOWN[name])
    return found


def configured() -> dict[str, type[Destination]]:
    """Return the classes of the destinations that are switched on, by name.

    Raises:
        KeyError: a name that nobody knows; the system check ``outbox.E002`` says it at start.
    """
    return {name: destination_class(name) for name in settings.OUTBOX_DESTINATIONS}
