"""Why a case is due when it is: counted again from its trail, and told day by day.

The facts of a trail come in as plain values; where they are kept is not known here. What the trail
says was promised stands, whatever the table, the settings or the holidays say by now: where
counting again gives something else, that is told as a problem and changes nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from enum import StrEnum
from functools import partial
from typing import Any, Final, NamedTuple

from cases.calendar import WEEKEND, WorkCalendar, office_calendar

# What moves a due date or stops the clock; no other event matters here.
EVENT_TYPES: Final = (
    "CASE_CREATED",
    "CASE_UPDATED",
    "CASE_SUBMITTED",
    "CASE_DUE_DATE_CHANGED",
    "CASE_CLOCK_PAUSED",
    "CASE_CLOCK_RESUMED",
)
# A list of days that is longer explains nothing any more.
LONGEST: Final = 1_200


class Fact(NamedTuple):
    """One event of a trail: its number, type, time and details as JSON values."""

    sequence: int
    event_type: str
    occurred_at: datetime
    details: Mapping[str, Any]


class DayKind(StrEnum):
    """What a calendar day is to a due date."""

    START = "start"
    WORKING_DAY = "working_day"
    WEEKEND = "weekend"
    HOLIDAY = "holiday"
    PAUSED = "paused"


@dataclass(frozen=True)
class Day:
    """One calendar day. ``number`` counts working days; ``name`` is the holiday's."""

    day: date
    kind: DayKind
    number: int | None = None
    name: str = ""


@dataclass(frozen=True)
class Step:
    """What one event did to the due date, in a sentence, and the due date after it."""

    sequence: int
    event_type: str
    occurred_at: datetime
    due_at: datetime | None
    text: str


@dataclass(frozen=True)
class Explanation:
    """The due date that a trail leads to, how, and what does not add up."""

    due_at: datetime | None
    paused_at: datetime | None
    calendar: WorkCalendar
    steps: tuple[Step, ...]
    days: tuple[Day, ...]
    problems: tuple[str, ...]


def explain(facts: Iterable[Fact], calendar: WorkCalendar | None = None) -> Explanation:
    """Recompute a due date from a trail.

    Args:
        facts: the events of one case, oldest first; those of other types are passed by.
        calendar: labels the days of due dates that were given, of which the trail names none; the
            office's by default.
    """
    fold = _Fold(calendar or office_calendar())
    for fact in facts:
        fold.take(fact)
    return Explanation(
        due_at=fold.due_at,
        paused_at=fold.paused_at,
        calendar=fold.calendar,
        steps=tuple(fold.steps),
        days=tuple(fold.days()),
        problems=tuple(fold.problems),
    )


@dataclass
class _Fold:
    """How far a trail has been read. ``start`` is when counting began anew for the last time."""

    calendar: WorkCalendar
    due_at: datetime | None = None
    paused_at: datetime | None = None
    start: datetime | None = None
    pauses: list[tuple[datetime, datetime]] = field(default_factory=list)
    steps: list[Step] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)

    def take(self, fact: Fact) -> None:
        """Go one event further."""
        reader = _READERS.get(fact.event_type)
        text = reader(self, fact) if reader else ""
        if text:
            self.steps.append(
                Step(fact.sequence, fact.event_type, fact.occurred_at, self.due_at, text)
            )

    def given(self, due_at: datetime | None, at: datetime) -> None:
        """Begin anew with a due date that was not counted."""
        self.due_at, self.start, self.pauses = due_at, at, []

    def created(self, fact: Fact) -> str:
        if "due_at" not in fact.details:
            return ""
        self.given(_moment(fact.details["due_at"]), fact.occurred_at)
        return "Given when the case was created."

    def updated(self, fact: Fact) -> str:
        change = fact.details["changes"].get("due_at")
        if change is None:
            return ""
        self.given(_moment(change["to"]), fact.occurred_at)
        return "Changed in the draft." if self.due_at else "Taken away in the draft."

    def submitted(self, fact: Fact) -> str:
        told = fact.details
        if "working_days" not in told:
            return ""
        self.calendar = WorkCalendar(told["calendar"], told["time_zone"])
        self.given(_moment(told["due_at"]), fact.occurred_at)
        again = self.calendar.due_after(fact.occurred_at, told["working_days"])
        self.compare(fact, again)
        return (
            f"{_days(told['working_days'])} after {self.calendar.day_of(fact.occurred_at)}, "
            f"the day of submission, on {_named(self.calendar)}."
        )

    def changed(self, fact: Fact) -> str:
        self.given(_moment(fact.details["due_at"]), fact.occurred_at)
        return "Set by hand."

    def paused(self, fact: Fact) -> str:
        self.paused_at = fact.occurred_at
        return "The clock was stopped."

    def resumed(self, fact: Fact) -> str:
        told, before, since = fact.details, self.due_at, self.paused_at
        self.paused_at = None
        if before is None or since is None:
            return "The clock runs again."
        if "working_days" not in told:
            # Recorded before pauses were told in working days.
            if "due_at" in told:
                self.given(_moment(told["due_at"]), fact.occurred_at)
            return "The clock runs again."
        calendar = WorkCalendar(told["calendar"], told["time_zone"])
        again = calendar.moved(before, calendar.lost(before, since, fact.occurred_at))
        self.due_at = _moment(told["due_at"]) if "due_at" in told else before
        self.compare(fact, again)
        if calendar == self.calendar and self.start is not None and self.start <= since:
            # One that began after the due date moves it, but took none of the days before it.
            if since <= before:
                self.pauses.append((since, fact.occurred_at))
        elif told["working_days"]:
            self.calendar = calendar
            self.given(self.due_at, fact.occurred_at)
        return f"The pause cost {_days(told['working_days'])}, on {_named(calendar)}."

    def compare(self, fact: Fact, again: datetime) -> None:
        """Note where counting again gives another due date than the trail tells."""
        if again != self.due_at:
            self.problems.append(
                f"Event {fact.sequence} says {self.due_at}; counted again it would be {again}."
            )

    def days(self) -> Iterable[Day]:
        """Yield the days from where counting began to the due date.

        The first working day whose moment was still ahead has number 0: the day of an event does
        not count. Days whose moment fell into a pause have none.
        """
        if self.start is None or self.due_at is None:
            return
        last = self.calendar.day_of(self.due_at)
        first = min(self.calendar.day_of(self.start), last)
        if (last - first).days > LONGEST:
            return
        moment_of = partial(self.calendar.same_time, self.due_at)
        number = 1
        if self.calendar.why_free(first) is None and moment_of(first) > self.start:
            number = 0
        for n in range((last - first).days + 1):
            day = first + timedelta(days=n)
            why = self.calendar.why_free(day)
            if why is not None:
                yield Day(day, DayKind.WEEKEND if why == WEEKEND else DayKind.HOLIDAY, name=why)
            elif any(since <= moment_of(day) < until for since, until in self.pauses):
                yield Day(day, DayKind.PAUSED)
            elif number == 0 or moment_of(day) <= self.start:
                yield Day(day, DayKind.START)
                number = 1
            else:
                yield Day(day, DayKind.WORKING_DAY, number)
                number += 1


_READERS: Final = {
    "CASE_CREATED": _Fold.created,
    "CASE_UPDATED": _Fold.updated,
    "CASE_SUBMITTED": _Fold.submitted,
    "CASE_DUE_DATE_CHANGED": _Fold.changed,
    "CASE_CLOCK_PAUSED": _Fold.paused,
    "CASE_CLOCK_RESUMED": _Fold.resumed,
}


def _moment(text: str | None) -> datetime | None:
    return None if text is None else datetime.fromisoformat(text)


def _days(number: int) -> str:
    return f"{number} working day{'' if number == 1 else 's'}"


def _named(calendar: WorkCalendar) -> str:
    return f"{calendar.name or 'weekends only'}, {calendar.zone}"
