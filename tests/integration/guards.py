"""What only the owner of the tables can do: change rows past all guards, and commit."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.db import connection, transaction

_STATE = {"O": "ENABLE", "A": "ENABLE ALWAYS", "R": "ENABLE REPLICA"}


@contextmanager
def guards_off(table: str) -> Iterator[Any]:
    """Yield a cursor for which the table's triggers sleep; afterwards they are as they were."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(
            "SELECT tgname, tgenabled FROM pg_trigger"
            " WHERE tgrelid = %s::regclass AND NOT tgisinternal AND tgenabled <> 'D'",
            [table],
        )
        triggers = cursor.fetchall()
        cursor.execute(f"ALTER TABLE {table} DISABLE TRIGGER USER")
        yield cursor
        for name, state in triggers:
            cursor.execute(f"ALTER TABLE {table} {_STATE[state]} TRIGGER {name}")
