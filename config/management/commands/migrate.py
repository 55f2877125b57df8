"""Django's command, one at a time, by which a migration is made and noted as made, or neither.

Django notes in a transaction of its own, after that of the migration: killed in between, it would
make the migration again at the next try, and fail for ever at what is there already. And two that
run at once would make the same tables (docs/decisions/0031-a-migration-and-its-note-at-once.md).
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager, nullcontext
from typing import Any, Final

from django.core.management.commands import migrate
from django.db import connections, transaction
from django.db.migrations import Migration

_BEGINS: Final = ("apply_start", "unapply_start")
_ENDS: Final = ("apply_success", "unapply_success")
_LOOK: Final = 0.5  # seconds between two looks at whether the other one has ended
# The number keeps it apart from other advisory locks.
_TAKE_TURN: Final = "SELECT pg_try_advisory_xact_lock(4711, 1)"


class Command(migrate.Command):
    """Bring the database up to date, or back."""

    def handle(self, *args: Any, **options: Any) -> None:
        """Migrate; what is under way when something fails is undone."""
        self._database = options["database"]
        only_looks = options["plan"] or options["check_unapplied"]
        with nullcontext() if only_looks else self._alone(), ExitStack() as self._under_way:
            super().handle(*args, **options)

    def migration_progress_callback(
        self,
        action: str,
        migration: Migration | None = None,
        fake: bool = False,  # noqa: FBT001, FBT002 (Django's)
    ) -> None:
        """Begin a transaction with a migration that may have one, and end it once it is noted."""
        if action in _BEGINS and migration is not None and migration.atomic:
            self._under_way.enter_context(transaction.atomic(self._database))
        if action in _ENDS:
            self._under_way.close()
        super().migration_progress_callback(action, migration, fake)

    @contextmanager
    def _alone(self) -> Iterator[None]:
        """Wait until no other one is at work on this database, and let none begin.

        A transaction of a connection of its own holds the turn, and ends with this process. Who
        waits asks again and again: an index that is made beside all work waits for statements that
        wait, and would do so for ever.
        """
        with closing(connections[self._database].copy()) as turn:
            turn.set_autocommit(False)
            told = False
            while not self._takes(turn):
                if not told:
                    self.stderr.write("Another migrate is at work on this database: waiting.")
                told = True
                time.sleep(_LOOK)
            yield

    @staticmethod
    def _takes(turn: Any) -> bool:
        with turn.cursor() as cursor:
            cursor.execute(_TAKE_TURN)
            [free] = cursor.fetchone()
        if not free:
            turn.rollback()
        return bool(free)
