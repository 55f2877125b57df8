"""Deliver what the outbox owes: once, or for as long as the process lives."""

from __future__ import annotations

import json
import signal
import time
from types import FrameType
from typing import Any, Final

import structlog
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import InterfaceError, OperationalError, connection

from outbox.destinations import configured
from outbox.queue import due
from outbox.relay import Batch, drain_batch

_log = structlog.get_logger("outbox")

_POLL_SECONDS: Final = 0.5
_LONGEST_PAUSE_SECONDS: Final = 30.0


class Command(BaseCommand):
    """Deliver pending outbox events to their destinations, in order per case."""

    help = (
        "Deliver all outbox events that are due and end; with --follow stay and deliver what "
        "comes. Any number may run side by side. Exit 0: done, 1: some deliveries failed and "
        "will be retried, 2: usage, 75: the database is away, try again later."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        """Declare the options."""
        parser.add_argument("--follow", action="store_true", help="Stay and deliver what comes.")
        parser.add_argument(
            "--destination",
            action="append",
            help="Only this destination; may be repeated. All configured ones by default.",
        )
        parser.add_argument(
            "--batch-size", type=int, default=100, help="Events per transaction (100)."
        )
        parser.add_argument("--limit", type=int, help="End after about so many events.")
        parser.add_argument(
            "--dry-run", action="store_true", help="Say what is due and deliver nothing."
        )
        parser.add_argument("--json", action="store_true", help="Write the outcome as JSON.")

    def handle(self, *args: Any, **options: Any) -> None:
        """Run until all is delivered, or until told to stop."""
        del args
        names = self._destinations(options["destination"])
        if options["batch_size"] < 1 or (options["limit"] is not None and options["limit"] < 1):
            message = "--batch-size and --limit take numbers from 1."
            raise CommandError(message, returncode=2)
        if options["dry_run"]:
            self._report({name: due(name) for name in names}, as_json=options["json"])
            return
        self.stopping = False
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._stop)
        total = self._drain(names, options)
        self._report({"delivered": total.delivered, "failed": total.failed}, options["json"])
        if total.failed and not options["follow"]:
            message = f"{total.failed} deliveries failed; they are retried later."
            raise CommandError(message, returncode=1)

    def _drain(self, names: list[str], options: dict[str, Any]) -> Batch:
        """Deliver batch after batch until nothing is due, or with --follow until told to stop."""
        follow, limit, size = options["follow"], options["limit"], options["batch_size"]
        total, pause = Batch(), _POLL_SECONDS
        self.instances = {name: configured()[name]() for name in names}
        while not self.stopping and (limit is None or total.size < limit):
            try:
                batch = self._round(names, size if limit is None else min(size, limit - total.size))
            except (OperationalError, InterfaceError) as error:
                if not follow:
                    message = f"The database does not answer: {error}"
                    raise CommandError(message, returncode=75) from error
                _log.warning("outbox_database_away", retry_in_seconds=pause)
                connection.close()
                self._sleep(pause)
                pause = min(pause * 2, _LONGEST_PAUSE_SECONDS)
                continue
            pause = _POLL_SECONDS
            total = _sum(total, batch)
            if batch.size:
                continue
            if not follow:
                break
            self._sleep(_POLL_SECONDS)
        return total

    def _destinations(self, wanted: list[str] | None) -> list[str]:
        known = configured()
        for name in wanted or ():
            if name not in known:
                message = f"{name!r} is not configured. Configured: {', '.join(known) or 'none'}."
                raise CommandError(message, returncode=2)
        return wanted or list(known)

    def _round(self, names: list[str], size: int) -> Batch:
        """Deliver one batch to each destination."""
        total = Batch()
        for name in names:
            if not self.stopping:
                total = _sum(total, drain_batch(self.instances[name], size=size))
                total = _sum(total, drain_batch(self.instances[name], size=size, retries=True))
        return total

    def _stop(self, number: int, frame: FrameType | None) -> None:
        """Finish the batch in hand, then end."""
        del number, frame
        self.stopping = True

    def _sleep(self, seconds: float) -> None:
        until = time.monotonic() + seconds
        while not self.stopping and (left := until - time.monotonic()) > 0:
            time.sleep(min(left, _POLL_SECONDS))

    def _report(self, figures: dict[str, int], as_json: bool) -> None:  # noqa: FBT001 (an option of the command)
        if as_json:
            self.stdout.write(json.dumps(figures))
        else:
            words = ", ".join(f"{count} {name}" for name, count in figures.items())
            self.stderr.write(f"Outbox: {words}.")


def _sum(one: Batch, other: Batch) -> Batch:
    return Batch(one.delivered + other.delivered, one.failed + other.failed)
