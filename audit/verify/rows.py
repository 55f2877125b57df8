"""Reads what a verification needs, in the order of the cases. Plain psycopg, no Django.

Moments come as they are sent, in microseconds, JSON as PostgreSQL writes it, long texts as their
SHA-256: nothing is parsed that need not be, and a text of 100,000 characters costs no memory here.
ONLY keeps rows of inheriting tables from standing in for ours.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import ExitStack
from itertools import chain, groupby
from operator import itemgetter
from typing import Any, Final, NamedTuple

from psycopg import Connection
from psycopg.types.numeric import Int8BinaryLoader

from audit.verify.findings import Report
from audit.verify.trail import Row, TrailCheck
from cases.replay import COLUMNS


def _column(name: str) -> str:
    if name == "description":
        return "encode(sha256(convert_to(description, 'UTF8')), 'hex')"
    return name


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
    "SELECT case_id, sequence, id::text, event_type, actor_id, occurred_at, "
    "recorded_at, request_id, details::text, content_hash, previous_hash, hash "
    "FROM ONLY audit_events",
    "case_id",
    "case_id, sequence",
)
NOTES: Final = Source(
    "notes",
    "SELECT case_id, sequence, id::text, author, created_at, "
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

# Nothing hidden by row security: PostgreSQL refuses to read instead.
SESSION: Final = "SET LOCAL row_security = off"

_AT_ONCE: Final = 2_000  # rows


class _Grouped:
    """The rows of one source, by case: those of ``key`` come next."""

    def __init__(self, rows: Iterable[Row]) -> None:
        self._groups = groupby(rows, key=itemgetter(0))
        self.key: str | None
        self.rows: Iterator[Row]
        self.step()

    def step(self) -> None:
        """Go on to the next case that the source knows; ``key`` is None when there is none."""
        self.key, self.rows = next(self._groups, _NO_MORE)


_NO_MORE: Final[tuple[str | None, Iterator[Row]]] = (None, iter(()))


def check_rows(connection: Connection[Any], condition: str, values: Mapping[str, Any]) -> Report:
    """Check the cases that a condition picks, in the transaction of the connection.

    Args:
        connection: psycopg's; the sources are read one beside the other, so it should be a
            transaction that sees one moment.
        condition: SQL, in which ``{key}`` stands for the id of the case.
        values: of the condition's named placeholders.
    """
    check = TrailCheck()
    with ExitStack() as cursors:

        def read(source: Source) -> Iterable[Row]:
            cursor = cursors.enter_context(connection.cursor(f"verify_{source.name}", binary=True))
            cursor.adapters.register_loader("timestamptz", Int8BinaryLoader)
            cursor.execute(source.sql(condition), values)
            return chain.from_iterable(iter(lambda: cursor.fetchmany(_AT_ONCE), []))

        groups = [_Grouped(read(source)) for source in SOURCES]
        while keys := [group.key for group in groups if group.key is not None]:
            case_id = min(keys)
            check.case(case_id, *(group.rows if group.key == case_id else () for group in groups))
            for group in groups:
                if group.key == case_id:
                    group.step()
    return Report(tally=check.tally, findings=check.findings)
