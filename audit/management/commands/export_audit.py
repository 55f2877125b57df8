"""Write the audit trail to a file: as proof, as a table, or as an event log."""

from __future__ import annotations

import getpass
import json
import sys
import time
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any, Final, TypeVar

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import InterfaceError, OperationalError, connection
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn
from uuid_utils.compat import uuid7

from audit.exports import FORMATS, EventFilter
from audit.management.output import ended_by_sigterm, standard_output, whole_file
from cases import intake, replica
from cases.errors import InvalidInput
from cases.exports import Export, ExportBroken
from cases.lifecycle import LIFECYCLE
from cases.policies import EXPORT_AUDIT, VIEW, VIEW_RESTRICTED, Actor
from cases.signals import request_id

_TYPES: Final = sorted(step.event.type for step in LIFECYCLE.values())
_DAY: Final = len("2026-01-31")
T = TypeVar("T")


class Command(BaseCommand):
    """Export the trail of all cases, restricted ones included."""

    help = (
        "Write the audit trail, case by case, oldest event first: jsonl holds all of it and can be "
        "verified without the database, csv is for spreadsheets, xes (IEEE 1849) for process "
        "mining. Whoever may run this reads every case; the log says who did. Exit 0: done, "
        "1: not all could be written, 2: usage, 75: the database is away, try again later."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        """Declare the options."""
        parser.add_argument(
            "--format", choices=tuple(FORMATS), default="jsonl", help="%(choices)s (%(default)s)."
        )
        parser.add_argument("--case", metavar="CASE-ID", help="Only events of this case.")
        parser.add_argument(
            "--type",
            action="append",
            default=[],
            choices=_TYPES,
            metavar="TYPE",
            help=f"Only events of this type; may be repeated. One of {', '.join(_TYPES)}.",
        )
        parser.add_argument("--actor", metavar="ID", help="Only what this actor did.")
        parser.add_argument(
            "--from",
            dest="occurred_from",
            metavar="TIME",
            help="Occurred then or later: 2026-01-31 (midnight UTC) or 2026-01-31T09:30:00+01:00.",
        )
        parser.add_argument(
            "--to", dest="occurred_to", metavar="TIME", help="Occurred before then."
        )
        parser.add_argument(
            "--output",
            type=Path,
            metavar="FILE",
            help="Write here; the name stands for the complete file or for what was there before. "
            "Standard output by default.",
        )
        parser.add_argument(
            "--exported-by", metavar="ID", help="Who takes it away (you, as logged in)."
        )
        parser.add_argument(
            "--json", action="store_true", help="Write the outcome as JSON; needs --output."
        )

    def handle(self, *args: Any, **options: Any) -> None:
        """Write the file and say how much it is."""
        del args
        path: Path | None = options["output"]
        if options["json"] and path is None:
            message = "--json needs --output: standard output holds the file itself."
            raise CommandError(message, returncode=2)
        export = FORMATS[options["format"]](self._actor(options), self._filter(options))
        token = request_id.set(f"export_audit:{uuid7()}")
        started = time.monotonic()
        try:
            with ended_by_sigterm():
                events, size = self._write(export, path)
        except (OperationalError, InterfaceError, ExportBroken) as error:
            message = f"The database does not answer; the file is not complete. {error}"
            raise CommandError(message, returncode=75) from error
        finally:
            request_id.reset(token)
        seconds = time.monotonic() - started
        if options["json"]:
            report = {
                "events": events, "bytes": size, "seconds": round(seconds, 3), "file": str(path)
            }  # fmt: skip
            self.stdout.write(json.dumps(report))
        else:
            where = "standard output" if path is None else path
            self.stderr.write(f"{events:,} events, {size:,} bytes, in {seconds:.1f} s to {where}.")

    def _actor(self, options: dict[str, Any]) -> Actor:
        """Return who the log names; who may run commands may read all there is."""
        given = options["exported_by"]
        try:
            name = intake.clean_actor_id(
                getpass.getuser() if given is None else given, field="--exported-by"
            )
        except InvalidInput as error:
            message = f"--exported-by: {error.details['--exported-by']}"
            raise CommandError(message, returncode=2) from error
        return Actor(id=name, permissions=frozenset({VIEW, VIEW_RESTRICTED, EXPORT_AUDIT}))

    def _filter(self, options: dict[str, Any]) -> EventFilter:
        wanted = EventFilter(
            case_id=_given("--case", options["case"], _text),
            event_types=options["type"],
            actor_id=_given("--actor", options["actor"], _text),
            occurred_from=_given("--from", options["occurred_from"], _moment),
            occurred_to=_given("--to", options["occurred_to"], _moment),
        )
        begin, end = wanted.occurred_from, wanted.occurred_to
        if begin is not None and end is not None and begin >= end:
            message = "--to must be later than --from."
            raise CommandError(message, returncode=2)
        return wanted

    def _write(self, export: Export, path: Path | None) -> tuple[int, int]:
        """Write the file; returns the number of events and of bytes."""
        console = Console(stderr=True)
        shown = console.is_terminal and (path is not None or not sys.stdout.isatty())
        columns = (
            TextColumn("{task.description}"),
            BarColumn(),
            TextColumn("{task.fields[words]}"),
        )
        size = 0
        with (
            standard_output() if path is None else whole_file(path) as write,
            Progress(*columns, TimeElapsedColumn(), console=console, disable=not shown) as progress,
        ):
            total = _expected(export) if shown else None
            task = progress.add_task(export.format, total=total, words="")
            blocks = replica.from_replica(export.start)
            try:
                for block in blocks:
                    write(block)
                    size += len(block)
                    words = f"{blocks.count:,} events, {size / 1e6:,.1f} MB"
                    progress.update(task, completed=blocks.count, words=words)
                progress.update(task, total=blocks.count)
            finally:
                blocks.close()
        return blocks.count, size


def _text(value: str) -> str:
    return intake.text(value, maximum=intake.ACTOR_MAX, required=True, one_line=True)


def _moment(value: str) -> datetime:
    return intake.moment(f"{value}T00:00:00Z" if len(value) == _DAY else value)


def _given(option: str, value: str | None, read: Callable[[str], T]) -> T | None:
    """Return the value of an option, None where it was not given. Raises CommandError."""
    try:
        return None if value is None else read(value)
    except ValueError as error:
        message = f"{option}: {error}"
        raise CommandError(message, returncode=2) from error


def _expected(export: Export) -> int:
    """Return how many events the planner expects: counting takes as long as some files."""
    if (statement := export.statement(connection)) is None:
        return 0
    with connection.cursor() as cursor:
        cursor.execute(f"EXPLAIN (FORMAT JSON) {statement}")
        answer = cursor.fetchone()[0]
    [plan] = json.loads(answer) if isinstance(answer, str) else answer
    return int(plan["Plan"]["Plan Rows"])
