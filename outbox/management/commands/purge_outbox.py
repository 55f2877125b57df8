"""Forget events that were dealt with long ago."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from cases.durations import duration
from outbox.services import purge, purgeable


class Command(BaseCommand):
    """Delete outbox events that were delivered or discarded long ago, in batches."""

    help = (
        "Delete events that were delivered or discarded longer ago than --older-than. What is "
        "pending, waiting or dead stays, however old. May run beside drainers, and at any time "
        "be stopped."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        """Declare the options."""
        parser.add_argument(
            "--older-than",
            type=duration,
            default=timedelta(days=30),
            metavar="AGE",
            help="how long ago they must have been dealt with: 36h, 30d, 2w (default: 30d)",
        )
        parser.add_argument("--dry-run", action="store_true", help="only count")
        parser.add_argument("--json", action="store_true", help="write the outcome as JSON")

    def handle(self, *args: Any, **options: Any) -> None:
        """Delete, and say how many."""
        del args
        age = options["older_than"]
        if options["dry_run"]:
            key, count = "would_delete", purgeable(older_than=age)
        else:
            key, count = "deleted", sum(purge(older_than=age))
        if options["json"]:
            self.stdout.write(json.dumps({key: count}))
        else:
            verb = "would be deleted" if options["dry_run"] else "deleted"
            self.stderr.write(f"{count} events {verb}.")
