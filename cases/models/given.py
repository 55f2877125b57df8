"""Statements that are put together once: what differs from call to call stands in them by name."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection
from typing import Any, Final, NamedTuple, TypeVar

from django.db.models import BooleanField, Expression, Func, Value
from django.db.models.expressions import Combinable
from django.db.models.lookups import Exact
from django.db.models.query import QuerySet

_T = TypeVar("_T")

_PLACE: Final = re.compile(r"%s|%%|%\(\w+\)s")


class Given(Expression):
    """A value, or an array of values, that is told by name when the statement is sent."""

    def __init__(self, name: str, *, array: bool = False) -> None:
        self.name, self.array = name, array
        super().__init__()

    def as_sql(self, compiler: Any, connection: Any) -> tuple[str, tuple[str | int, ...]]:
        """Write the placeholder."""
        del compiler, connection
        return f"%({self.name})s", ()


class Word(Expression):
    """One of our own words, written into the statement, so that the planner knows it."""

    def __init__(self, word: str) -> None:
        if not word.isidentifier():
            raise ValueError(word)
        self.word = word
        super().__init__()

    def as_sql(self, compiler: Any, connection: Any) -> tuple[str, tuple[str | int, ...]]:
        """Write the word."""
        del compiler, connection
        return f"'{self.word}'", ()


class AnyOf(Func):
    """``value = ANY (array)``: one text of SQL however long the array is."""

    arity = 2
    template = "%(expressions)s)"
    arg_joiner = " = ANY ("
    output_field = BooleanField()


def among(
    column: Combinable, values: Given | Word | Collection[_T], of: Callable[[_T], Any]
) -> AnyOf | Exact[Any]:
    """Return the condition that a column has one of some values, written by ``of``.

    One value alone is compared with ``=``: an index then gives the rows in its order, which it does
    not for an array of one.
    """
    if isinstance(values, Word):
        return Exact(column, values)
    if isinstance(values, Given):
        return AnyOf(column, values) if values.array else Exact(column, values)
    written = sorted(map(of, values))
    return Exact(column, written[0]) if len(written) == 1 else AnyOf(column, Value(written))


class Statement(NamedTuple):
    """SQL with named placeholders, and the values of those that are always the same."""

    sql: str
    constants: dict[str, Any]


def statement(rows: QuerySet[Any, Any]) -> Statement:
    """Put a queryset together whose variable values are all ``Given``.

    What it holds of plain values becomes part of the statement, so a statement that is kept must be
    made from nothing that belongs to one call.
    """
    sql, values = rows.query.sql_with_params()
    constants: dict[str, Any] = {}

    def named(found: re.Match[str]) -> str:
        if found[0] != "%s":
            return found[0]
        name = f"constant_{len(constants)}"
        constants[name] = values[len(constants)]
        return f"%({name})s"

    return Statement(_PLACE.sub(named, sql), constants)
