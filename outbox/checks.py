"""System checks: the outbox listens, and its destinations exist."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Error, Tags, Warning, register  # noqa: A004 (Django's name)
from django.db import DEFAULT_DB_ALIAS, connection
from django.db.migrations.loader import MigrationLoader

from cases.signals import case_event, service_event
from outbox import discretion
from outbox.backlog import undeliverable
from outbox.destinations import KNOWN, destination_class


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
    for name in settings.OUTBOX_DESTINATIONS:
        if name in KNOWN:
            found += destination_class(name).check()
    found += discretion.check()
    if settings.OUTBOX_MAX_ATTEMPTS < 1:
        found.append(
            Error(
                f"OUTBOX_MAX_ATTEMPTS is {settings.OUTBOX_MAX_ATTEMPTS}.",
                hint="Set it to 1 or more; unset, it is 20.",
                id="outbox.E003",
            )
        )
    return found


@register(Tags.database)
def check_backlog(*, databases: Sequence[str] | None = None, **kwargs: Any) -> list[CheckMessage]:
    """Say what waits for destinations that are not configured; the main database knows."""
    del kwargs
    if DEFAULT_DB_ALIAS not in (databases or ()):
        return []
    # Migrate asks too, before it gives the table what is looked at.
    loader = MigrationLoader(connection)
    if not {*loader.graph.leaf_nodes("outbox")} <= {*loader.applied_migrations}:
        return []
    return [
        Warning(
            f"{count} events wait for {name!r}, which is not configured.",
            hint="Name it in OUTBOX_DESTINATIONS again, or discard them: "
            f"manage.py requeue_outbox --destination {name} --discard --reason TEXT "
            "--state pending --state waiting --state dead.",
            id="outbox.W001",
        )
        for name, count in undeliverable().items()
    ]
