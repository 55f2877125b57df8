"""System checks: the outbox listens, and its destinations exist."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Error, register

from cases.signals import case_event, service_event
from outbox.destinations import KNOWN


@register
def check_outbox(**kwargs: Any) -> list[CheckMessage]:
    """Check that the receiver is plugged in and every configured destination is known."""
    del kwargs
    found: list[CheckMessage] = []
    connected = {
        receiver[0][0] for signal in (case_event, service_event) for receiver in signal.receivers
    }
    if not {"outbox.enqueue_events", "outbox.enqueue_service_event"} <= connected:
        found.append(
            Error(
                "The outbox does not listen to the events of cases and of the service.",
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
    return found
