"""System checks: the outbox listens, and its destinations exist."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Error, register

from cases.signals import case_event
from outbox.destinations import KNOWN, destination_class


@register
def check_outbox(**kwargs: Any) -> list[CheckMessage]:
    """Check that the receiver is plugged in and every configured destination is known."""
    del kwargs
    found: list[CheckMessage] = []
    connected = {receiver[0][0] for receiver in case_event.receivers}
    if "outbox.enqueue_events" not in connected:
        found.append(
            Error(
                "The outbox does not listen to case events.",
                hint="OutboxConfig.ready() connects it: keep outbox in INSTALLED_APPS.",
                id="outbox.E001",
            )
        )
    found += [
        Error(
            f"OUTBOX_DESTINATIONS names {name!r}, which is no destination.",
            hint=f"Known ones: {', '.join(sorted(KNOWN))}.",
            id="outbox.E002",
        )
        for name in settings.OUTBOX_DESTINATIONS
        if name not in KNOWN
    ]
    for name in settings.OUTBOX_DESTINATIONS:
        if name in KNOWN:
            found += destination_class(name).check()
    if settings.OUTBOX_MAX_ATTEMPTS < 1:
        found.append(
            Error(
                f"OUTBOX_MAX_ATTEMPTS is {settings.OUTBOX_MAX_ATTEMPTS}.",
                hint="Set it to 1 or more; unset, it is 20.",
                id="outbox.E003",
            )
        )
    return found
