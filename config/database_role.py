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
_ROLE: Final = """
SELECT rolsuper, rolbypassrls OR rolcreaterole OR rolcreatedb OR rolreplication,
       has_database_privilege(current_database(), 'CREATE, TEMPORARY')
           OR has_schema_privilege(current_schema(), 'CREATE'),
       has_parameter_privilege('session_replication_role', 'SET')
  FROM pg_roles WHERE rolname = current_user
"""
# Of an owner by membership as well: SET ROLE is all it takes.
_OWNED: Final = """
SELECT relname FROM pg_class
 WHERE relnamespace = current_schema()::regnamespace AND relkind IN ('r', 'p')
   AND pg_has_role(relowner, 'MEMBER') ORDER BY relname LIMIT 1
"""
_GRANTED: Final = """
SELECT name, string_agg(privilege, ', ' ORDER BY privilege)
  FROM unnest(%s::text[], %s::text[]) AS wrong (name, privilege)
 WHERE has_table_privilege(to_regclass(name), privilege) GROUP BY name ORDER BY name
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
        superuser, attributes, creates, replica = cursor.fetchone()
        if superuser:
            return ["is a superuser: no guard holds against it"]
        cursor.execute(_OWNED)
        if owned := cursor.fetchone():
            return [f"owns tables, {owned[0]} among them: it can switch their guards off"]
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
    return found
