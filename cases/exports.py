"""Lists as files of any length: PostgreSQL writes the lines, they pass through in blocks.

COPY is one statement: one snapshot, constant memory, and several times faster than rows in
Python.
"""

from __future__ import annotations

from collections.abc import Collection, Generator, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final, Protocol

import structlog
from django.conf import settings
from django.core.exceptions import EmptyResultSet
from django.db import DatabaseError, transaction
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models import CharField, F, Func, QuerySet
from psycopg import ClientCursor

from cases import replica, selectors
from cases.filters import CaseFilter
from cases.models import Case, Ordering
from cases.policies import Actor
from cases.signals import request_id

_BLOCK: Final = 65_536
_log = structlog.get_logger("exports")
# A session without a limit, like that of a command, keeps none.
_PATIENCE: Final = (
    "SELECT set_config('statement_timeout', %s, true)"
    " WHERE current_setting('statement_timeout') <> '0'"
)


class ExportBroken(Exception):
    """The export broke off: what came so far is not all of it."""


class Form(Protocol):
    """How a file is made of the rows that COPY sends; an object for each file."""

    def head(self) -> bytes:
        """Return what stands before the first row."""

    def row(self, copied: bytes) -> bytes:
        """Return what a row becomes; it comes as COPY wrote it, its line break included."""

    def tail(self) -> bytes:
        """Return what stands after the last row."""


@dataclass(frozen=True)
class Lines:
    """The lines as PostgreSQL writes them, below a head."""

    first: bytes = b""
    line_end: bytes = b"\n"

    def head(self) -> bytes:
        """Return the head line."""
        return self.first

    def row(self, copied: bytes) -> bytes:
        """End the line as the file's lines end."""
        return copied[:-1] + self.line_end

    def tail(self) -> bytes:
        """Return nothing: the last line is a row."""
        return b""


@dataclass(frozen=True, kw_only=True)
class Export:
    """Which rows are written, how, for whom.

    ``rows`` yields the columns of the file; ``options`` are those of COPY. ``asked`` names what
    was asked about, without the values: search words are nobody's business in a log.
    """

    event: str
    format: str
    rows: QuerySet[Any, Any]
    options: str
    form: Form
    actor: Actor
    asked: Sequence[str]

    def start(self) -> Blocks:
        """Return the file's blocks, the first of them read already.

        So what fails at once, a database that is away say, fails before an answer has begun.
        Close the iterator to end the statement early.

        Raises:
            DatabaseError: the statement failed before its first block.
            ExportBroken: it failed later, while the blocks are taken.
        """
        return Blocks(self)

    def statement(self, connection: BaseDatabaseWrapper) -> str | None:
        """Return the statement that is copied, with its values; None where no row can be found.

        Args:
            connection: on which it will run, as only that knows how values are written.
        """
        try:
            query = self.rows.query.sql_with_params()
        except EmptyResultSet:  # Django sees that there can be none, and makes no statement
            return None
        # COPY takes no values apart from its text.
        connection.ensure_connection()
        return ClientCursor(connection.connection).mogrify(*query)


class Blocks:
    """The blocks of a file under way; ``count`` is how many rows stand in those given so far."""

    def __init__(self, export: Export) -> None:
        self._export = export
        # The blocks are taken after the read that began them has returned.
        self._connection = replica.connection()
        self.count = 0
        self._blocks = self._read()
        self._first: bytes | None = next(self._blocks)

    def __iter__(self) -> Iterator[bytes]:
        return self

    def __next__(self) -> bytes:
        if self._first is not None:
            block, self._first = self._first, None
            return block
        return next(self._blocks)

    def close(self) -> None:
        """End the statement."""
        self._blocks.close()

    def _read(self) -> Generator[bytes, None, None]:
        export = self._export
        log = _log.bind(
            actor_id=export.actor.id,
            request_id=request_id.get(),
            format=export.format,
            asked=sorted(export.asked),
        )
        outcome, begun = "left", False
        form, count = export.form, 0
        write = form.row
        try:
            block = bytearray(form.head())
            for copied in self._rows():
                count += 1
                block += write(bytes(copied))
                if len(block) >= _BLOCK:
                    begun, self.count = True, count
                    yield bytes(block)
                    block.clear()
            outcome, self.count = "complete", count
            yield bytes(block + form.tail())
        except DatabaseError as error:
            outcome = type(error.__cause__ or error).__name__
            if not begun:
                raise
            # Nor does the server's log get to see PostgreSQL's message, which may quote rows.
            raise ExportBroken(ExportBroken.__doc__) from None
        finally:
            log.info(export.event, rows=count, outcome=outcome)

    def _rows(self) -> Iterator[bytes | bytearray | memoryview]:
        connection = self._connection
        with transaction.atomic(using=connection.alias), connection.wrap_database_errors:
            if (rows := self._export.statement(connection)) is None:
                return
            with connection.cursor() as cursor:
                cursor.execute(_PATIENCE, [f"{settings.DATABASE_EXPORT_SECONDS}s"])
            statement = f"COPY ({rows}) TO STDOUT WITH ({self._export.options})"
            # PostgreSQL sends each row as a message of its own.
            with connection.cursor() as cursor, cursor.copy(statement) as lines:
                yield from lines


class Defused(Func):
    """A text that no spreadsheet takes for a formula: an apostrophe before what begins as one.

    Also inside, where one that parts cells by semicolons or tabs would begin another.
    """

    # Full-width forms are among them: some programs narrow them as they read. What parts cells is
    # looked for first, as the pattern costs more than all else of a row.
    template = (
        "CASE WHEN left(%(expressions)s, 1) IN ('=', '+', '-', '@', E'\\t', E'\\r', E'\\n',"
        " U&'\\FF1D', U&'\\FF0B', U&'\\FF0D', U&'\\FF20') THEN '''' ELSE '' END"
        " || CASE WHEN strpos(%(expressions)s, ';') > 0 OR strpos(%(expressions)s, E'\\t') > 0"
        " OR strpos(%(expressions)s, E'\\n') > 0 OR strpos(%(expressions)s, E'\\r') > 0"
        " THEN regexp_replace(%(expressions)s,"
        " '([;\\t\\r\\n])(?=[=+@\\-\\uFF1D\\uFF0B\\uFF0D\\uFF20])', '\\1''', 'g')"
        " ELSE %(expressions)s END"
    )
    output_field = CharField()


class Moment(Func):
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
    "title": Defused,
    "status": None,
    "assigned_reviewer_id": Defused,
    "version": None,
    "description": Defused,
    "received_at": Moment,
    "category": Defused,
    "subject": Defused,
    "external_reference": Defused,
    "source": Defused,
    "priority": None,
    "restricted": _TrueOrFalse,
    "created_by": Defused,
    "submitted_by": Defused,
    "created_at": Moment,
    "updated_at": Moment,
    "submitted_at": Moment,
    "closed_at": Moment,
    "due_at": Moment,
    "overdue_at": Moment,
    "paused_at": Moment,
}
# Excel takes a file for UTF-8 only by its byte order mark; RFC 4180 ends lines with CR and LF.
CSV_OPTIONS: Final = "FORMAT csv"


def csv_form(columns: Iterable[str]) -> Lines:
    """Return the form of a CSV with these columns, for rows copied with ``CSV_OPTIONS``."""
    end = b"\r\n"
    return Lines(b"\xef\xbb\xbf" + ",".join(columns).encode() + end, end)


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
        format="csv",
        rows=cases.values_list(*columns),
        options=CSV_OPTIONS,
        form=csv_form(_COLUMNS),
        actor=actor,
        asked=asked,
    )
