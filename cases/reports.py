"""Figures of work: what is coming due, what was kept, how much came and went, who has how much.

Each report is one statement over the cases that exist for who asks, so that a number is the length
of a list that the same person can open; the moments for the list's filters come with it. Days and
weeks are those of ``SLA_TIME_ZONE``, weeks begin on Monday. Periods are bounded: a report costs
what its period holds, not what the office ever did.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any, Final

from django.db.models import (
    BooleanField,
    Count,
    DateField,
    ExpressionWrapper,
    F,
    IntegerField,
    Q,
    QuerySet,
    Value,
    When,
)
from django.db.models import Case as Either
from django.db.models.functions import TruncDate, TruncWeek

from cases.calendar import office_calendar
from cases.filters import CaseFilter
from cases.lifecycle import CaseStatus, Priority
from cases.models import KEPT, Case, CaseQuerySet
from cases.policies import Actor

_CREATED, _CLOSED = "created", "closed"
# How far reports look, unless told otherwise: days ahead, today among them, and weeks back.
DAYS: Final = 7
WEEKS: Final = 12


@dataclass(frozen=True)
class DueDay:
    """The cases that will be overdue after this day unless they are closed.

    As ``due_from`` and ``due_to`` list, without closed and paused cases; the first day begins now.
    """

    day: date
    due_from: datetime
    due_to: datetime
    # By the reviewer's id; None stands for cases of nobody.
    by_reviewer: Mapping[str | None, int]

    @property
    def total(self) -> int:
        """How many there are, whoever has them."""
        return sum(self.by_reviewer.values())


@dataclass(frozen=True)
class Kept:
    """Closed cases that had a due date: closed in time, or after it."""

    kept: int = 0
    missed: int = 0

    @property
    def share(self) -> float | None:
        """The share that was kept, 0 to 1; None where nothing was due."""
        return self.kept / (self.kept + self.missed) if self.kept + self.missed else None


@dataclass(frozen=True)
class KeptWeek:
    """What was closed in a week, as ``closed_from`` and ``closed_to`` list."""

    week: date
    closed_from: datetime
    closed_to: datetime
    by_priority: Mapping[Priority, Kept]

    @property
    def total(self) -> Kept:
        """All priorities together."""
        of = self.by_priority.values()
        return Kept(sum(p.kept for p in of), sum(p.missed for p in of))


@dataclass(frozen=True)
class FlowWeek:
    """How many cases were created and how many closed from ``starts_at`` until ``ends_at``."""

    week: date
    starts_at: datetime
    ends_at: datetime
    created: int
    closed: int


@dataclass(frozen=True)
class AgeBand:
    """Open cases that were created before ``created_to`` and, if given, from ``created_from`` on.

    ``days`` is the least age in the band: how many days ago, by the calendar, they came.
    """

    days: int
    created_from: datetime | None
    created_to: datetime
    cases: int


@dataclass(frozen=True)
class Workload:
    """What a reviewer has: open cases, and those of them that are overdue."""

    reviewer_id: str
    open: int
    overdue: int


@dataclass(frozen=True)
class Overview:
    """All reports, as of one moment."""

    at: datetime
    coming_due: Sequence[DueDay]
    sla_kept: Sequence[KeptWeek]
    flow: Sequence[FlowWeek]
    open_ages: Sequence[AgeBand]
    workloads: Sequence[Workload]


# The least ages of the bands, in days.
AGES: Final = (0, 7, 14, 28, 91, 182, 365)


def overview(actor: Actor, *, at: datetime) -> Overview:
    """Return every report: what the API answers and the dashboard draws."""
    return Overview(
        at=at,
        coming_due=coming_due(actor, at=at),
        sla_kept=sla_kept(actor, at=at),
        flow=flow(actor, at=at),
        open_ages=open_ages(actor, at=at),
        workloads=workloads(actor, at=at),
    )


def coming_due(actor: Actor, *, at: datetime, days: int = DAYS) -> list[DueDay]:
    """Return what will be overdue, day by day from the day of ``at`` on, empty days too.

    Paused cases are left out, since their dates will move, and so is what is overdue already.

    Args:
        actor: who asks.
        at: now.
        days: how many days, today included.
    """
    calendar = office_calendar()
    today = calendar.day_of(at)
    found: dict[date, dict[str | None, int]] = {today + timedelta(days=n): {} for n in range(days)}
    _, until = calendar.bounds(max(found))
    wanted = CaseFilter(due_from=at, due_to=until)
    day = TruncDate(F("due_at"), tzinfo=calendar.tzinfo)
    for on, reviewer, number in _counted(
        _open(cases.matching(wanted, at=at, only_open=True))
        .filter(paused_at__isnull=True)
        .values_list(day, "assigned_reviewer_id")
        for cases in _visible(actor)
    ):
        of = found[on]
        of[reviewer] = of.get(reviewer, 0) + number
    bounds = {one: calendar.bounds(one) for one in found}
    return [DueDay(one, max(at, begin), end, found[one]) for one, (begin, end) in bounds.items()]


def sla_kept(actor: Actor, *, at: datetime, weeks: int = WEEKS) -> list[KeptWeek]:
    """Return by week of closing and by priority whether cases were closed in time.

    What ``lifecycle.closed_in_time`` says of one case is counted here; cases that had no due date
    are left out.

    Args:
        actor: who asks.
        at: now.
        weeks: how many weeks, the current one included.
    """
    calendar = office_calendar()
    found: dict[date, dict[Priority, list[int]]] = {
        week: {priority: [0, 0] for priority in Priority} for week in calendar.weeks(at, weeks)
    }
    since, _ = calendar.bounds(min(found))
    week = TruncWeek("closed_at", output_field=DateField(), tzinfo=calendar.tzinfo)
    for on, priority, in_time, number in _counted(
        cases.filter(closed_at__gte=since, closed_at__lt=at, due_at__isnull=False).values_list(
            week, "priority", ExpressionWrapper(KEPT, output_field=BooleanField())
        )
        for cases in _visible(actor)
    ):
        found[on][Priority(priority)][0 if in_time else 1] += number
    return [
        KeptWeek(one, *calendar.week_bounds(one), {p: Kept(*n) for p, n in by.items()})
        for one, by in found.items()
    ]


def flow(actor: Actor, *, at: datetime, weeks: int = WEEKS) -> list[FlowWeek]:
    """Return by week how many cases were created and how many closed.

    Args:
        actor: who asks.
        at: now.
        weeks: how many weeks, the current one included.
    """
    calendar = office_calendar()
    found = {week: {_CREATED: 0, _CLOSED: 0} for week in calendar.weeks(at, weeks)}
    since, _ = calendar.bounds(min(found))
    for on, what, number in _counted(
        cases.filter(**{f"{what}_at__gte": since, f"{what}_at__lt": at}).values_list(
            TruncWeek(f"{what}_at", output_field=DateField(), tzinfo=calendar.tzinfo), Value(what)
        )
        for cases in _visible(actor)
        for what in (_CREATED, _CLOSED)
    ):
        found[on][what] += number
    return [
        FlowWeek(one, *calendar.week_bounds(one), by[_CREATED], by[_CLOSED])
        for one, by in found.items()
    ]


def open_ages(actor: Actor, *, at: datetime) -> list[AgeBand]:
    """Return how old the open cases are, counted from their creation, the youngest first."""
    calendar = office_calendar()
    today = calendar.day_of(at)
    # The end of the youngest day of each band.
    edges = [calendar.bounds(today - timedelta(days=days))[1] for days in AGES]
    band = Either(
        *(When(created_at__gte=edge, then=Value(n)) for n, edge in enumerate(edges[1:])),
        default=Value(len(AGES) - 1),
        output_field=IntegerField(),
    )
    numbers = dict.fromkeys(range(len(AGES)), 0)
    for n, number in _counted(_open(cases).values_list(band) for cases in _visible(actor)):
        numbers[n] += number
    return [
        AgeBand(days, edges[n + 1] if n + 1 < len(edges) else None, edges[n], numbers[n])
        for n, days in enumerate(AGES)
    ]


def workloads(actor: Actor, *, at: datetime) -> list[Workload]:
    """Return what each reviewer has who has anything, the most first."""
    late = Q(due_at__lt=at, paused_at__isnull=True)
    found: dict[str, tuple[int, int]] = {}
    for reviewer, has, overdue in _together(
        _open(cases)
        .filter(assigned_reviewer_id__isnull=False)
        .values_list("assigned_reviewer_id")
        .annotate(has=Count("*"), overdue=Count("due_at", filter=late))
        for cases in _visible(actor)
    ):
        before = found.get(reviewer, (0, 0))
        found[reviewer] = before[0] + has, before[1] + overdue
    loads = [Workload(name, *of) for name, of in found.items()]
    return sorted(loads, key=lambda load: (-load.open, load.reviewer_id))


def _visible(actor: Actor) -> list[CaseQuerySet]:
    return Case.objects.order_by().visible_in_parts(actor)


def _open(cases: CaseQuerySet) -> QuerySet[Case]:
    return cases.exclude(status=CaseStatus.CLOSED.value)


def _counted(parts: Iterable[QuerySet[Case, Any]]) -> QuerySet[Case, Any]:
    """Count each part by what it lists."""
    return _together(part.annotate(number=Count("*")) for part in parts)


def _together(parts: Iterable[QuerySet[Case, Any]]) -> QuerySet[Case, Any]:
    """Read all parts in one statement and so at one moment."""
    first, *others = parts
    return first.union(*others, all=True) if others else first
