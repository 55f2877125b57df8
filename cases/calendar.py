"""Working days, as an office counts them: weekends and a named calendar's holidays are free.

A calendar is a value, the name of its holidays and its time zone, because the trail names both:
what was counted once can be counted again, whatever the settings say by then.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

import holidays
from django.conf import settings

_DAY = timedelta(days=1)
_INSTANT = timedelta(microseconds=1)

# Why a Saturday is free, or a Friday where that is the weekend.
WEEKEND = ""


def holidays_of(name: str, year: int | None = None) -> holidays.HolidayBase:
    """Return a calendar by its name, like ``DE-BE``; one without holidays for the empty name.

    Raises:
        NotImplementedError: there is no such country or subdivision.
    """
    if not name:
        return holidays.HolidayBase(years=year)
    country, _, subdivision = name.partition("-")
    # Without a language it would be that of the process's locale.
    return holidays.country_holidays(
        country, subdiv=subdivision or None, years=year, language="en_US"
    )


@lru_cache(maxsize=1000)
def _free_days(name: str, year: int) -> Mapping[date, str]:
    """Return the days of a year on which nobody works, and why.

    The library's calendars fill themselves while they are asked and are not safe between threads;
    each year is asked once, of a calendar that nobody else has.
    """
    calendar = holidays_of(name, year)
    day, free = date(year, 1, 1), {}
    while day.year == year:
        if not calendar.is_working_day(day):
            free[day] = WEEKEND if calendar.is_weekend(day) else calendar.get(day, WEEKEND)
        day += _DAY
    return free


@dataclass(frozen=True)
class WorkCalendar:
    """Working days in one place. A half holiday is a working day.

    ``name`` is a country's code, with a subdivision's where there is one, like ``DE-BE``; empty for
    weekends only. ``zone`` is a name of the IANA database.
    """

    name: str
    zone: str

    @property
    def tzinfo(self) -> ZoneInfo:
        """The zone whose days count."""
        return ZoneInfo(self.zone)

    def day_of(self, at: datetime) -> date:
        """Return the local day of a moment."""
        return at.astimezone(self.tzinfo).date()

    def bounds(self, day: date) -> tuple[datetime, datetime]:
        """Return when a local day begins and when the next one does, in UTC."""
        return self._midnight(day), self._midnight(day + _DAY)

    def end_of(self, day: date) -> datetime:
        """Return the last microsecond of a local day, in UTC."""
        return self._midnight(day + _DAY) - _INSTANT

    def weeks(self, at: datetime, count: int) -> list[date]:
        """Return the Mondays of the last weeks, that of the week of ``at`` last."""
        today = self.day_of(at)
        monday = today - timedelta(days=today.weekday())
        return [monday - timedelta(weeks=n) for n in reversed(range(count))]

    def week_bounds(self, monday: date) -> tuple[datetime, datetime]:
        """Return when a week begins and when the next one does, in UTC."""
        return self._midnight(monday), self._midnight(monday + 7 * _DAY)

    def why_free(self, day: date) -> str | None:
        """Return why a day is free: the holiday's name or ``WEEKEND``; None for a working day."""
        return _free_days(self.name, day.year).get(day)

    def working_day(self, day: date, count: int) -> date:
        """Return the working day that is ``count`` working days after a day; before it, if < 0."""
        step = _DAY if count > 0 else -_DAY
        left = abs(count)
        while left:
            day += step
            left -= self.why_free(day) is None
        return day

    def working_days_in(self, after: date, until: date) -> int:
        """Count the working days after one day up to and with another one."""
        days = (after + n * _DAY for n in range(1, (until - after).days + 1))
        return sum(self.why_free(day) is None for day in days)

    def due_after(self, at: datetime, working_days: int) -> datetime:
        """Return the end of the last of so many working days after the day of ``at``, in UTC."""
        return _due_after(self, self.day_of(at), working_days)

    def same_time(self, due_at: datetime, day: date) -> datetime:
        """Return the moment of another day at the local time of ``due_at``, in UTC."""
        local = due_at.astimezone(self.tzinfo)
        return local.replace(year=day.year, month=day.month, day=day.day).astimezone(UTC)

    def lost(self, due_at: datetime, paused_at: datetime, resumed_at: datetime) -> int:
        """Count the working days that a pause cost.

        A working day counts when the clock stood still at that day's local time of ``due_at``: its
        end, for due dates that end with the day. So the case has as many such moments before it
        after the pause as it had before.
        """
        first = self.day_of(paused_at)
        days = (first + n * _DAY for n in range((self.day_of(resumed_at) - first).days + 1))
        return sum(
            self.why_free(day) is None and paused_at <= self.same_time(due_at, day) < resumed_at
            for day in days
        )

    def moved(self, due_at: datetime, working_days: int) -> datetime:
        """Return the same local time so many working days later (earlier, if negative), in UTC."""
        if working_days == 0:
            return due_at
        return self.same_time(due_at, self.working_day(self.day_of(due_at), working_days))

    def _midnight(self, day: date) -> datetime:
        # Where a clock is put forward at midnight this is the moment at which that happens.
        return datetime.combine(day, time.min, self.tzinfo).astimezone(UTC)


@lru_cache(maxsize=1000)
def _due_after(calendar: WorkCalendar, day: date, working_days: int) -> datetime:
    return calendar.end_of(calendar.working_day(day, working_days))


def office_calendar() -> WorkCalendar:
    """Return the calendar that the settings name now."""
    return WorkCalendar(settings.SLA_HOLIDAYS, settings.SLA_TIME_ZONE)
