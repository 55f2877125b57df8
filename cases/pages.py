"""Pages of a list of cases, read as small rows by statements that are put together once.

The ORM says what a list holds; here its SQL is kept by the shape of what is asked. A shape knows
which values a statement takes, and none of them: so no call can get what belongs to another one.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import lru_cache
from typing import Any, NamedTuple, cast

from django.db import connection
from django.db.models import Value
from django.utils.timezone import now
from psycopg.types.datetime import TimestamptzLoader

from cases.filters import CaseFilter
from cases.models import Case, Ordering
from cases.models.given import Given, Statement, statement
from cases.models.orderings import rank
from cases.policies import VIEW, VIEW_RESTRICTED, Actor


class CaseRow(NamedTuple):
    """A case as it is read: every column, and what the reader was granted on it."""

    id: str
    title: str
    description: str
    received_at: datetime
    category: str
    subject: str
    external_reference: str
    source: str
    priority: str
    restricted: bool
    status: str
    assigned_reviewer_id: str | None
    version: int
    created_by: str
    submitted_by: str | None
    created_at: datetime
    updated_at: datetime
    submitted_at: datetime | None
    closed_at: datetime | None
    due_at: datetime | None
    overdue_at: datetime | None
    paused_at: datetime | None
    granted: list[str]


@dataclass(frozen=True)
class _Shape:
    """What decides on the text of a statement."""

    permissions: frozenset[str]  # of those that decide what is seen
    names: tuple[str, ...]  # of what the filter asks about
    arrays: frozenset[str]  # those names that stand for more than one value
    overdue: bool | None
    only_open: bool
    ordering: Ordering
    has_place: bool
    turned: bool


def read_page(
    actor: Actor,
    wanted: CaseFilter,
    ordering: Ordering,
    place: Sequence[Value] | None,
    *,
    turned: bool,
    size: int,
) -> list[CaseRow]:
    """Return the first cases beyond a place that exist for an actor and that a filter asks for.

    Args:
        actor: who asks.
        wanted: the filter; what it searches for is not looked at here.
        ordering: in which order.
        place: a value for each key of the ordering; None for the beginning.
        turned: go the other way.
        size: how many at most.
    """
    wanted = replace(wanted, search="")
    several: dict[str, list[Any]] = {
        "statuses": sorted(map(str, wanted.statuses)),
        "priorities": sorted(map(rank, wanted.priorities)),
    }
    shape = _Shape(
        permissions=actor.permissions & {VIEW, VIEW_RESTRICTED},
        names=tuple(wanted.names()),
        arrays=frozenset(name for name, values in several.items() if len(values) > 1),
        overdue=wanted.overdue,
        only_open=wanted.only_open,
        ordering=ordering,
        has_place=place is not None,
        turned=turned,
    )
    sql, constants = _statement(shape)
    values: dict[str, Any] = {name: getattr(wanted, name) for name in shape.names}
    values |= {f"place_{n}": value.value for n, value in enumerate(place or ())}
    values |= {name: of[0] if len(of) == 1 else of for name, of in several.items()}
    values |= {
        "actor": actor.id,
        "at": now(),
        "size": size,
    }
    with connection.cursor() as cursor:
        # psycopg's own loader, in C: Django's, in Python, takes a third of the time of a page. Both
        # read the time zone of the connection, which is UTC.
        cursor.adapters.register_loader("timestamptz", TimestamptzLoader)
        cursor.execute(f"{sql} LIMIT %(size)s", constants | values)
        return list(map(CaseRow._make, cursor.fetchall()))


@lru_cache(maxsize=1000)
def _statement(shape: _Shape) -> Statement:
    # Stand-ins with names for values: whatever reads them writes the names into the statement.
    actor = Actor(id=cast(str, Given("actor")), permissions=shape.permissions)
    told: dict[str, Any] = {name: Given(name, array=name in shape.arrays) for name in shape.names}
    wanted = CaseFilter(
        **told | {"overdue": shape.overdue, "unassigned": "unassigned" in shape.names}
    )
    cases = Case.objects.visible_to(actor).matching(
        wanted, at=cast(datetime, Given("at")), only_open=shape.only_open
    )
    rows = cases.with_grants(actor).order_by(*shape.ordering.terms(turned=shape.turned))
    if shape.has_place:
        place = [Given(f"place_{n}") for n, _ in enumerate(shape.ordering.keys)]
        rows = rows.filter(shape.ordering.beyond(place, turned=shape.turned))
    return statement(rows.values_list(*CaseRow._fields))
