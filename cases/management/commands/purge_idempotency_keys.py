"""Forget the answers to requests that nobody will repeat any more."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any, Final

from django.core.management.base import BaseCommand, CommandParser
from django.db import connection
from django.utils.timezone import now

from cases.durations import duration

_BATCH: Final = 5_000
# Small transactions: no request waits for long, and what is done stays done when it is stopped.
# Rows that another purge holds are left to it.
_DELETE: Final = """
DELETE FROM idempotency_keys WHERE (actor_id, key) IN (
    SELECT actor_id, key FROM idempotency_keys WHERE created_at < %s
     ORDER BY created_at LIMIT %s FOR UPDATE SKIP LOCKED)
"""
_COUNT: Final = "SELECT count(*) FROM idempotency_keys WHERE created_at < %s"


class Command(BaseCommand):
    """Delete old idempotency keys, in batches."""

    help = (
        "Delete stored answers to requests with an Idempotency-Key. After that, the same request "
        "with the same key is carried out again."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        """Declare the options."""
        parser.add_argument(
            "--older-than",
            type=duration,
            default=timedelta(days=7),
            metavar="AGE",
            help="how old a key must be to be deleted: 36h, 30d, 2w (default: 7d)",
        )
        parser.add_argument("--dry-run", action="store_true", help="only count")
        parser.add_argument("--json", action="store_true", help="write the outcome as JSON")

    def handle(self, *args: Any, **options: Any) -> None:
        """Delete, and say how many."""
        del args
        before = now() - options["older_than"]
        key = "would_delete" if options["dry_run"] else "deleted"
        with connection.cursor() as cursor:
            count = 0
            if options["dry_run"]:
                cursor.execute(_COUNT, [before])
                (count,) = cursor.fetchone()
            else:
                while True:
                    cursor.execute(_DELETE, [before, _BATCH])
                    count += cursor.rowcount
                    if cursor.rowcount < _BATCH:
                        break
        if options["json"]:
            self.stdout.write(json.dumps({key: count, "before": before.isoformat()}))
        else:
            verb = "would be deleted" if options["dry_run"] else "deleted"
            self.stdout.write(f"{count} keys from before {before:%Y-%m-%d %H:%M} UTC {verb}.")
