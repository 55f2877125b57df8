"""The reports: each figure is the length of a list that the same reader has."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils.timezone import now

from tests.api import expect
from tests.cast import ADMIN, AUDITOR, NOBODY, REVIEWER, SUPERVISOR, WRITER
from tests.office_at_work import fill_office

pytestmark = pytest.mark.django_db

OPEN = ["DRAFT", "SUBMITTED", "UNDER_REVIEW", "ESCALATED"]
PRIORITIES = ("LOW", "NORMAL", "HIGH", "URGENT")
PEOPLE = [WRITER, REVIEWER, SUPERVISOR, AUDITOR, ADMIN, NOBODY]


@pytest.fixture
def office(settings) -> None:
    settings.SLA_TIME_ZONE = "Europe/Berlin"
    fill_office(now())


def length(client: Any, **query: Any) -> int:
    answer = client.get("/cases", {"limit": 200, **query})
    assert answer.status_code == 200, answer.content
    return len(answer.json()["results"])


@pytest.mark.parametrize("actor", PEOPLE, ids=lambda actor: actor.id)
def test_every_figure_is_the_length_of_a_list_that_the_reader_has(as_actor, office, actor) -> None:
    client = as_actor(actor)

    found = client.get("/cases/reports").json()

    for day in found["coming_due"]:
        due = {"status": OPEN, "paused": "false", **_period(day, "due_from", "due_to")}
        assert day["cases"] == length(client, **due)
        for of in day["by_reviewer"]:
            name = of["reviewer_id"] or "none"
            assert of["cases"] == length(client, **due, assigned_reviewer_id=name)
    for week in found["sla_kept"]:
        closed = _period(week, "closed_from", "closed_to")
        for words, number in (("true", week["kept"]), ("false", week["missed"])):
            assert number == length(client, **closed, closed_in_time=words)
        assert set(week["by_priority"]) == set(PRIORITIES)
        for priority, of in week["by_priority"].items():
            missed = length(client, **closed, closed_in_time="false", priority=priority)
            assert of["missed"] == missed
    for week in found["flow"]:
        begin, end = week["starts_at"], week["ends_at"]
        assert week["created"] == length(client, created_from=begin, created_to=end)
        assert week["closed"] == length(client, closed_from=begin, closed_to=end)
    for band in found["open_ages"]:
        since = {"created_from": band["created_from"]} if band["created_from"] else {}
        young = {"created_to": band["created_to"], **since}
        assert band["cases"] == length(client, status=OPEN, **young)
    for load in found["workloads"]:
        mine = {"assigned_reviewer_id": load["reviewer_id"]}
        assert load["open"] == length(client, status=OPEN, **mine)
        assert load["overdue"] == length(client, overdue="true", **mine)
    assert sum(band["cases"] for band in found["open_ages"]) == length(client, status=OPEN) > 0


def _period(of: dict[str, Any], *names: str) -> dict[str, str]:
    return {name: of[name] for name in names}


def test_restricted_cases_count_only_for_who_may_see_them(as_actor, office) -> None:
    def figures(actor: Any) -> tuple[int, int, int]:
        found = as_actor(actor).get("/cases/reports").json()
        return (
            sum(band["cases"] for band in found["open_ages"]),
            sum(week["created"] for week in found["flow"]),
            sum(week["kept"] + week["missed"] for week in found["sla_kept"]),
        )

    everything = figures(AUDITOR)

    assert figures(SUPERVISOR) == figures(ADMIN) == everything
    assert all(one < all_ for one, all_ in zip(figures(WRITER), everything, strict=True))
    assert figures(NOBODY)[0] == 2  # what was granted


def test_days_and_weeks_are_those_of_the_office(as_actor, office) -> None:
    found = as_actor(AUDITOR).get("/v1/cases/reports").json()

    assert found["time_zone"] == "Europe/Berlin"
    assert (len(found["coming_due"]), len(found["flow"]), len(found["sla_kept"])) == (7, 12, 12)
    assert found["coming_due"][0]["due_from"] == found["at"]
    for week in found["flow"]:
        assert datetime.fromisoformat(week["week"]).weekday() == 0
        # Midnight in Berlin, in winter or summer.
        assert week["starts_at"][11:16] in ("23:00", "22:00")


def test_an_office_without_cases_has_empty_figures_and_no_gaps(as_actor) -> None:
    found = as_actor(WRITER).get("/cases/reports").json()

    assert found["workloads"] == []
    assert {day["cases"] for day in found["coming_due"]} == {0}
    assert {week["created"] + week["closed"] for week in found["flow"]} == {0}
    assert [band["cases"] for band in found["open_ages"]] == [0] * 7


def test_each_report_is_one_statement(as_actor, office) -> None:
    with CaptureQueriesContext(connection) as captured:
        as_actor(REVIEWER).get("/cases/reports")

    assert len([q for q in captured.captured_queries if '"cases"' in q["sql"]]) == 5


@pytest.mark.parametrize("query", ["weeks=3", "limit=5", "status=DRAFT"])
def test_they_take_no_parameters(as_actor, query) -> None:
    answer = as_actor(WRITER).get(f"/cases/reports?{query}")

    expect.refusal(answer, 422, "validation_error", {query.split("=")[0]})


def test_who_is_nobody_is_told_no_figures(stranger) -> None:
    expect.refusal(stranger.get("/cases/reports"), 401, "not_authenticated", set())
