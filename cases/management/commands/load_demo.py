"""Fill an empty service with something to look at."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.db import connection, transaction
from django.utils.timezone import now
from uuid_utils.compat import uuid7

from cases.demo.accounts import create_accounts
from cases.demo.history import COLUMNS, demo_log
from cases.imports.history import HistoryImport
from cases.imports.rows import Row
from cases.models import Case
from cases.signals import request_id

# Any number does, as long as nothing else locks it: two demos at once wait for each other.
_LOCK = 20_260_131


class Command(BaseCommand):
    """Load the demo: people and some hundred cases with their past.

    It is one transaction: a start that is killed half-way leaves an empty table behind, and the
    next one begins anew.
    """

    help = "Make demo accounts and some hundred invented cases, where there are no cases yet."

    def handle(self, *args: Any, **options: Any) -> None:
        """Load the demo, or say why not."""
        del args, options
        if settings.APP_ENV == "production":
            message = "The demo's password is public: it is not loaded where APP_ENV=production."
            raise CommandError(message, returncode=2)
        token = request_id.set(f"load_demo:{uuid7()}")
        try:
            with transaction.atomic():
                self._load()
        finally:
            request_id.reset(token)

    def _load(self) -> None:
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(%s)", [_LOCK])
        if Case.objects.exists():
            self.stdout.write("There are cases already: nothing to do.")
            return
        accounts = create_accounts()
        run = HistoryImport(columns=COLUMNS, source="Demo", imported_by="demo", action_names={})
        outcome = run.run(demo_log(now=now()), _refuse, lambda _share: None)
        events = sum(outcome.applied.values())
        self.stdout.write(
            f"The demo is loaded: {outcome.cases} cases, {events} events, {accounts} new accounts."
        )


def _refuse(row: Row, reason: str) -> None:
    """Fail: the demo follows the rules, or one of the two is wrong."""
    message = f"Line {row.line} of the demo was refused: {reason} {dict(row.cells)}"
    raise CommandError(message)
