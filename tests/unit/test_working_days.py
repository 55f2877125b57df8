"""Working days as an office in Berlin counts them. November 2026: the 20th is a Friday."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from cases.calendar import add_working_days, working_days_between


@pytest.fixture(autouse=True)
def berlin(settings) -> None:
    settings.SLA_HOLIDAYS = "DE-BE"
    settings.SLA_TIME_ZONE = "Europe/Berlin"


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


@pytest.mark.parametrize(
    ("start", "end", "days"),
    [
        pytest.param("2026-11-17T09:00", "2026-11-17T17:00", 0, id="the-same-day"),
        pytest.param("2026-11-17T09:00", "2026-11-18T08:00", 1, id="the-next-day"),
        pytest.param("2026-11-20T09:00", "2026-11-23T09:00", 1, id="over-a-weekend"),
        pytest.param("2026-11-21T09:00", "2026-11-22T09:00", 0, id="within-a-weekend"),
        pytest.param("2026-11-21T09:00", "2026-11-23T09:00", 1, id="from-Saturday-to-Monday"),
        pytest.param("2026-11-16T09:00", "2026-11-27T09:00", 9, id="two-weeks"),
        pytest.param("2026-12-24T09:00", "2026-12-28T09:00", 1, id="over-Christmas"),
        pytest.param("2026-03-06T09:00", "2026-03-09T09:00", 1, id="Women-s-Day-2026-a-Sunday"),
        pytest.param("2027-03-05T09:00", "2027-03-09T09:00", 1, id="Women-s-Day-2027-is-free"),
        pytest.param("2026-12-31T09:00", "2027-01-04T09:00", 1, id="over-New-Year"),
        pytest.param("2026-11-18T09:00", "2026-11-17T09:00", 0, id="backwards-is-nothing"),
        pytest.param("2026-11-17T23:30", "2026-11-18T10:00", 0, id="the-day-is-Berlin-s"),
    ],
)
def test_weekends_and_holidays_do_not_count(start: str, end: str, days: int) -> None:
    assert working_days_between(utc(start), utc(end)) == days


@pytest.mark.parametrize(
    ("at", "days", "later"),
    [
        pytest.param("2026-11-20T09:00", 0, "2026-11-20T09:00", id="none"),
        pytest.param("2026-11-21T09:00", 0, "2026-11-21T09:00", id="none-on-a-Saturday"),
        pytest.param("2026-11-20T09:00", 1, "2026-11-23T09:00", id="Friday-to-Monday"),
        pytest.param("2026-11-21T09:00", 1, "2026-11-23T09:00", id="Saturday-to-Monday"),
        pytest.param("2026-12-24T09:00", 1, "2026-12-28T09:00", id="over-Christmas"),
        pytest.param("2027-03-05T09:00", 1, "2027-03-09T09:00", id="over-Women-s-Day"),
        pytest.param("2026-11-16T09:00", 10, "2026-11-30T09:00", id="two-weeks"),
        pytest.param("2026-03-27T11:00", 1, "2026-03-30T10:00", id="noon-stays-noon-into-summer"),
        pytest.param("2026-10-23T10:00", 1, "2026-10-26T11:00", id="noon-stays-noon-into-winter"),
        pytest.param("2026-11-19T23:30", 1, "2026-11-22T23:30", id="half-past-midnight-in-Berlin"),
    ],
)
def test_days_are_added_at_the_same_local_time(at: str, days: int, later: str) -> None:
    moved = add_working_days(utc(at), days)

    assert moved == utc(later)
    assert moved.tzinfo is UTC


@pytest.mark.parametrize(("name", "days"), [("", 2), ("DE-BE", 1)], ids=["weekends-only", "Berlin"])
def test_without_a_named_calendar_only_weekends_are_free(settings, name, days) -> None:
    settings.SLA_HOLIDAYS = name

    assert working_days_between(utc("2027-03-05T09:00"), utc("2027-03-09T09:00")) == days


def test_what_was_counted_as_pause_is_what_the_due_date_moves_by() -> None:
    paused, resumed = utc("2026-12-23T15:00"), utc("2026-12-29T10:00")
    due = utc("2026-12-30T17:00")

    moved = add_working_days(due, working_days_between(paused, resumed))

    # The 24th, 28th and 29th were lost; the 31st, the 4th and the 5th of January make up for them.
    assert moved == utc("2027-01-05T17:00")
