"""In which orders cases are listed. Each has an index, so a late page costs what the first does.

The expressions stand in the indexes of ``Case`` and in the queries; the database takes an index
only for the very same expression.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Final, TypeVar

from django.db.models import BooleanField, DateTimeField, F, Func, SmallIntegerField
from django.db.models.expressions import Combinable, OrderBy

from cases.lifecycle import Priority

_V = TypeVar("_V", bound=Combinable)


class DueOrNever(Func):
    """The due date; a case without one is due after all others."""

    template = "COALESCE(%(expressions)s, 'infinity'::timestamptz)"
    arity = 1
    output_field = DateTimeField()


class OpenDueOrNever(Func):
    """The same, for lists of open cases, written differently so that their own index is taken.

    With one expression for both, the planner could walk the index of all cases just as well, and
    would pass by every case that was ever closed before it came to the first open one.
    """

    template = (
        "CASE WHEN %(expressions)s IS NULL THEN 'infinity'::timestamptz ELSE %(expressions)s END"
    )
    arity = 1
    output_field = DateTimeField()


class PriorityRank(Func):
    """How urgent a priority is, as a number: LOW 1 to URGENT 4."""

    template = "CASE %(expressions)s {} ELSE 0 END".format(
        " ".join(f"WHEN '{priority}' THEN {number}" for number, priority in enumerate(Priority, 1))
    )
    arity = 1
    output_field = SmallIntegerField()


def rank(priority: Priority) -> int:
    """Return what ``PriorityRank`` makes of a priority."""
    return list(Priority).index(priority) + 1


class Beyond(Func):
    """``(a, b) > (x, y)``: a row comparison, which an index on (a, b) answers directly."""

    output_field = BooleanField()

    def __init__(
        self, left: Sequence[Combinable], right: Sequence[Combinable], operator: str
    ) -> None:
        self.width, self.operator = len(left), operator
        super().__init__(*left, *right)

    def as_sql(self, compiler: Any, connection: Any, *args: Any, **extra: Any) -> Any:
        """Write the comparison; each side in parentheses."""
        del connection, args, extra
        parts, params = [], []
        for expression in self.get_source_expressions():
            sql, values = compiler.compile(expression)
            parts.append(sql)
            params += values
        left, right = ", ".join(parts[: self.width]), ", ".join(parts[self.width :])
        return f"({left}) {self.operator} ({right})", params


@dataclass(frozen=True)
class SortKey:
    """A field of a case, and what is made of its value before it is compared."""

    field: str
    compared_as: type[Func] | None = None

    def of(self, value: _V) -> _V | Func:
        """Return the value of a column as it is compared."""
        return value if self.compared_as is None else self.compared_as(value)

    def of_place(self, value: _V) -> _V | Func:
        """Return a place as it is compared; its value is sent once, so it is written once."""
        return DueOrNever(value) if self.compared_as is OpenDueOrNever else self.of(value)


@dataclass(frozen=True)
class Ordering:
    """Keys that together order and identify a case, all ascending or all descending."""

    name: str
    keys: tuple[SortKey, ...]

    @property
    def descending(self) -> bool:
        """Whether the greatest comes first."""
        return self.name.startswith("-")

    def among_open(self) -> Ordering:
        """Return the same order for a list that holds open cases only."""
        keys = [
            SortKey(key.field, OpenDueOrNever) if key.compared_as is DueOrNever else key
            for key in self.keys
        ]
        return Ordering(self.name, tuple(keys))

    def terms(self, *, turned: bool = False) -> list[OrderBy]:
        """Return the terms of ORDER BY, or those of the opposite order."""
        return [
            OrderBy(key.of(F(key.field)), descending=self.descending is not turned)
            for key in self.keys
        ]

    def beyond(self, place: Sequence[Combinable], *, turned: bool = False) -> Beyond:
        """Return the condition that a row comes after a place, one value for each key."""
        return Beyond(
            [key.of(F(key.field)) for key in self.keys],
            [key.of_place(value) for key, value in zip(self.keys, place, strict=True)],
            "<" if self.descending is not turned else ">",
        )


_ID: Final = SortKey("id")
_FIRST: Final = (
    SortKey("created_at"),
    SortKey("updated_at"),
    SortKey("due_at", DueOrNever),
    SortKey("priority", PriorityRank),
)

# By the name that callers give; the id decides between cases that are otherwise equal.
ORDERINGS: Final[Mapping[str, Ordering]] = MappingProxyType(
    {name: Ordering(name, (key, _ID)) for key in _FIRST for name in (key.field, f"-{key.field}")}
)
NEWEST_FIRST: Final = ORDERINGS["-created_at"]
