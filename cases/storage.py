"""The one statement that writes changed cases. The services call it, and nobody else."""

from __future__ import annotations

from django.db import connection

from cases.errors import CaseConflict
from cases.intake import WRITABLE
from cases.models import Case

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


def _statement(columns: dict[str, str]) -> str:
    """UPDATE from arrays, one per column: the same plan and text for one case and for many."""
    assignments = ", ".join(f"{name} = new.{name}" for name in columns)
    arrays = ", ".join(["%s::text[]", *(f"%s::{kind}[]" for kind in columns.values())])
    names = ", ".join(["id", *columns])
    return (
        f"UPDATE cases SET {assignments} FROM unnest({arrays}) AS new({names}) "  # noqa: S608
        "WHERE cases.id = new.id AND cases.version = new.version - 1"
    )


_STATE_ONLY = _statement(STATE)
_STATE_AND_INTAKE = _statement(STATE | _INTAKE)


def store_next_version(*cases: Case, intake: bool = False) -> None:
    """Write changed cases where the stored version is the one they were read at: one statement.

    Args:
        cases: changed instances, each one version above the stored row.
        intake: whether the writable fields are written too.

    Raises:
        CaseConflict: another writer was faster on at least one of them.
    """
    names = ["id", *STATE, *(_INTAKE if intake else ())]
    values = [[getattr(case, name) for case in cases] for name in names]
    with connection.cursor() as cursor:
        cursor.execute(_STATE_AND_INTAKE if intake else _STATE_ONLY, values)
        if cursor.rowcount != len(cases):
            raise CaseConflict


def next_case_ids(count: int) -> list[str]:
    """Take as many new case ids from the database."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT next_case_id() FROM generate_series(1, %s)", [count])
        return [row[0] for row in cursor.fetchall()]
