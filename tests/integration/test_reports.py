"""Reports of work: each number is the length of a list that the same person can open."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any

import pytest

from cases import reports, selectors
from cases.filters import CaseFilter
from cases.lifecycle import CaseStatus, Priority, closed_in_time
from cases.models import Case
from cases.policies import Actor
from tests.cast import (
    ALLROUNDER,
    AUDITOR,
    EVERYBODY,
    NOBODY,
    REVIEWER,
    SYSTEM,
)
from tests.office_at_work import days, fill_office, make

pytestmark = pytest.mark.django_db

# A Wednesday, nine in the morning in Berlin.
NOW = datetime(2026, 11, 25, 8, tzinfo=UTC)
OPEN = frozenset(CaseStatus) - {CaseStatus.CLOSED}


@pytest.fixture(autouse=True)
def berlin(settings) -> None:
    settings.SLA_HOLIDAYS, settings.SLA_TIME_ZONE = "DE-BE", "Europe/Berlin"


@pytest.fixture
def office() -> None:
    fill_office(NOW)


def listed(actor: Actor, **wanted: Any) -> list[Case]:
    return list(selectors.visible_cases(actor, CaseFilter(**wanted), at=NOW))


ASKING = (*EVERYBODY, SYSTEM)


def test_what_is_coming_due_is_what_the_list_of_each_day_holds(office, subtests) -> None:
    for actor in ASKING:
        with subtests.test(actor.id):
            report = reports.coming_due(actor, at=NOW)

            assert [day.day for day in report] == [date(2026, 11, 25) + days(n) for n in range(7)]
            for day in report:
                due = listed(
                    actor, statuses=OPEN, paused=False, due_from=day.due_from, due_to=day.due_to
                )
                running = [case.assigned_reviewer_id for case in due]
                assert day.by_reviewer == {name: running.count(name) for name in set(running)}
                assert day.total == len(running)


def test_the_sla_is_kept_where_each_case_of_the_list_kept_it(office, subtests) -> None:
    for actor in ASKING:
        with subtests.test(actor.id):
            report = reports.sla_kept(actor, at=NOW, weeks=8)

            assert report[-1].week == date(2026, 11, 23)
            for week in report:
                closed = listed(actor, closed_from=week.closed_from, closed_to=week.closed_to)
                for priority, figures in week.by_priority.items():
                    of = [case for case in closed if case.priority == priority]
                    verdicts = [closed_in_time(case) for case in of]
                    assert figures == reports.Kept(verdicts.count(True), verdicts.count(False))
                    kept = {"closed_in_time": True, "priorities": frozenset({priority})}
                    assert figures.kept == len(
                        listed(
                            actor, closed_from=week.closed_from, closed_to=week.closed_to, **kept
                        )
                    )


def test_inflow_and_closure_are_what_the_lists_of_each_week_hold(office, subtests) -> None:
    for actor in ASKING:
        with subtests.test(actor.id):
            report = reports.flow(actor, at=NOW, weeks=8)

            assert len(report) == 8
            for week in report:
                created = listed(actor, created_from=week.starts_at, created_to=week.ends_at)
                closed = listed(actor, closed_from=week.starts_at, closed_to=week.ends_at)
                assert (week.created, week.closed) == (len(created), len(closed))


def test_every_open_case_is_in_the_band_of_its_age(office, subtests) -> None:
    for actor in ASKING:
        with subtests.test(actor.id):
            report = reports.open_ages(actor, at=NOW)

            assert [band.days for band in report] == list(reports.AGES)
            assert sum(band.cases for band in report) == len(listed(actor, statuses=OPEN))
            for band in report:
                since = {"created_from": band.created_from} if band.created_from else {}
                here = listed(actor, statuses=OPEN, created_to=band.created_to, **since)
                assert band.cases == len(here)


def test_a_reviewer_has_as_much_as_the_lists_of_the_reviewer_hold(office, subtests) -> None:
    for actor in ASKING:
        with subtests.test(actor.id):
            report = reports.workloads(actor, at=NOW)

            names = {case.assigned_reviewer_id for case in listed(actor, statuses=OPEN)} - {None}
            assert {load.reviewer_id for load in report} == names
            assert [load.open for load in report] == sorted((x.open for x in report), reverse=True)
            for load in report:
                mine = {"reviewer": load.reviewer_id}
                assert load.open == len(listed(actor, statuses=OPEN, **mine))
                assert load.overdue == len(listed(actor, overdue=True, **mine))


def test_the_office_of_these_tests_has_something_to_count_for_everybody(office) -> None:
    """Guard against tests that compare nothing with nothing."""
    assert sum(day.total for day in reports.coming_due(AUDITOR, at=NOW)) >= 8
    assert sum(week.total.missed for week in reports.sla_kept(AUDITOR, at=NOW)) >= 3
    assert sum(week.total.kept for week in reports.sla_kept(AUDITOR, at=NOW)) >= 3
    seen = {actor.id: sum(b.cases for b in reports.open_ages(actor, at=NOW)) for actor in EVERYBODY}
    assert seen["audrey"] > seen["rob"] > seen["norman"] == 2
    assert seen["wanda"] == seen["alex"] < seen["audrey"], ALLROUNDER.id


def test_days_and_weeks_begin_at_midnight_where_the_office_is() -> None:
    make(created=datetime(2026, 11, 22, 22, 59, tzinfo=UTC))  # Sunday, 23:59 in Berlin
    make(created=datetime(2026, 11, 22, 23, 1, tzinfo=UTC))  # Monday, 00:01
    make(created=NOW - days(9), due=datetime(2026, 11, 26, 22, 59, 59, 999_999, tzinfo=UTC))
    make(created=NOW - days(9), due=datetime(2026, 11, 26, 23, tzinfo=UTC))

    weeks = {week.week: week.created for week in reports.flow(AUDITOR, at=NOW)}
    due = {day.day: day.total for day in reports.coming_due(AUDITOR, at=NOW)}

    assert (weeks[date(2026, 11, 16)], weeks[date(2026, 11, 23)]) == (3, 1)
    assert (due[date(2026, 11, 26)], due[date(2026, 11, 27)]) == (1, 1)


def test_the_age_of_a_case_is_counted_in_days_of_the_calendar(settings) -> None:
    make(created=datetime(2026, 11, 18, 23, 1, tzinfo=UTC))  # the 19th in Berlin, 6 days ago
    make(created=datetime(2026, 11, 18, 22, 59, tzinfo=UTC))  # the 18th, 7 days ago

    assert [band.cases for band in reports.open_ages(AUDITOR, at=NOW)][:2] == [1, 1]


def test_a_case_that_was_closed_while_paused_is_judged_by_when_its_clock_stopped() -> None:
    late, stopped = NOW - days(1), NOW - days(6)
    make(created=NOW - days(20), due=NOW - days(5), closed=late)
    make(created=NOW - days(20), due=NOW - days(5), closed=late, paused=stopped)
    make(created=NOW - days(20), due=NOW - days(7), closed=late, paused=stopped)

    week = reports.sla_kept(AUDITOR, at=NOW)[-1]

    assert week.by_priority[Priority.NORMAL] == reports.Kept(kept=1, missed=2)
    assert week.total.share == pytest.approx(1 / 3)


def test_a_report_is_one_statement_whoever_asks(django_assert_num_queries) -> None:
    for report in (
        reports.coming_due,
        reports.sla_kept,
        reports.flow,
        reports.open_ages,
        reports.workloads,
    ):
        for actor in (AUDITOR, REVIEWER, NOBODY):
            with django_assert_num_queries(1):
                report(actor, at=NOW)
