"""A due date is counted again from its trail alone, and told day by day."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from hypothesis import given
from hypothesis import strategies as st

from audit.due_dates import explain_due_date
from cases import services
from cases.calendar import WorkCalendar
from cases.deadlines import Day, DayKind, Fact, explain
from cases.events import rfc3339
from cases.models import Case
from tests.cast import ADMIN, REVIEWER, SUPERVISOR, WRITER
from tests.unit.test_working_days import CALENDARS, MOMENTS

pytestmark = pytest.mark.django_db

WHY = {"reason": "Because"}
# The Tuesday before Christmas, nine in the morning in Berlin.
START = datetime(2026, 12, 22, 8, tzinfo=UTC)


@pytest.fixture(autouse=True)
def berlin(settings) -> None:
    settings.SLA_HOLIDAYS, settings.SLA_TIME_ZONE = "DE-BE", "Europe/Berlin"


def submitted(**fields: Any) -> dict[str, Any]:
    fields = {"title": "Late", "priority": "URGENT", **fields}
    case = services.create_case(fields=fields, actor=WRITER, at=START)
    services.submit_case(case_id=case.id, actor=WRITER, at=START)
    return {"case_id": case.id, "actor": SUPERVISOR}


def stored(key: dict[str, Any]) -> Case:
    return Case.objects.get(pk=key["case_id"])


def test_each_day_says_what_it_is() -> None:
    key = submitted()
    services.pause_clock(at=START + timedelta(days=1), **key, **WHY)
    services.resume_clock(at=START + timedelta(days=2), **key, **WHY)

    told = explain_due_date(key["case_id"])

    assert told.due_at == stored(key).due_at
    assert told.problems == ()
    assert told.days == (
        Day(date(2026, 12, 22), DayKind.START),
        Day(date(2026, 12, 23), DayKind.PAUSED),
        Day(date(2026, 12, 24), DayKind.WORKING_DAY, 1),
        Day(date(2026, 12, 25), DayKind.HOLIDAY, name="Christmas Day"),
        Day(date(2026, 12, 26), DayKind.WEEKEND),
        Day(date(2026, 12, 27), DayKind.WEEKEND),
        Day(date(2026, 12, 28), DayKind.WORKING_DAY, 2),
        Day(date(2026, 12, 29), DayKind.WORKING_DAY, 3),
    )
    assert [step.text for step in told.steps] == [
        "3 working days after 2026-12-22, the day of submission, on DE-BE, Europe/Berlin.",
        "The clock was stopped.",
        "The pause cost 1 working day, on DE-BE, Europe/Berlin.",
    ]


def test_what_the_table_and_the_settings_say_later_changes_nothing(settings) -> None:
    key = submitted()
    services.set_sla_target(priority="URGENT", working_days=99, actor=ADMIN)
    settings.SLA_HOLIDAYS, settings.SLA_TIME_ZONE = "US", "America/New_York"

    told = explain_due_date(key["case_id"])

    assert (told.due_at, told.problems) == (stored(key).due_at, ())
    assert told.calendar == WorkCalendar("DE-BE", "Europe/Berlin")


def test_dates_that_were_given_changed_and_taken_away_are_followed() -> None:
    fields = {"title": "Late", "due_at": START + timedelta(days=5)}
    case = services.create_case(fields=fields, actor=WRITER, at=START)
    key = {"case_id": case.id}
    for due_at in (None, START + timedelta(days=7)):
        services.update_case(fields={"due_at": due_at}, actor=WRITER, at=START, **key)
    services.submit_case(actor=WRITER, at=START, **key)
    services.set_due_date(
        due_at=START + timedelta(days=20), actor=SUPERVISOR, at=START, **key, **WHY
    )

    told = explain_due_date(case.id)

    assert told.due_at == stored(key).due_at
    assert [step.text for step in told.steps] == [
        "Given when the case was created.",
        "Taken away in the draft.",
        "Changed in the draft.",
        "Set by hand.",
    ]


def test_a_case_without_a_due_date_has_nothing_to_explain() -> None:
    services.set_sla_target(priority="URGENT", working_days=None, actor=ADMIN)
    key = submitted()
    services.pause_clock(at=START, **key, **WHY)
    services.resume_clock(at=START + timedelta(days=9), **key, **WHY)

    told = explain_due_date(key["case_id"])

    assert (told.due_at, told.days, told.problems) == (None, (), ())


@given(CALENDARS, MOMENTS, st.integers(1, 40), st.lists(st.integers(0, 9_000), max_size=6))
def test_counting_day_by_day_ends_where_the_pauses_moved_the_due_date(
    calendar, start, days, minutes
) -> None:
    due, at, late = calendar.due_after(start, days), start, 0
    counted = {"calendar": calendar.name, "time_zone": calendar.zone}
    told = {"due_at": rfc3339(due), "working_days": days, **counted}
    facts = [Fact(1, "CASE_SUBMITTED", start, told)]
    for running, standing in zip(minutes[::2], minutes[1::2], strict=False):
        paused = at + timedelta(minutes=running)
        at = paused + timedelta(minutes=standing)
        lost = calendar.lost(due, paused, at)
        late += lost if paused > due else 0
        due = calendar.moved(due, lost)
        told = {"working_days": lost, **counted} | ({"due_at": rfc3339(due)} if lost else {})
        facts += [Fact(2, "CASE_CLOCK_PAUSED", paused, {}), Fact(3, "CASE_CLOCK_RESUMED", at, told)]

    explained = explain(facts, calendar)

    assert (explained.due_at, explained.problems) == (due, ())
    assert explained.days[-1].day == calendar.day_of(due)
    if not late:
        assert explained.days[-1] == Day(calendar.day_of(due), DayKind.WORKING_DAY, days)


def test_a_due_date_that_was_tampered_with_in_the_trail_is_found() -> None:
    facts = [
        Fact(
            1, "CASE_SUBMITTED", START,
            {"due_at": "2026-12-31T22:59:59.999999Z", "working_days": 3,
             "calendar": "DE-BE", "time_zone": "Europe/Berlin"},
        )
    ]  # fmt: skip

    [problem] = explain(facts).problems

    assert "counted again it would be 2026-12-28 22:59:59.999999+00:00" in problem


def test_the_command_tells_it_in_words_and_as_json(capsys) -> None:
    key = submitted()

    call_command("explain_due_date", key["case_id"])
    words = capsys.readouterr().out.splitlines()
    call_command("explain_due_date", key["case_id"], "--json")
    told = json.loads(capsys.readouterr().out)

    assert words[0] == f"{key['case_id']} is due 2026-12-28 23:59 Europe/Berlin."
    assert words[-1] == "  Mon 2026-12-28  working day 3"
    assert told["due_at"] == "2026-12-28T22:59:59.999999Z"
    assert told["days"][0] == {"day": "2026-12-22", "kind": "start", "number": None, "name": ""}


def test_the_command_finds_a_row_that_says_something_else(capsys) -> None:
    key = submitted()
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        cursor.execute("ALTER TABLE cases DISABLE TRIGGER USER")
        cursor.execute("UPDATE cases SET due_at = now() WHERE id = %s", [key["case_id"]])

    with pytest.raises(CommandError) as found:
        call_command("explain_due_date", key["case_id"])

    assert found.value.returncode == 1
    assert "its trail says 2026-12-28 22:59:59.999999+00:00" in str(found.value)


@pytest.mark.parametrize("case_id", ["CASE-999999", "x", "CASE-1'"])
def test_the_command_says_when_there_is_no_such_case(case_id) -> None:
    with pytest.raises(CommandError) as refused:
        call_command("explain_due_date", case_id)

    assert refused.value.returncode == 2


def test_a_pause_while_overdue_moves_the_date_and_keeps_it_past() -> None:
    key = submitted()
    late = START + timedelta(days=13)
    services.pause_clock(at=late, **key, **WHY)
    services.resume_clock(at=late + timedelta(days=3), **key, **WHY)

    case = stored(key)
    assert case.due_at is not None
    assert START < case.due_at < late + timedelta(days=3)
    assert explain_due_date(case.id).due_at == case.due_at


def test_closing_while_paused_leaves_the_due_date_as_it_was() -> None:
    key = submitted()
    services.start_review(case_id=key["case_id"], reviewer_id=REVIEWER.id, actor=REVIEWER, at=START)
    before = stored(key).due_at
    services.pause_clock(at=START + timedelta(days=1), **key, **WHY)
    services.close_case(
        case_id=key["case_id"], actor=REVIEWER, at=START + timedelta(days=60), **WHY
    )

    told = explain_due_date(key["case_id"])

    assert stored(key).due_at == told.due_at == before
    assert told.paused_at == START + timedelta(days=1)
