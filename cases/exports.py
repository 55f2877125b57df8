"""Lists as files of any length: PostgreSQL writes the lines, they pass through in blocks.

COPY is one statement: one snapshot, constant memory, and several times faster than rows in
Python.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

import structlog
from django.core.exceptions import EmptyResultSet
from django.db import DatabaseError, connection
from django.db.models import CharField, F, Func, QuerySet
from psycopg import ClientCursor

from cases import selectors
from cases.filters import CaseFilter
from cases.models import Case, Ordering
from cases.policies import Actor
from cases.signals import request_id

_BLOCK: Final = 65_536
_log = structlog.get_logger("exports")


class ExportBroken(Exception):
    """The export broke off: what came so far is not all of it."""


@dataclass(frozen=True, kw_only=True)
class Export:
    """Which rows are written, how, for whom.

    ``rows`` yields the columns of the file; ``options`` are those of COPY. ``asked`` names what
    was asked about, without the values: search words are nobody's business in a log.
    """

    event: str
    rows: QuerySet[Any, Any]
    options: str
    actor: Actor
    asked: Sequence[str]
    head: bytes = b""
    line_end: bytes = b"\n"

    def start(self) -> Iterator[bytes]:
        """Return the file's blocks, the first of them read already.

        So what fails at once, a database that is away say, fails before an answer has begun.
        Close the iterator to end the statement early.

        Raises:
            DatabaseError: the statement failed before its first block.
            ExportBroken: it failed later, while the blocks are taken.
        """
        blocks = self._blocks()
        first = next(blocks)
        return _Started(first, blocks)

    def _blocks(self) -> Iterator[bytes]:
        log = _log.bind(
            actor_id=self.actor.id, request_id=request_id.get(), asked=sorted(self.asked)
        )
        outcome, count, begun = "left", 0, False
        try:
            block = bytearray(self.head)
            for line in self._lines():
                count += 1
                block += bytes(line)[:-1] + self.line_end
                if len(block) >= _BLOCK:
                    begun = True
                    yield bytes(block)
                    block.clear()
            outcome = "complete"
            yield bytes(block)
        except DatabaseError as error:
            outcome = type(error.__cause__ or error).__name__
            if not begun:
                raise
            # Nor does the server's log get to see PostgreSQL's message, which may quote rows.
            raise ExportBroken(ExportBroken.__doc__) from None
        finally:
            log.info(self.event, rows=count, outcome=outcome)

    def _lines(self) -> Iterator[bytes | bytearray | memoryview]:
        try:
            query = self.rows.query.sql_with_params()
        except EmptyResultSet:  # Django sees that there can be none, and makes no statement
            return
        with connection.cursor() as cursor, connection.wrap_database_errors:
            # COPY takes no values apart from its text.
            rows = ClientCursor(connection.connection).mogrify(*query)
            statement = f"COPY ({rows}) TO STDOUT WITH ({self.options})"
            # PostgreSQL sends each row as a message of its own.
            with cursor.copy(statement) as lines:
                yield from lines


class _Started:
    """An iterator that has been looked into; closing it closes what is left."""

    def __init__(self, first: bytes, rest: Iterator[bytes]) -> None:
        self._first: bytes | None = first
        self._rest = rest

    def __iter__(self) -> Iterator[bytes]:
        return self

    def __next__(self) -> bytes:
        if self._first is not None:
            block, self._first = self._first, None
            return block
        return next(self._rest)

    def close(self) -> None:
        """End the statement."""
        self._rest.close()  # type: ignore[attr-defined]  # a generator


class _Defused(Func):
    """A text that no spreadsheet takes for a formula: an apostrophe before what begins as one."""

    # Full-width forms are among them: some programs narrow them as they read.
    template = (
        "CASE WHEN left(%(expressions)s, 1) IN ('=', '+', '-', '@', E'\\t', E'\\r', E'\\n',"
        " U&'\\FF1D', U&'\\FF0B', U&'\\FF0D', U&'\\FF20')"
        " THEN '''' || %(expressions)s ELSE %(expressions)s END"
    )
    output_field = CharField()


class _Moment(Func):
    """A point in time as the API writes it."""

    template = "to_char(%(expressions)s AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS.US\"Z\"')"
    output_field = CharField()


class _TrueOrFalse(Func):
    """A truth value as JSON writes it."""

    template = "CASE WHEN %(expressions)s THEN 'true' ELSE 'false' END"
    output_field = CharField()


# The columns of the file; those of free text are defused, our own words and numbers need not be.
_COLUMNS: Final[dict[str, type[Func] | None]] = {
    "id": None,
    "title": _Defused,
    "status": None,
    "assigned_reviewer_id": _Defused,
    "version": None,
    "description": _Defused,
    "received_at": _Moment,
    "category": _Defused,
    "subject": _Defused,
    "external_reference": _Defused,
    "source": _Defused,
    "priority": None,
    "restricted": _TrueOrFalse,
    "created_by": _Defused,
    "submitted_by": _Defused,
    "created_at": _Moment,
    "updated_at": _Moment,
    "submitted_at": _Moment,
    "closed_at": _Moment,
    "due_at": _Moment,
    "overdue_at": _Moment,
    "paused_at": _Moment,
}
# Excel takes a file for UTF-8 only by its byte order mark; RFC 4180 ends lines with CR and LF.
_CSV_END: Final = b"\r\n"
_CSV_HEAD: Final = b"\xef\xbb\xbf" + ",".join(_COLUMNS).encode() + _CSV_END


def cases_as_csv(actor: Actor, wanted: CaseFilter, ordering: Ordering) -> Export:
    """Return the export of the cases that a list of this filter and ordering holds, all pages."""
    cases = selectors.visible_cases(actor, replace(wanted, search=""))
    if wanted.search:
        cases = selectors.searched(cases, wanted.search)
    return _as_csv(actor, cases.order_by(*ordering.terms()), wanted.names())


def chosen_as_csv(actor: Actor, case_ids: Collection[str]) -> Export:
    """Return the export of single cases, of those among them that exist for this actor."""
    cases = selectors.visible_cases(actor).filter(pk__in=case_ids).order_by("pk")
    return _as_csv(actor, cases, ["chosen"])


def _as_csv(actor: Actor, cases: QuerySet[Case], asked: Sequence[str]) -> Export:
    columns = (made(F(name)) if made else F(name) for name, made in _COLUMNS.items())
    return Export(
        event="cases_exported",
        rows=cases.values_list(*columns),
        options="FORMAT csv",
        actor=actor,
        asked=asked,
        head=_CSV_HEAD,
        line_end=_CSV_END,
    )
