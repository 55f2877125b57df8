"""Reports as plots: each figure with the address of the list that holds just its cases."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, timedelta
from typing import Any, Final, NamedTuple
from urllib.parse import urlencode

from django.urls import reverse
from django.utils.formats import date_format

from cases.admin.filters import ME, NOBODY
from cases.admin.plots import Bar, Bars, Columns, bars, of_a_whole, share, side_by_side
from cases.lifecycle import CaseStatus, Priority
from cases.reports import AgeBand, DueDay, FlowWeek, Kept, KeptWeek, Workload

OPEN: Final = [status.value for status in CaseStatus if status is not CaseStatus.CLOSED]
# What is open, not overdue, and will be.
_COMING: Final[Mapping[str, Any]] = {"status": OPEN, "overdue": "off", "paused": "off"}
# So many reviewers have a row of their own.
MOST_ROWS: Final = 12
# Open cases that are this many days old are called old.
OLD: Final = 91


class Linked(NamedTuple):
    """A number, and where its cases are."""

    number: int
    url: str


class FlowRow(NamedTuple):
    """A week of the table of what came and went."""

    label: str
    created: Linked
    closed: Linked


class KeptRow(NamedTuple):
    """A row of a table of what was kept: a week with its priorities, or a priority."""

    label: str
    kept: Linked
    missed: Linked
    percent: str
    width: str
    by_priority: Sequence[KeptRow] = ()


def cases_at(query: Mapping[str, Any], queue: str = "all") -> str:
    """Return the address of a list in the back office."""
    asked = urlencode({"queue": queue, **query}, doseq=True)
    return f"{reverse('admin:cases_case_changelist')}?{asked}"


def coming_due(days: Sequence[DueDay]) -> Bars:
    """Draw what will be overdue, day by day."""
    rows = [
        Bar(
            date_format(day.day, "D j M") if n else "Today",
            day.total,
            cases_at({**_COMING, "due_from": day.day, "due_to": day.day}),
        )
        for n, day in enumerate(days)
    ]
    until = date_format(days[-1].day, "l, j F")
    said = f"{_counted(sum(row.number for row in rows))} will be overdue by the end of {until}."
    return bars(rows, what="Due", said=said)


def coming_due_at(days: Sequence[DueDay]) -> Linked:
    """Return how many will be overdue in all these days."""
    return Linked(sum(day.total for day in days), cases_at(_within(days)))


def coming_due_by_reviewer(days: Sequence[DueDay]) -> Bars:
    """Draw whose cases will be overdue."""
    has: Counter[str | None] = Counter()
    for day in days:
        has.update(day.by_reviewer)
    query = _within(days)
    most = sorted(has.items(), key=lambda one: (-one[1], one[0] or ""))
    rows = [
        Bar(name, number, _of_reviewer(name, query))
        if name is not None
        else Bar("Nobody", number, cases_at(query | {"reviewer": NOBODY}), kind="nobody")
        for name, number in most[:MOST_ROWS]
    ]
    said = f"{_counted(len(has) - (None in has), 'reviewer')} will have overdue cases"
    said += f"; {has[None]:,} are nobody's." if has[None] else "."
    return bars(rows, what="Reviewer", said=said, rest=_rest(n for _, n in most[MOST_ROWS:]))


def statuses(by_status: Mapping[CaseStatus, int]) -> Bars:
    """Draw how many cases are in each status."""
    rows = [
        Bar(
            status.value.replace("_", " ").capitalize(),
            number,
            cases_at({"status": status.value}),
            kind=status.value.lower(),
        )
        for status, number in by_status.items()
    ]
    total, done = sum(by_status.values()), by_status[CaseStatus.CLOSED]
    said = f"Of {_counted(total)}, {total - done:,} are open and {done:,} closed."
    return bars(rows, what="Status", said=said)


def ages(bands: Sequence[AgeBand], today: date) -> Bars:
    """Draw how long ago the open cases came."""
    rows = []
    for band, older in zip(bands, [*bands[1:], None], strict=True):
        period = {"created_to": today - timedelta(days=band.days)}
        label = f"{band.days} days and more"
        if older is not None:
            period["created_from"] = today - timedelta(days=older.days - 1)
            label = f"{band.days} to {older.days - 1} days"
        rows.append(Bar(label, band.cases, cases_at({"status": OPEN, **period})))
    total = _counted(sum(band.cases for band in bands), "open case")
    old = sum(band.cases for band in bands if band.days >= OLD)
    return bars(rows, what="Age", said=f"Of {total}, {old:,} came {OLD} days ago or earlier.")


def workloads(loads: Sequence[Workload]) -> Bars:
    """Draw how much open work each reviewer has, and how much of it is overdue."""
    rows = [
        Bar(
            load.reviewer_id,
            load.open,
            _of_reviewer(load.reviewer_id, {"status": OPEN}),
            load.overdue,
            _of_reviewer(load.reviewer_id, {}, "overdue"),
        )
        for load in loads[:MOST_ROWS]
    ]
    has, late = sum(load.open for load in loads), sum(load.overdue for load in loads)
    said = f"{_counted(has, 'open case')} of {_counted(len(loads), 'reviewer')}, {late:,} overdue."
    rest = _rest(load.open for load in loads[MOST_ROWS:])
    return bars(rows, what="Reviewer", said=said, part="Overdue", rest=rest)


def flow(weeks: Sequence[FlowWeek]) -> tuple[Columns, str, list[FlowRow]]:
    """Draw what came and went by week; also in a sentence, and as rows, the latest first."""
    created, closed = [week.created for week in weeks], [week.closed for week in weeks]
    columns = side_by_side(
        [_short(week.week) for week in weeks],
        [("created", "created", created), ("closed", "closed", closed)],
    )
    said = (
        f"Since {date_format(weeks[0].week, 'j F')}, {_counted(sum(created))} came in and "
        f"{sum(closed):,} were closed."
    )
    rows = [
        FlowRow(
            _short(week.week),
            Linked(week.created, cases_at(_week("created", week.week))),
            Linked(week.closed, cases_at(_week("closed", week.week))),
        )
        for week in reversed(weeks)
    ]
    return columns, said, rows


def kept(weeks: Sequence[KeptWeek]) -> tuple[Columns, str, list[KeptRow]]:
    """Draw which share was closed in time by week; also in a sentence, and as rows."""
    columns = of_a_whole(
        [_short(week.week) for week in weeks],
        [(week.total.kept, week.total.missed) for week in weeks],
        kinds=("kept", "missed"),
        said=("in time", "late"),
    )
    total = _sum(week.total for week in weeks)
    since = date_format(weeks[0].week, "j F")
    said = f"No case that had a due date was closed since {since}."
    if total.share is not None:
        closed = _counted(total.kept + total.missed)
        said = f"{total.share:.0%} of {closed} closed since {since} were closed in time."
    rows = [
        _kept_row(_short(week.week), week.total, _week("closed", week.week))._replace(
            by_priority=[
                _kept_of(priority, week.by_priority[priority], _week("closed", week.week))
                for priority in reversed(Priority)
            ]
        )
        for week in reversed(weeks)
    ]
    return columns, said, rows


def kept_by_priority(weeks: Sequence[KeptWeek]) -> list[KeptRow]:
    """Return what was kept of each priority in all these weeks, the most urgent first."""
    period = {"closed_from": weeks[0].week, "closed_to": weeks[-1].week + timedelta(days=6)}
    return [
        _kept_of(priority, _sum(week.by_priority[priority] for week in weeks), period)
        for priority in reversed(Priority)
    ]


def _kept_of(priority: Priority, of: Kept, query: Mapping[str, Any]) -> KeptRow:
    return _kept_row(priority.value.capitalize(), of, {"priority": priority.value, **query})


def _kept_row(label: str, of: Kept, query: Mapping[str, Any]) -> KeptRow:
    return KeptRow(
        label,
        Linked(of.kept, cases_at({**query, "closed_in_time": "on"})),
        Linked(of.missed, cases_at({**query, "closed_in_time": "off"})),
        "" if of.share is None else f"{of.share:.0%}",
        share(of.kept, of.kept + of.missed),
    )


def _sum(of: Iterable[Kept]) -> Kept:
    parts = list(of)
    return Kept(sum(part.kept for part in parts), sum(part.missed for part in parts))


def _within(days: Sequence[DueDay]) -> dict[str, Any]:
    """Return what asks for all that will be overdue in these days."""
    return {**_COMING, "due_from": days[0].day, "due_to": days[-1].day}


def _week(what: str, monday: date) -> dict[str, date]:
    return {f"{what}_from": monday, f"{what}_to": monday + timedelta(days=6)}


def _short(day: date) -> str:
    return date_format(day, "j M")


def _of_reviewer(name: str, query: Mapping[str, Any], queue: str = "all") -> str:
    """Return the list of a reviewer; none for a name that the filter takes for something else."""
    return "" if name in (ME, NOBODY) else cases_at({**query, "reviewer": name}, queue)


def _counted(number: int, noun: str = "case") -> str:
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def _rest(numbers: Iterable[int]) -> str:
    """Return what the rows that are not shown hold together."""
    left = list(numbers)
    more = _counted(len(left), "more reviewer")
    return f"{more}: {_counted(sum(left))} together." if left else ""
