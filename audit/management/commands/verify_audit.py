"""Prove the audit trail, or find where it was touched."""

from __future__ import annotations

import json
import os
import signal
import time
from collections.abc import Callable, Iterator
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final, NoReturn

import psycopg
from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import connection
from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn

from audit.anchors.statement import Statement, read_anchor
from audit.signed_note import NoteError, PublicKey, SigningKey
from audit.verify import run
from audit.verify.anchored import check_anchor
from audit.verify.findings import Finding, Report
from cases import intake
from cases.events import rfc3339

_TRY_AGAIN: Final = 75


class Command(BaseCommand):
    """Verify the trail of all cases, of one, or of those that changed lately."""

    help = (
        "Recompute every chain, replay every trail through the lifecycle, compare the outcome with "
        "the rows of cases, notes and grants, and with anchors if asked. It changes nothing. "
        "Exit 0: nothing was found, 1: something was, 2: usage, 75: it could not be verified now."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        """Declare the options."""
        which = parser.add_mutually_exclusive_group()
        which.add_argument("--case", metavar="ID", help="Only this case, like CASE-000001.")
        which.add_argument(
            "--since", metavar="TIME", help="Only cases with an event recorded since (RFC 3339)."
        )
        parser.add_argument(
            "--anchor",
            action="append",
            default=[],
            type=Path,
            metavar="FILE",
            help="Also check that the trail still holds what this anchor covers; repeatable.",
        )
        parser.add_argument(
            "--key",
            metavar="KEY",
            help="Who must have signed the anchors: a public key or a file with it "
            "(that of AUDIT_ANCHOR_KEY).",
        )
        parser.add_argument(
            "--processes",
            type=int,
            default=min(2, os.cpu_count() or 1),
            metavar="N",
            help="How many processes share the work when there is much (%(default)s).",
        )
        parser.add_argument("--json", action="store_true", help="Write the outcome as JSON.")

    def handle(self, *args: Any, **options: Any) -> None:
        """Verify, and say what was found."""
        del args
        scope = run.Scope(case_id=options["case"], since=_since(options["since"]))
        unread = Report()
        anchors = _anchors(options["anchor"], options["key"], unread)
        signal.signal(signal.SIGTERM, _leave)
        started = time.monotonic()
        parameters = connection_parameters()
        try:
            with _progress() as progress:
                report = run.verify(
                    parameters, scope, processes=options["processes"], progress=progress
                )
            for statement in anchors:
                with run.snapshot(parameters) as read_only:
                    report.add(check_anchor(read_only, statement), run.MOST_FINDINGS)
        except psycopg.Error as error:  # a table it may not read, too: that is no finding
            message = f"The database cannot be read: {str(error).strip()}"
            raise CommandError(message, returncode=_TRY_AGAIN) from error
        except BrokenProcessPool as error:
            message = (
                "A process that verified was killed, by whoever ran short of memory perhaps: "
                "nothing is proved. With --processes 1 less is needed."
            )
            raise CommandError(message, returncode=_TRY_AGAIN) from error
        report.add(unread, run.MOST_FINDINGS)
        if scope.case_id is not None and not report.tally.cases:
            message = f"Nothing is known of a case {scope.case_id!r}: no row, no event, no note."
            raise CommandError(message, returncode=2)
        self._report(report.sorted(), anchors, time.monotonic() - started, options)

    def _report(
        self, report: Report, anchors: list[Statement], seconds: float, options: dict[str, Any]
    ) -> None:
        tally, count = report.tally, len(report.findings) + report.more
        if options["json"]:
            outcome = {
                "ok": report.ok,
                **vars(tally),
                "anchors": [one.number for one in anchors],
                "seconds": round(seconds, 3),
                "findings": [one._asdict() for one in report.findings],
                "further_findings": report.more,
            }
            self.stdout.write(json.dumps(outcome))
        else:
            for finding in report.findings:
                self.stdout.write(str(finding))
            seen = (
                f"{tally.cases:,} cases, {tally.events:,} events, {tally.notes:,} notes and "
                f"{tally.grants:,} grants verified in {seconds:.1f} s"
            )
            covered = "".join(f", anchor {one.number} of {one.time}" for one in anchors)
            self.stdout.write(f"{seen}{covered}: {'nothing found' if report.ok else 'see above'}.")
        if count:
            more = f", {report.more:,} of them not shown" if report.more else ""
            message = f"{count:,} findings{more}."
            raise CommandError(message, returncode=1)


def connection_parameters() -> run.Parameters:
    """Return what psycopg connects with to the service's database: plain values only."""
    given = connection.get_connection_params()
    return {name: value for name, value in given.items() if isinstance(value, str | int)}


def _since(given: str | None) -> str | None:
    if given is None:
        return None
    try:
        return rfc3339(intake.moment(given))
    except ValueError as error:
        message = f"--since: {error}"
        raise CommandError(message, returncode=2) from None


def _anchors(paths: list[Path], key: str | None, unread: Report) -> list[Statement]:
    """Return what the anchors state; a file that the key has not signed is a finding."""
    if not paths:
        return []
    public, found = _public_key(key), []
    for path in paths:
        try:
            found.append(read_anchor(path.read_text(encoding="utf-8"), public))
        except (OSError, UnicodeDecodeError) as error:
            message = f"{path} cannot be read: {error}"
            raise CommandError(message, returncode=2) from error
        except NoteError as error:
            unread.findings.append(Finding("", None, "anchor", f"{path.name}: {error}"))
    return found


def _public_key(given: str | None) -> PublicKey:
    try:
        if given is None and settings.AUDIT_ANCHOR_KEY:
            return SigningKey.parse(settings.AUDIT_ANCHOR_KEY).public
        if given is not None:
            path = Path(given)
            return PublicKey.parse(path.read_text() if path.is_file() else given)
    except (OSError, UnicodeDecodeError, NoteError) as error:
        message = f"The key cannot be read: {error}"
        raise CommandError(message, returncode=2) from error
    message = "--key is missing: whose signature is an anchor to have? AUDIT_ANCHOR_KEY is not set."
    raise CommandError(message, returncode=2)


@contextmanager
def _progress() -> Iterator[Callable[[float, Report], None]]:
    """Show a bar on standard error while the block runs, if that is a terminal."""
    console = Console(stderr=True)
    words = TextColumn("{task.description}")
    columns = (words, BarColumn(), TaskProgressColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console, disable=not console.is_terminal) as bar:
        task = bar.add_task("Verifying", total=1.0)

        def show(share: float, so_far: Report) -> None:
            words = f"{so_far.tally.events:,} events, {len(so_far.findings):,} findings"
            bar.update(task, completed=share, description=words)

        yield show


def _leave(_number: int, _frame: object) -> NoReturn:
    message = "Stopped before everything was verified: nothing is proved."
    raise CommandError(message, returncode=_TRY_AGAIN)
