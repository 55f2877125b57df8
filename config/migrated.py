"""Whether all migrations of this program are made: asked by the health check and by commands."""

from __future__ import annotations

from typing import Final

from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.migrations.loader import MigrationLoader

MISSING: Final = "Migrations are missing: run manage.py migrate."


def is_migrated(connection: BaseDatabaseWrapper) -> bool:
    """Tell whether the database knows every migration of this program.

    Not by Django's executor, which asks on the connection of everybody.

    Raises:
        DatabaseError: the database does not answer.
    """
    with connection.cursor() as cursor:
        cursor.execute("SELECT to_regclass('django_migrations') IS NOT NULL")
        found = cursor.fetchone() == (True,)
        cursor.execute("SELECT app, name FROM django_migrations" if found else "SELECT WHERE false")
        applied = {*cursor.fetchall()}
    return all(
        key in applied or (migration.replaces and applied.issuperset(migration.replaces))
        for key, migration in MigrationLoader(None).graph.nodes.items()
    )
