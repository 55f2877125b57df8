"""What the database holds of ours."""

from __future__ import annotations

from django.db import connection


def shape() -> list[tuple[str, ...]]:
    """Return its columns, constraints, indexes, triggers and functions."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT 'column', table_name, column_name, data_type, is_nullable
              FROM information_schema.columns WHERE table_schema = current_schema()
            UNION ALL SELECT 'constraint', conrelid::regclass::text, conname,
                   pg_get_constraintdef(oid), '' FROM pg_constraint
             WHERE connamespace = current_schema()::regnamespace AND contype <> 't'
            UNION ALL SELECT 'index', tablename, indexname, indexdef, ''
              FROM pg_indexes WHERE schemaname = current_schema()
            UNION ALL SELECT 'trigger', tgrelid::regclass::text, tgname, pg_get_triggerdef(oid), ''
              FROM pg_trigger WHERE NOT tgisinternal
            UNION ALL SELECT 'function', proname, prosrc, coalesce(proconfig::text, ''), ''
              FROM pg_proc WHERE pronamespace = current_schema()::regnamespace
            ORDER BY 1, 2, 3, 4
            """
        )
        return cursor.fetchall()
