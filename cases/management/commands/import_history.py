"""Load an office's past from an action log."""

from __future__ import annotations

import getpass
import json
from pathlib import Path
from typing import Any

import structlog
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import transaction
from uuid_utils.compat import uuid7

from cases.errors import InvalidInput
from cases.imports.console import RejectsFile, add_file_arguments, progress_bar
from cases.imports.history import FIELDS, REQUIRED, HistoryImport, HistoryOutcome
from cases.imports.mapping import Columns, parse_pairs, zone_named
from cases.imports.rows import FileError, Source, open_rows
from cases.intake import clean_actor_id
from cases.lifecycle import CaseAction
from cases.signals import request_id

_log = structlog.get_logger("cases")


class Command(BaseCommand):
    """Load a past that happened elsewhere, with its own times and actors."""

    help = (
        "Play an action log (case, at, action, actor, input) through the services, each line "
        "with its own time and actor. The lifecycle's rules hold, the role rules do not; the "
        "trail names who imported. A case that is there already is left alone. Exit 0: all "
        "lines were played, 1: some were refused (see the rejects file), 2: usage."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        """Declare the options."""
        add_file_arguments(parser)
        parser.add_argument(
            "--source", default="", help="Where the log comes from; part of each case's key."
        )
        parser.add_argument(
            "--action",
            action="append",
            default=[],
            metavar="ACTION=THEIRS",
            help="What the log calls one of our actions, like add_note=remark.",
        )
        parser.add_argument(
            "--imported-by", help="Who is responsible for the import (you, as logged in)."
        )
        parser.add_argument(
            "--announce", action="store_true", help="Tell the outbox's destinations too."
        )

    def handle(self, *args: Any, **options: Any) -> None:
        """Play the log and say what became of its lines."""
        del args
        path: Path = options["file"]
        rejects_path = options["rejects"] or Path(f"{path.name}.rejects.jsonl")
        token = request_id.set(f"import_history:{uuid7()}")
        try:
            with (
                open_rows(path, delimiter=options["delimiter"]) as source,
                RejectsFile(rejects_path) as rejects,
            ):
                run = HistoryImport(
                    columns=self._columns(source, options),
                    source=options["source"],
                    imported_by=clean_actor_id(
                        options["imported_by"] or getpass.getuser(), field="--imported-by"
                    ),
                    action_names=self._action_names(options["action"]),
                    announce=options["announce"],
                )
                outcome = self._run(run, source, rejects, path, dry_run=options["dry_run"])
        except FileError as error:
            raise CommandError(str(error), returncode=2) from error
        except InvalidInput as error:
            message = " ".join(f"{name}: {why}" for name, why in error.details.items())
            raise CommandError(message, returncode=2) from error
        finally:
            request_id.reset(token)
        self._report(outcome, rejects, options)

    def _columns(self, source: Source, options: dict[str, Any]) -> Columns:
        named = {column: column for column in source.columns or FIELDS if column in FIELDS}
        given = parse_pairs(options["map"], FIELDS, what="FIELD=COLUMN")
        columns = Columns(named | given, zone_named(options["time_zone"]))
        missing = columns.missing_in(source.columns)
        missing += [field for field in REQUIRED if field not in columns.by_field]
        if missing:
            message = (
                f"The log has no column {', '.join(map(repr, missing))}; --map FIELD=COLUMN names "
                f"another one. It has: {', '.join(source.columns or ())}."
            )
            raise FileError(message)
        return columns

    def _action_names(self, pairs: list[str]) -> dict[str, str]:
        """Return our actions by the names that the log has for them; a note is add_note."""
        theirs = parse_pairs(pairs, [a.value for a in CaseAction], what="ACTION=THEIRS")
        return {"note": CaseAction.ADD_NOTE.value} | {name: ours for ours, name in theirs.items()}

    def _run(
        self,
        run: HistoryImport,
        source: Source,
        rejects: RejectsFile,
        path: Path,
        *,
        dry_run: bool,
    ) -> HistoryOutcome:
        with progress_bar(path) as bar:
            if not dry_run:
                return run.run(source.rows, rejects.write, bar.move_to_share)
            with transaction.atomic():
                outcome = run.run(source.rows, rejects.write, bar.move_to_share)
                transaction.set_rollback(True)
        return outcome

    def _report(
        self, outcome: HistoryOutcome, rejects: RejectsFile, options: dict[str, Any]
    ) -> None:
        where = str(rejects.path) if rejects.count else None
        applied = sum(outcome.applied.values())
        _log.info(
            "history_imported",
            dry_run=options["dry_run"],
            cases=outcome.cases,
            applied=applied,
            refused=outcome.refused,
        )
        if options["json"]:
            report = {
                "cases": outcome.cases,
                "applied": dict(sorted(outcome.applied.items())),
                "refused": outcome.refused,
                "already_loaded": outcome.already_loaded,
                "dry_run": options["dry_run"],
                "rejects": where,
            }
            self.stdout.write(json.dumps(report))
        else:
            self.stdout.write(
                f"{'Dry run: ' if options['dry_run'] else ''}{outcome.cases} cases, {applied} "
                f"lines played, {outcome.refused} refused, {outcome.already_loaded} already loaded."
            )
        if rejects.count:
            message = f"{rejects.count} lines were refused: {where} says why."
            raise CommandError(message, returncode=1)
