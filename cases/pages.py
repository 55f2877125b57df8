"""Pages of a list of cases, read as small rows by statements that are put together once.

The ORM says what a list holds; here its SQL is kept by the shape of what is asked. A shape knows
which values a statement takes, and none of them: so no call can get what belongs to another one.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Any, Final, NamedTuple, TypeAlias, cast

from django.db.models import TextField, Value
from django.db.models.functions import Cast
from django.utils.timezone import now

from cases import replica
from cases.filters import CaseFilter
from cases.models import NEWEST_FIRST, Case, Ordering
from cases.models.given import Given, Statement, Word, statement
from cases.models.orderings import rank
from cases.models.rights import StillHold, demand_fresh
from cases.policies import VIEW, VIEW_RESTRICTED, Actor
from cases.prepared import Prepared


class CaseRow(NamedTuple):
    """A case as it is read: every column, and what the reader was granted on it.

    Moments are text, as PostgreSQL writes them: most are only passed on, and reading them into
    Python and writing them again takes longer than all the rest of a row.
    """

    id: str
    title: str
    description: str
    received_at: str
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
    created_at: str
    updated_at: str
    submitted_at: str | None
    closed_at: str | None
    due_at: str | None
    overdue_at: str | None
    paused_at: str | None
    granted: list[str]


# A row of a page: the columns of CaseRow, without their names. To name them would touch each value
# of the page once more, a tenth of a list's time.
PlainRow: TypeAlias = tuple[Any, ...]

# Each of their values is a condition of its own.
_FLAGS: Final = ("overdue", "paused", "closed_in_time")


@dataclass(frozen=True)
class _Shape:
    """What decides on the text of a statement."""

    permissions: frozenset[str]  # of those that decide what is seen
    has_grants: bool
    remembered: bool  # and so compared
    names: tuple[str, ...]  # of what the filter asks about
    arrays: frozenset[str]  # those names that stand for more than one value
    status: str  # where it is one status
    flags: tuple[tuple[str, bool], ...]  # those names whose value is written out
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
) -> list[PlainRow]:
    """Return the first cases beyond a place that exist for an actor and that a filter asks for.

    Args:
        actor: who asks.
        wanted: the filter; what it searches for is not looked at here.
        ordering: in which order.
        place: a value for each key of the ordering; None for the beginning.
        turned: go the other way.
        size: how many at most.

    Raises:
        RightsUnconfirmed: the rights of the actor are remembered, and there is nothing on the page
            or they are outdated.
    """
    if not (actor.has(VIEW) or actor.has_grants):
        demand_fresh(actor)
        return []
    several: dict[str, list[Any]] = {
        "statuses": sorted(map(str, wanted.statuses)),
        "priorities": sorted(map(rank, wanted.priorities)),
    }
    shape = _Shape(
        permissions=actor.permissions & {VIEW, VIEW_RESTRICTED},
        has_grants=actor.has_grants,
        remembered=actor.rights_version is not None,
        names=tuple(name for name in wanted.names() if name != "search"),
        arrays=frozenset(name for name, values in several.items() if len(values) > 1),
        status=several["statuses"][0] if len(several["statuses"]) == 1 else "",
        flags=tuple((name, of) for name in _FLAGS if (of := getattr(wanted, name)) is not None),
        only_open=wanted.only_open,
        ordering=ordering,
        has_place=place is not None,
        turned=turned,
    )
    sql, constants = _statement(shape)
    values: dict[str, Any] = {name: getattr(wanted, name) for name in shape.names}
    values |= {f"place_{n}": value.value for n, value in enumerate(place or ())}
    values |= {name: of[0] if len(of) == 1 else of for name, of in several.items()}
    values |= {"actor": actor.id, "rights_version": actor.rights_version}
    if wanted.overdue is not None:
        values["at"] = now()
    with replica.connection().cursor() as cursor:
        cursor.execute(_text(shape, sql, size), constants | values)
        rows: list[PlainRow] = cursor.fetchall()
    if not rows:
        demand_fresh(actor)
    return rows


def _text(shape: _Shape, sql: str, size: int) -> str:
    # A number in the text, or the planner would expect a tenth of the table.
    text = f"{sql} LIMIT {size:d}"
    # The newest of all or of one status: one index gives them in their order, and whoever asks,
    # there is no better plan. Of other lists that cannot be said: it depends on the values.
    alike = shape.ordering == NEWEST_FIRST and shape.names in ((), ("statuses",))
    return Prepared(text) if alike and not shape.arrays else text


@lru_cache(maxsize=1000)
def _statement(shape: _Shape) -> Statement:
    # Stand-ins with names for values: whatever reads them writes the names into the statement.
    actor = Actor(
        id=cast(str, Given("actor")),
        permissions=shape.permissions,
        has_grants=shape.has_grants,
    )
    told: dict[str, Any] = {name: Given(name, array=name in shape.arrays) for name in shape.names}
    if shape.status:
        told["statuses"] = Word(shape.status)
    wanted = CaseFilter(**told | dict(shape.flags) | {"unassigned": "unassigned" in shape.names})
    cases = Case.objects.visible_to(actor).matching(
        wanted, at=cast(datetime, Given("at")), only_open=shape.only_open
    )
    rows = cases.with_grants(actor).order_by(*shape.ordering.terms(turned=shape.turned))
    if shape.has_place:
        place = [Given(f"place_{n}") for n, _ in enumerate(shape.ordering.keys)]
        rows = rows.filter(shape.ordering.beyond(place, turned=shape.turned))
    if shape.remembered:
        rows = rows.filter(StillHold(Given("rights_version")))
    return statement(
        rows.values_list(
            *(Cast(n, TextField()) if n.endswith("_at") else n for n in CaseRow._fields)
        )
    )
