"""Django's command, by which a migration is made and noted as made, or neither.

Django notes in a transaction of its own, after that of the migration: killed in between, it would
make the migration again at the next try, and fail for ever at what is there already.
"""

from __future__ import annotations

from contextlib import ExitStack
from typing import Any, Final

from django.core.management.commands import migrate
from django.db import transaction
from django.db.migrations import Migration

_BEGINS: Final = ("apply_start", "unapply_start")
_ENDS: Final = ("apply_success", "unapply_success")


class Command(migrate.Command):
    """Bring the database up to date, or back."""

    def handle(self, *args: Any, **options: Any) -> None:
        """Migrate; what is under way when something fails is undone."""
        self._database = options["database"]
        with ExitStack() as self._under_way:
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
