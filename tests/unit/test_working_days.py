"""Working days as an office in Berlin counts them. November 2026: the 20th is a Friday."""

from __future__ import annotations

import threading
from datetime import UTC, date, datetime, timedelta

import holidays
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cases import calendar as module
from cases.calendar import WorkCalendar, office_calendar

BERLIN = WorkCalendar("DE-BE", "Europe/Berlin")
WEEKENDS_ONLY = WorkCalendar("", "Europe/Berlin")


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


@pytest.mark.parametrize(
    ("submitted", "days", "due"),
    [
        pytest.param("2026-11-17T09:00", 1, "2026-11-18T22:59:59.999999", id="the-day-after"),
        pytest.param("2026-11-17T23:30", 1, "2026-11-19T22:59:59.999999", id="the-day-is-Berlin-s"),
        pytest.param("2026-11-20T09:00", 1, "2026-11-23T22:59:59.999999", id="Friday-to-Monday"),
        pytest.param("2026-11-21T09:00", 1, "2026-11-23T22:59:59.999999", id="Saturday-to-Monday"),
        pytest.param("2026-11-22T09:00", 2, "2026-11-24T22:59:59.999999", id="Sunday-to-Tuesday"),
        pytest.param("2026-11-16T09:00", 10, "2026-11-30T22:59:59.999999", id="two-weeks"),
        # The 24th and the 31st are half holidays in many offices: whole working days here.
        pytest.param("2026-12-23T09:00", 1, "2026-12-24T22:59:59.999999", id="Christmas-Eve"),
        pytest.param("2026-12-24T09:00", 1, "2026-12-28T22:59:59.999999", id="over-Christmas"),
        pytest.param("2026-12-30T09:00", 2, "2027-01-04T22:59:59.999999", id="over-New-Year"),
        pytest.param("2027-03-05T09:00", 1, "2027-03-09T22:59:59.999999", id="over-Women-s-Day"),
        pytest.param("2026-03-27T11:00", 1, "2026-03-30T21:59:59.999999", id="into-summer"),
        pytest.param("2026-10-23T11:00", 1, "2026-10-26T22:59:59.999999", id="into-winter"),
    ],
)  # fmt: skip
def test_a_case_is_due_at_the_end_of_the_last_working_day(submitted, days, due) -> None:
    assert BERLIN.due_after(utc(submitted), days) == utc(due)


@pytest.mark.parametrize(
    ("zone", "day", "end"),
    [
        ("Asia/Beirut", date(2026, 3, 28), "2026-03-28T21:59:59.999999"),  # no 00:00 the day after
        ("America/Havana", date(2026, 10, 31), "2026-11-01T03:59:59.999999"),  # two times 00:30
        ("America/Sao_Paulo", date(2018, 2, 17), "2018-02-18T02:59:59.999999"),  # two times 23:30
        ("Pacific/Kiritimati", date(2026, 11, 20), "2026-11-20T09:59:59.999999"),
    ],
)
def test_a_day_ends_with_its_last_microsecond_where_clocks_change_at_midnight(
    zone, day, end
) -> None:
    calendar = WorkCalendar("", zone)

    assert calendar.end_of(day) == utc(end)
    assert calendar.day_of(calendar.end_of(day)) == day
    assert calendar.day_of(calendar.end_of(day) + timedelta(microseconds=1)) > day


@pytest.mark.parametrize(
    ("paused", "resumed", "days"),
    [
        pytest.param("2026-11-17T09:00", "2026-11-17T17:00", 0, id="within-a-day"),
        pytest.param("2026-11-17T22:00", "2026-11-18T05:00", 1, id="over-one-night"),
        pytest.param("2026-11-20T09:00", "2026-11-23T09:00", 1, id="Friday-to-Monday"),
        pytest.param("2026-11-20T09:00", "2026-11-21T09:00", 1, id="Friday-to-Saturday"),
        pytest.param("2026-11-21T09:00", "2026-11-22T09:00", 0, id="within-a-weekend"),
        pytest.param("2026-11-21T09:00", "2026-11-23T09:00", 0, id="Saturday-to-Monday"),
        pytest.param("2026-11-16T09:00", "2026-11-27T09:00", 9, id="two-weeks"),
        pytest.param("2026-12-24T09:00", "2026-12-28T09:00", 1, id="over-Christmas"),
        pytest.param("2027-03-08T09:00", "2027-03-09T09:00", 0, id="Women-s-Day-2027-is-free"),
        pytest.param("2026-11-17T23:30", "2026-11-18T10:00", 0, id="the-day-is-Berlin-s"),
        pytest.param("2026-11-18T09:00", "2026-11-17T09:00", 0, id="backwards-is-nothing"),
    ],
)
def test_a_pause_costs_the_working_days_that_end_in_it(paused, resumed, days) -> None:
    due = BERLIN.end_of(date(2027, 6, 1))

    assert BERLIN.lost(due, utc(paused), utc(resumed)) == days


def test_a_due_date_within_the_day_is_protected_by_its_own_time_of_day() -> None:
    due, paused, resumed = utc("2026-11-19T11:00"), utc("2026-11-19T09:00"), utc("2026-11-20T14:00")

    lost = BERLIN.lost(due, paused, resumed)

    # Two hours were left on Thursday. A day more, and it would have been late on resuming.
    assert lost == 2
    assert BERLIN.moved(due, lost) == utc("2026-11-23T11:00")


MOMENTS = st.datetimes(datetime(2026, 1, 1), datetime(2028, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001
CALENDARS = st.sampled_from(
    [
        BERLIN,
        WEEKENDS_ONLY,
        WorkCalendar("US-MA", "America/New_York"),
        WorkCalendar("SA", "Asia/Riyadh"),
        WorkCalendar("CN", "Asia/Shanghai"),
        WorkCalendar("", "America/Havana"),
    ]
)


def left(calendar: WorkCalendar, at: datetime, due: datetime) -> int:
    """Count the working days' ends from a moment on that a due date leaves."""
    return calendar.lost(due, at, due + timedelta(microseconds=1))


@given(CALENDARS, MOMENTS, st.integers(1, 60), st.lists(st.integers(0, 20_000), max_size=6))
def test_pauses_leave_as_many_working_days_as_there_were(calendar, start, days, minutes) -> None:
    due, at = calendar.due_after(start, days), start

    for running, standing in zip(minutes[::2], minutes[1::2], strict=False):
        paused = at + timedelta(minutes=running)
        at = paused + timedelta(minutes=standing)
        before, late = left(calendar, paused, due), paused > due
        due = calendar.moved(due, calendar.lost(due, paused, at))
        if late:
            assert due < at
        else:
            assert left(calendar, at, due) == before
            assert due >= at


@given(CALENDARS, MOMENTS, MOMENTS, MOMENTS, MOMENTS)
def test_two_pauses_cost_what_one_does_that_only_they_make_up(calendar, due, a, b, c) -> None:
    a, b, c = sorted((a, b, c))

    assert calendar.lost(due, a, b) + calendar.lost(due, b, c) == calendar.lost(due, a, c)


@given(MOMENTS, st.integers(-30, 30).filter(bool), st.integers(1, 30))
def test_days_are_added_one_after_the_other_or_all_at_once(at, first, more) -> None:
    more = more if first > 0 else -more

    moved = BERLIN.moved(at, first)

    assert BERLIN.moved(moved, more) == BERLIN.moved(at, first + more)
    assert BERLIN.moved(at, 0) == at
    assert moved.tzinfo is UTC


@given(
    st.sampled_from(["DE-BE", "US-MA", "SA", "CN", "SE"]),
    st.dates(date(2020, 1, 1), date(2030, 1, 1)),
    st.integers(1, 40),
)
def test_working_days_are_those_of_the_library(name, day, days) -> None:
    calendar, library = WorkCalendar(name, "UTC"), holidays.country_holidays(*name.split("-"))
    last = library.get_nth_working_day(day, days)

    assert calendar.working_day(day, days) == last
    assert calendar.working_days_in(day, last) == days


def test_a_holiday_has_its_name_and_a_weekend_has_none() -> None:
    assert BERLIN.why_free(date(2026, 12, 25)) == "Christmas Day"
    assert BERLIN.why_free(date(2026, 12, 26)) == module.WEEKEND  # a holiday on a Saturday
    assert BERLIN.why_free(date(2026, 12, 24)) is None
    assert WEEKENDS_ONLY.why_free(date(2026, 12, 25)) is None


def test_the_settings_name_the_calendar_of_the_office(settings) -> None:
    settings.SLA_HOLIDAYS, settings.SLA_TIME_ZONE = "FR", "Europe/Paris"

    assert office_calendar() == WorkCalendar("FR", "Europe/Paris")


def test_threads_that_ask_for_the_same_year_at_once_all_know_its_holidays() -> None:
    module._free_days.cache_clear()
    start, found = threading.Barrier(8), []

    def ask() -> None:
        start.wait()
        found.append(WorkCalendar("DE-BE", "UTC").why_free(date(2031, 12, 25)))

    threads = [threading.Thread(target=ask) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert found == ["Christmas Day"] * 8
