"""Mark the cases that are overdue."""

from __future__ import annotations

import json
import os
import signal
from types import FrameType
from typing import Any, Final

import structlog
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import InterfaceError, OperationalError
from django.utils.timezone import now
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from uuid_utils.compat import uuid7

from cases import selectors, services
from cases.signals import request_id

_log = structlog.get_logger("cases")

_BATCH: Final = 1_000


class Command(BaseCommand):
    """Mark what is past its due date, once per due date."""

    help = (
        "Mark every case that is past its due date, is not closed and whose clock runs; once per "
        "due date. For a timer; any number may run side by side, and beside people. Exit 0: done, "
        "2: usage, 75: the database is away, try again later."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        """Declare the options."""
        parser.add_argument(
            "--batch-size", type=int, default=_BATCH, help="Cases per transaction (%(default)s)."
        )
        parser.add_argument("--limit", type=int, help="End after so many cases.")
        parser.add_argument("--dry-run", action="store_true", help="Only count.")
        parser.add_argument("--json", action="store_true", help="Write the outcome as JSON.")

    def handle(self, *args: Any, **options: Any) -> None:
        """Mark batch after batch, and say how many."""
        del args
        if options["batch_size"] < 1 or (options["limit"] is not None and options["limit"] < 1):
            message = "--batch-size and --limit take numbers from 1."
            raise CommandError(message, returncode=2)
        self.stopping = False
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._stop)
        token = request_id.set(f"check_slas:{uuid7()}")
        try:
            self._run(options)
        except (OperationalError, InterfaceError) as error:
            message = f"The database does not answer: {error}"
            raise CommandError(message, returncode=75) from error
        finally:
            request_id.reset(token)

    def _run(self, options: dict[str, Any]) -> None:
        console = Console(stderr=True)
        found = 0
        if options["dry_run"] or console.is_terminal:
            found = selectors.count_unmarked_overdue(services.SYSTEM, at=now())
            found = min(found, options["limit"] or found)
        if options["dry_run"]:
            self._report({"would_mark": found}, as_json=options["json"])
            return
        columns = (TextColumn("overdue"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
        with Progress(*columns, console=console, disable=not console.is_terminal) as progress:
            task = progress.add_task("overdue", total=found)
            marked, place, limit = 0, None, options["limit"]
            while not self.stopping and (limit is None or marked < limit):
                size = options["batch_size"]
                size = size if limit is None else min(size, limit - marked)
                done = services.mark_overdue_cases(size=size, after=place)
                marked, place = marked + done.number, done.place
                progress.update(task, completed=marked)
                if place is None:
                    break
        _log.info("slas_checked", marked=marked, stopped=self.stopping)
        self._report({"marked": marked}, as_json=options["json"])

    def _stop(self, number: int, frame: FrameType | None) -> None:
        """Let the first signal finish the batch in hand, and the second end at once."""
        del frame
        if self.stopping:
            os._exit(128 + number)  # the database undoes the batch
        self.stopping = True

    def _report(self, figures: dict[str, int], *, as_json: bool) -> None:
        if as_json:
            self.stdout.write(json.dumps(figures))
        else:
            [(key, number)] = figures.items()
            verb = "would be marked" if key == "would_mark" else "marked"
            self.stdout.write(f"{number} cases {verb} overdue.")
