"""What the service's own role must not be able to do to its database, looked at from within.

``config/postgresql/roles.sql`` makes such a role.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from django.core.checks import CheckMessage, Tags, Warning, register  # noqa: A004 (Django's name)
from django.db import connections

# Rows that stay as they were written, or are never deleted; TRUNCATE is nowhere needed.
STAYS: Final[Mapping[str, tuple[str, ...]]] = {
    "audit_events": ("UPDATE", "DELETE"),
    "audit_anchors": ("UPDATE", "DELETE"),
    "audit_anchor_heads": ("UPDATE", "DELETE"),
    "case_notes": ("UPDATE", "DELETE"),
    "cases": ("DELETE",),
    "case_words": ("DELETE",),
    "rights_version": ("INSERT", "DELETE"),
    "django_migrations": ("INSERT", "UPDATE", "DELETE"),
}
_NOWHERE: Final = ("TRUNCATE", "TRIGGER", "REFERENCES")
# Of a role by membership as well: SET ROLE is all it takes.
_ROLE: Final = """
SELECT bool_or(rolsuper), bool_or(rolbypassrls OR rolcreaterole OR rolcreatedb OR rolreplication),
       has_database_privilege(current_database(), 'CREATE, TEMPORARY')
           OR has_schema_privilege(current_schema(), 'CREATE'),
       has_parameter_privilege('session_replication_role', 'SET'),
       bool_or(rolname IN ('pg_read_server_files', 'pg_write_server_files',
                           'pg_execute_server_program'))
  FROM pg_roles WHERE pg_has_role(oid, 'MEMBER')
"""
# Who owns the database or a schema can drop what is in it, a function of the guards among it.
_OWNED: Final = """
SELECT kind, name FROM (
    SELECT 1, 'tables', relname, relowner FROM pg_class
     WHERE relnamespace = current_schema()::regnamespace AND relkind IN ('r', 'p')
    UNION ALL
    SELECT 2, 'functions', proname, proowner FROM pg_proc
     WHERE pronamespace = current_schema()::regnamespace
    UNION ALL
    SELECT 3, 'schemas', nspname, nspowner FROM pg_namespace
    UNION ALL
    SELECT 4, 'databases', datname, datdba FROM pg_database WHERE datname = current_database()
) AS found (turn, kind, name, owner)
 WHERE pg_has_role(owner, 'MEMBER') ORDER BY turn, name LIMIT 1
"""
_GRANTED: Final = """
SELECT name, string_agg(privilege, ', ' ORDER BY privilege)
  FROM unnest(%s::text[], %s::text[]) AS wrong (name, privilege)
 WHERE has_table_privilege(to_regclass(name), privilege)
    OR (privilege IN ('INSERT', 'UPDATE', 'REFERENCES')
        AND has_any_column_privilege(to_regclass(name), privilege)) GROUP BY name ORDER BY name
"""


@register(Tags.database, deploy=True)
def check_role(*, databases: Sequence[str] | None = None, **kwargs: Any) -> list[CheckMessage]:
    """Warn of what the role of this connection may and the service does not need."""
    del kwargs
    return [
        Warning(
            f"The database role of {alias!r} {excess}.",
            hint="Run config/postgresql/roles.sql and connect as its application's role: "
            "docs/how-to/separate-database-roles.md.",
            id="config.W002",
        )
        for alias in databases or ()
        for excess in _excesses(alias)
    ]


def _excesses(alias: str) -> list[str]:
    with connections[alias].cursor() as cursor:
        cursor.execute(_ROLE)
        superuser, attributes, creates, replica, files = cursor.fetchone()
        if superuser:
            return ["is a superuser: no guard holds against it"]
        cursor.execute(_OWNED)
        if owned := cursor.fetchone():
            return [f"owns {owned[0]}, {owned[1]} among them: it can take the guards away"]
        wrong = [
            (table, privilege)
            for table, privileges in STAYS.items()
            for privilege in (*privileges, *_NOWHERE)
        ]
        cursor.execute(_GRANTED, [list(column) for column in zip(*wrong, strict=True)])
        granted = cursor.fetchall()
    found = [f"may {privileges} on {table}" for table, privileges in granted]
    if attributes:
        found.append("has BYPASSRLS, CREATEROLE, CREATEDB or REPLICATION")
    if creates:
        found.append("may create tables, temporary ones or schemas")
    if replica:
        found.append("may set session_replication_role")
    if files:
        found.append("may read or write files of the server, or start programs there")
    return found
