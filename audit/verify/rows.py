"""Reads what a verification needs, in the order of the cases. Plain psycopg, no Django.

Moments and JSON come as the texts that PostgreSQL writes, bodies as their SHA-256: nothing is
parsed that need not be, and a text of 100,000 characters costs no memory here. ONLY keeps rows of
inheriting tables from standing in for ours.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from itertools import groupby
from operator import itemgetter
from typing import Final, NamedTuple

from audit.verify.trail import Row, TrailCheck
from cases.replay import COLUMNS


def _column(name: str) -> str:
    if name == "description":
        return "encode(sha256(convert_to(description, 'UTF8')), 'hex')"
    return f"{name}::text" if name.endswith("_at") else name


class Source(NamedTuple):
    """A statement without its condition; ``key`` is the column of the case's id."""

    name: str
    select: str
    key: str
    order: str

    def sql(self, condition: str) -> str:
        """Return the statement; ``{key}`` in the condition stands for the case's id."""
        where = condition.replace("{key}", self.key)
        return f"{self.select} WHERE {where} ORDER BY {self.order}"


CASES: Final = Source(
    "cases",
    f"SELECT id, {', '.join(map(_column, COLUMNS))} FROM ONLY cases",  # noqa: S608 (constants)
    "id",
    "id",
)
EVENTS: Final = Source(
    "events",
    "SELECT case_id, sequence, id::text, event_type, actor_id, occurred_at::text, "
    "recorded_at::text, request_id, details::text, content_hash, previous_hash, hash "
    "FROM ONLY audit_events",
    "case_id",
    "case_id, sequence",
)
NOTES: Final = Source(
    "notes",
    "SELECT case_id, sequence, id::text, author, created_at::text, "
    "encode(sha256(convert_to(body, 'UTF8')), 'hex') FROM ONLY case_notes",
    "case_id",
    "case_id, sequence",
)
GRANTS: Final = Source(
    "grants",
    # Outer joins: a grant whose user or permission is gone is a finding, not nothing.
    "SELECT access.case_id, coalesce(account.username, '?'), coalesce(permission.codename, '?') "
    "FROM ONLY case_user_permissions AS access "
    "LEFT JOIN ONLY auth_user AS account ON account.id = access.user_id "
    "LEFT JOIN ONLY auth_permission AS permission ON permission.id = access.permission_id",
    "access.case_id",
    "access.case_id",
)
SOURCES: Final = (CASES, EVENTS, NOTES, GRANTS)

# Moments as the texts that audit.verify.trail expects; nothing hidden by row security.
SESSION: Final = (
    "SET LOCAL DateStyle = 'ISO'; SET LOCAL TimeZone = 'UTC'; SET LOCAL row_security = off"
)


class _Grouped:
    """The rows of one source, by case."""

    def __init__(self, rows: Iterable[Row]) -> None:
        self._groups = groupby(rows, key=itemgetter(0))
        self.key: str | None = None
        self._rows: Iterator[Row] = iter(())
        self._step()

    def _step(self) -> None:
        self.key, self._rows = next(self._groups, (None, iter(())))

    def take(self, case_id: str) -> Iterator[Row]:
        """Yield the rows of the case, if the next ones are its, and go on to the next case."""
        if self.key == case_id:
            yield from self._rows
            self._step()


def check_all(read: Callable[[Source], Iterable[Row]], check: TrailCheck) -> None:
    """Walk through all sources side by side and check case after case.

    Args:
        read: returns the rows of a source in its order.
        check: is given every case that any of the sources knows.
    """
    groups = [_Grouped(read(source)) for source in SOURCES]
    while keys := [group.key for group in groups if group.key is not None]:
        case_id = min(keys)
        check.case(case_id, *(group.take(case_id) for group in groups))
