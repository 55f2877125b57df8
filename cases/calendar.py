"""Working days, as the office counts them: weekends and a named calendar's holidays are free."""

from __future__ import annotations

from datetime import UTC, datetime
from functools import lru_cache
from zoneinfo import ZoneInfo

import holidays
from django.conf import settings


@lru_cache(maxsize=8)
def named_calendar(name: str) -> holidays.HolidayBase:
    """Return a calendar by its name, like ``DE-BE``; one without holidays for the empty name.

    Raises:
        NotImplementedError: there is no such country or subdivision.
    """
    if not name:
        return holidays.HolidayBase()
    country, _, subdivision = name.partition("-")
    return holidays.country_holidays(country, subdiv=subdivision or None)


def working_days_between(start: datetime, end: datetime) -> int:
    """Count the working days after the day of ``start`` up to and with the day of ``end``.

    Days are those of ``SLA_TIME_ZONE``; the calendar is ``SLA_HOLIDAYS`` (like ``DE-BE``).
    """
    zone = ZoneInfo(settings.SLA_TIME_ZONE)
    first, last = start.astimezone(zone).date(), end.astimezone(zone).date()
    if last <= first:
        return 0
    calendar = named_calendar(settings.SLA_HOLIDAYS)
    count = calendar.get_working_days_count(first, last)
    return count - (1 if calendar.is_working_day(first) else 0)


def add_working_days(at: datetime, days: int) -> datetime:
    """Return the same local time ``days`` working days later, in UTC; 0 changes nothing."""
    if days == 0:
        return at
    local = at.astimezone(ZoneInfo(settings.SLA_TIME_ZONE))
    day = named_calendar(settings.SLA_HOLIDAYS).get_nth_working_day(local.date(), days)
    return local.replace(year=day.year, month=day.month, day=day.day).astimezone(UTC)
