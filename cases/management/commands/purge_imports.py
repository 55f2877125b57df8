"""Forget what people uploaded to import and left lying."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandParser
from django.utils.timezone import now

from cases.durations import duration
from cases.imports.registers import count_older_than, forget_older_than


class Command(BaseCommand):
    """Delete old uploads with all that is left of their rows; cases stay."""

    help = (
        "Delete uploads to the back office with the rows that were not imported. Cases that were "
        "made of them stay. Uploading does the same with what is older than IMPORT_KEEP_DAYS; this "
        "is for an office where nobody uploads any more."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        """Declare the options."""
        parser.add_argument(
            "--older-than",
            type=duration,
            default=timedelta(days=settings.IMPORT_KEEP_DAYS),
            metavar="AGE",
            help="how old an upload must be: 36h, 30d, 2w (default: IMPORT_KEEP_DAYS)",
        )
        parser.add_argument("--dry-run", action="store_true", help="only count")
        parser.add_argument("--json", action="store_true", help="write the outcome as JSON")

    def handle(self, *args: Any, **options: Any) -> None:
        """Delete, and say how many."""
        del args
        before = now() - options["older_than"]
        if options["dry_run"]:
            key, count = "would_delete", count_older_than(before)
        else:
            key, count = "deleted", forget_older_than(before)
        if options["json"]:
            self.stdout.write(json.dumps({key: count, "before": before.isoformat()}))
        else:
            verb = "would be deleted" if options["dry_run"] else "deleted"
            self.stdout.write(f"{count} uploads from before {before:%Y-%m-%d %H:%M} UTC {verb}.")
