"""Deliver what the outbox owes: once, or for as long as the process lives."""

from __future__ import annotations

import json
import os
import signal
from types import FrameType
from typing import Any, Final

import structlog
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import Error

from outbox import destinations, metrics
from outbox.backlog import backlog
from outbox.destinations.base import Destination
from outbox.drainer import Drainer, Plan, Tally

_log = structlog.get_logger("outbox")

_TRY_AGAIN: Final = 75  # EX_TEMPFAIL of sysexits.h


class Command(BaseCommand):
    """Deliver pending outbox events to their destinations, in order per case."""

    help = (
        "Deliver all outbox events that are due and end; with --follow stay and deliver what "
        "comes. Any number may run side by side. Exit 0: done, 1: some deliveries failed or a "
        "destination was away, they are retried later, 2: usage, 75: the database is away, try "
        "again later."
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
            "--batch-size",
            type=int,
            help="Events per transaction; by default 100, to the broker 500.",
        )
        parser.add_argument("--limit", type=int, help="End after about so many events.")
        parser.add_argument(
            "--dry-run", action="store_true", help="Say what is due and deliver nothing."
        )
        parser.add_argument("--json", action="store_true", help="Write the outcome as JSON.")
        parser.add_argument(
            "--metrics-port", type=int, help="With --follow: answer GET /metrics on this port."
        )
        parser.add_argument(
            "--metrics-host",
            default="127.0.0.1",
            help="The address to answer on (%(default)s); 0.0.0.0 is every one.",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        """Run until all is delivered, or until told to stop."""
        del args
        chosen = self._destinations(options["destination"])
        self._check(options)
        if options["dry_run"]:
            self._say_what_is_due(list(chosen), as_json=options["json"])
            return
        drainer = Drainer(
            Plan(
                destinations=chosen,
                follow=options["follow"],
                batch_size=options["batch_size"],
                limit=options["limit"],
            )
        )
        self._obey_signals(drainer)
        if options["metrics_port"] is not None:
            self._serve_metrics(options["metrics_port"], options["metrics_host"])
        self._warn_of_undeliverable()
        tally = drainer.run()
        self._report(tally, as_json=options["json"])
        self._end(tally, follow=options["follow"])

    def _destinations(self, wanted: list[str] | None) -> dict[str, type[Destination]]:
        known = destinations.configured()
        for name in wanted or ():
            if name not in known:
                message = f"{name!r} is not configured. Configured: {', '.join(known) or 'none'}."
                raise CommandError(message, returncode=2)
        return {name: known[name] for name in wanted or known}

    def _check(self, options: dict[str, Any]) -> None:
        message = ""
        if any(options[name] is not None and options[name] < 1 for name in ("batch_size", "limit")):
            message = "--batch-size and --limit take numbers from 1."
        elif options["metrics_port"] is not None and not options["follow"]:
            message = "--metrics-port belongs to --follow: nobody asks a command that ends."
        elif not 0 <= (options["metrics_port"] or 0) <= 65_535:  # noqa: PLR2004 (the highest port)
            message = "--metrics-port takes a port, up to 65535."
        if message:
            raise CommandError(message, returncode=2)

    def _obey_signals(self, drainer: Drainer) -> None:
        """Let the first signal finish the batches in hand, and the second end at once."""

        def stop(number: int, frame: FrameType | None) -> None:
            del frame
            if drainer.stopping:
                os._exit(128 + number)  # the database gives the rows back
            drainer.stop()

        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, stop)

    def _serve_metrics(self, port: int, host: str) -> None:
        try:
            metrics.serve(port, host)
        except OSError as error:
            message = f"Cannot listen on port {port} of {host}: {error.strerror}."
            raise CommandError(message, returncode=2) from error

    def _warn_of_undeliverable(self) -> None:
        """Say once for each destination that is not configured how much waits for it."""
        try:
            figures = backlog()
        except Error:
            return  # the lanes will find that out, and wait
        for own in figures:
            if not own.configured and own.pending + own.dead:
                _log.warning(
                    "outbox_destination_unknown",
                    destination=own.destination,
                    pending=own.pending,
                    dead=own.dead,
                )

    def _say_what_is_due(self, names: list[str], *, as_json: bool) -> None:
        try:
            figures = {own.destination: own for own in backlog()}
        except Error as error:
            message = f"The database does not answer: {error}"
            raise CommandError(message, returncode=_TRY_AGAIN) from error
        due = {name: figures[name].due for name in names}
        unknown = {name: own.pending for name, own in figures.items() if not own.configured}
        unknown = {name: pending for name, pending in unknown.items() if pending}
        if as_json:
            self.stdout.write(json.dumps({"due": due, "not_configured": unknown}))
            return
        self.stderr.write("Due: " + ", ".join(f"{count} for {name}" for name, count in due.items()))
        for name in names:
            if (own := figures[name]).pending or own.dead:
                self.stderr.write(
                    f"{name}: {own.pending} pending, the oldest for {own.oldest_seconds:,.0f} s; "
                    f"{own.retrying} of them failed before; {own.dead} dead."
                )
        for name, pending in unknown.items():
            self.stderr.write(f"Not configured: {name}, {pending} pending.")

    def _report(self, tally: Tally, *, as_json: bool) -> None:
        figures = {"delivered": tally.delivered, "failed": tally.failed, "dead": tally.dead}
        if as_json:
            self.stdout.write(json.dumps({**figures, "away": tally.away}))
            return
        words = ", ".join(f"{count} {name}" for name, count in figures.items())
        self.stderr.write(f"Outbox: {words}.")
        for name, why in tally.away.items():
            self.stderr.write(f"Outbox: {name} is away: {why}")

    def _end(self, tally: Tally, *, follow: bool) -> None:
        if tally.broken:
            message = f"A drainer does not work: {tally.broken}"
            raise CommandError(message, returncode=1)
        if tally.database_away:
            message = f"The database does not answer: {tally.database_away}"
            raise CommandError(message, returncode=_TRY_AGAIN)
        if follow:
            return
        if tally.failed or tally.away:
            failures = f"{tally.failed} deliveries failed" if tally.failed else ""
            away = f"{', '.join(tally.away)} could not be reached" if tally.away else ""
            message = f"{'; '.join(filter(None, (failures, away)))}; all of it is tried again."
            raise CommandError(message, returncode=1)
