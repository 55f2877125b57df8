"""The statements that write cases. The services call them, and nobody else."""

from __future__ import annotations

from typing import Any

from django.db import connection

from cases.errors import CaseConflict
from cases.intake import WRITABLE
from cases.models import Case
from cases.prepared import Prepared

# Written with every change; the columns are short. A test holds this list, WRITABLE and FIXED
# against the model, so that no field can be forgotten.
STATE: dict[str, str] = {
    "version": "integer",
    "updated_at": "timestamptz",
    "status": "text",
    "assigned_reviewer_id": "text",
    "restricted": "boolean",
    "submitted_by": "text",
    "submitted_at": "timestamptz",
    "closed_at": "timestamptz",
    "due_at": "timestamptz",
    "overdue_at": "timestamptz",
    "paused_at": "timestamptz",
}
FIXED = ("id", "created_by", "created_at")

_INTAKE = {
    name: "timestamptz" if name.endswith("_at") else "text"
    for name in WRITABLE
    if name not in STATE
}


# Django makes this statement anew for each case, and takes longer for it than PostgreSQL.
_COLUMNS = [f.attname for f in Case._meta.concrete_fields if f.attname != "id"]
_INSERT = Prepared(
    f"INSERT INTO cases ({', '.join(_COLUMNS)}) "  # noqa: S608 (constants)
    f"VALUES ({', '.join(['%s'] * len(_COLUMNS))}) RETURNING id"
)


def _update_one(columns: dict[str, str]) -> Prepared:
    assignments = ", ".join(f"{name} = %s" for name in columns)
    return Prepared(
        f"UPDATE cases SET {assignments} WHERE id = %s AND version = %s"  # noqa: S608 (constants)
    )


def _update_many(columns: dict[str, str]) -> str:
    """UPDATE from arrays, one per column: the same text for any number of cases."""
    assignments = ", ".join(f"{name} = new.{name}" for name in columns)
    arrays = ", ".join(["%s::text[]", *(f"%s::{kind}[]" for kind in columns.values())])
    names = ", ".join(["id", *columns])
    return (
        f"UPDATE cases SET {assignments} FROM unnest({arrays}) AS new({names}) "  # noqa: S608 (constants)
        "WHERE cases.id = new.id AND cases.version = new.version - 1"
    )


_STATE_OF_ONE, _STATE_OF_MANY = _update_one(STATE), _update_many(STATE)
_ALL_OF_ONE, _ALL_OF_MANY = _update_one(STATE | _INTAKE), _update_many(STATE | _INTAKE)


def insert_case(case: Case) -> None:
    """Write a new case; the database gives it its id."""
    with connection.cursor() as cursor:
        cursor.execute(_INSERT, [getattr(case, name) for name in _COLUMNS])
        (case.id,) = cursor.fetchone()
    case._state.adding = False  # noqa: SLF001 (as Django's own save says it)


def store_next_version(*cases: Case, intake: bool = False) -> None:
    """Write changed cases where the stored version is the one they were read at: one statement.

    Args:
        cases: changed instances, each one version above the stored row.
        intake: whether the writable fields are written too.

    Raises:
        CaseConflict: another writer was faster on at least one of them.
    """
    names = [*STATE, *(_INTAKE if intake else ())]
    values: list[Any]
    if len(cases) == 1:
        [case] = cases
        statement: str = _ALL_OF_ONE if intake else _STATE_OF_ONE
        values = [*(getattr(case, name) for name in names), case.id, case.version - 1]
    else:
        statement = _ALL_OF_MANY if intake else _STATE_OF_MANY
        values = [[getattr(case, name) for case in cases] for name in ("id", *names)]
    with connection.cursor() as cursor:
        cursor.execute(statement, values)
        if cursor.rowcount != len(cases):
            raise CaseConflict


def next_case_ids(count: int) -> list[str]:
    """Take as many new case ids from the database."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT next_case_id() FROM generate_series(1, %s)", [count])
        return [row[0] for row in cursor.fetchall()]
