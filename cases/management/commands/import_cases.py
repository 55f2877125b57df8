"""Take in a register of cases."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import structlog
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import transaction
from django.utils.timezone import now
from uuid_utils.compat import uuid7

from cases.errors import InvalidInput
from cases.imports.cases import CaseImport, Outcome
from cases.imports.console import RejectsFile, add_file_arguments, progress_bar
from cases.imports.mapping import Columns, parse_pairs, unfilled, zone_named
from cases.imports.rows import FileError, Source, open_rows
from cases.intake import WRITABLE, clean_actor_id
from cases.policies import DEFAULT_ROLES, Actor
from cases.signals import request_id

_log = structlog.get_logger("cases")


class Command(BaseCommand):
    """Take in a register of cases; running the same file again creates nothing twice."""

    help = (
        "Take in cases from a CSV or JSON Lines file. A row is known again by its source and "
        "external reference: later deliveries create what is new, update drafts that changed "
        "and report the rest. Exit 0: all rows are in, 1: some were not loaded (see the rejects "
        "file), 2: usage."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        """Declare the options."""
        add_file_arguments(parser)
        parser.add_argument("--source", default="", help="Where the register comes from.")
        parser.add_argument("--submit", action="store_true", help="Submit what is created.")
        parser.add_argument("--actor", default="import", help="Who takes them in (%(default)s).")

    def handle(self, *args: Any, **options: Any) -> None:
        """Load the file and say what became of its rows."""
        del args
        path: Path = options["file"]
        rejects_path = options["rejects"] or Path(f"{path.name}.rejects.jsonl")
        token = request_id.set(f"import_cases:{uuid7()}")
        try:
            actor_id = clean_actor_id(options["actor"], field="actor")
            with (
                open_rows(path, delimiter=options["delimiter"]) as source,
                RejectsFile(rejects_path) as rejects,
            ):
                run = CaseImport(
                    columns=self._columns(source, options),
                    source=options["source"],
                    actor=Actor(id=actor_id, permissions=DEFAULT_ROLES["case_writer"]),
                    at=now(),
                    submit=options["submit"],
                    by_operator=True,
                )
                outcome = self._run(run, source, rejects, path, dry_run=options["dry_run"])
        except FileError as error:
            raise CommandError(str(error), returncode=2) from error
        except InvalidInput as error:
            message = f"--actor: {error.details['actor']}"
            raise CommandError(message, returncode=2) from error
        finally:
            request_id.reset(token)
        self._report(outcome, rejects, options)

    def _columns(self, source: Source, options: dict[str, Any]) -> Columns:
        """Return the mapping: columns that bear a field's name, and what --map says."""
        named = {column: column for column in source.columns or WRITABLE if column in WRITABLE}
        given = parse_pairs(options["map"], WRITABLE, what="FIELD=COLUMN")
        columns = Columns(named | given, zone_named(options["time_zone"]))
        if missing := columns.missing_in(source.columns):
            message = (
                f"The file has no column {', '.join(map(repr, missing))}. "
                f"It has: {', '.join(source.columns or ())}."
            )
            raise FileError(message)
        for field in unfilled(columns.by_field, options["source"]):
            message = f"Nothing fills {field}: add --map {field}=COLUMN."
            if field == "source":
                message = (
                    "Say where the register comes from: --source NAME, or --map source=COLUMN."
                )
            raise FileError(message)
        return columns

    def _run(
        self, run: CaseImport, source: Source, rejects: RejectsFile, path: Path, *, dry_run: bool
    ) -> Outcome:
        outcome = Outcome()
        with progress_bar(path) as bar:
            if not dry_run:
                for outcome in run.run(source.rows, rejects.write):  # noqa: B007 (the last counts)
                    bar.move(source.position())
                return outcome
            with transaction.atomic():
                for outcome in run.run(source.rows, rejects.write):  # noqa: B007 (read after the loop)
                    bar.move(source.position())
                transaction.set_rollback(True)
        return outcome

    def _report(self, outcome: Outcome, rejects: RejectsFile, options: dict[str, Any]) -> None:
        figures = vars(outcome)
        where = str(rejects.path) if rejects.count else None
        _log.info("cases_imported", dry_run=options["dry_run"], **figures)
        if options["json"]:
            report = {**figures, "dry_run": options["dry_run"], "rejects": where}
            self.stdout.write(json.dumps(report))
        else:
            words = ", ".join(f"{n} {name.replace('_', ' ')}" for name, n in figures.items())
            self.stdout.write(f"{'Dry run: ' if options['dry_run'] else ''}{words}.")
        if rejects.count:
            message = f"{rejects.count} rows were not loaded: {where} says why."
            raise CommandError(message, returncode=1)
