"""The dashboard: its figures are those of the API, and each leads to a list of just so many."""

from __future__ import annotations

import re
from html import unescape
from typing import Any

import pytest
from django.contrib.auth.models import Group, Permission
from django.utils.timezone import now

from cases import services
from tests.cast import ADMIN, AUDITOR, NOBODY, REVIEWER, SUPERVISOR, WRITER
from tests.factories import CaseFactory
from tests.integration.pages import text
from tests.office_at_work import fill_office, make

pytestmark = pytest.mark.django_db

DASHBOARD = "/admin/dashboard/"
# A figure of the page: where it leads, how much it says, and what about.
FIGURE = re.compile(r'<a href="(/admin/cases/case/\?[^"]+)">([0-9,]+)<span[^>]*>: ([^<]+)</span>')
TILE = re.compile(r'<a href="(/admin/cases/case/\?[^"]+)"><b>([0-9,]+)</b> <span>([^<]+)</span>')
WEEKDAYS = {"Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"}


@pytest.fixture
def office(settings) -> None:
    settings.SLA_TIME_ZONE = "Europe/Berlin"
    fill_office(now())


@pytest.fixture
def leader() -> str:
    """A role that hands out work, and sees no restricted case."""
    role = Group.objects.create(name="leader")
    role.permissions.set(Permission.objects.filter(codename__in=["view_case", "assign_any_case"]))
    return role.name


def figures(answer: Any) -> list[tuple[str, int, str]]:
    content = answer.content.decode()
    return [
        (unescape(url), int(number.replace(",", "")), unescape(about))
        for pattern in (FIGURE, TILE)
        for url, number, about in pattern.findall(content)
    ]


# One that sees every case, as auditor and admin do, and one that does not.
@pytest.mark.parametrize("role", ["supervisor", "leader"])
def test_every_figure_leads_to_a_list_of_just_so_many_cases(log_in, office, leader, role) -> None:
    browser = log_in("somebody", role)

    found = figures(browser.get(DASHBOARD))

    for url, number, about in found:
        listed = browser.get(url)
        assert listed.context["page"].more is None
        assert len(listed.context["page"].cases) == number, about
        assert not listed.context["asked"].form.errors
    said = {about.rpartition(", ")[2] for _, _, about in found}
    assert {"created", "closed", "in time", "late", "Overdue", "Unassigned", "Open"} <= said
    assert {"rob", "rosa", "Nobody", "Under review", "0 to 6 days"} <= said
    assert any(about.partition(" ")[0] in WEEKDAYS for _, _, about in found)


@pytest.mark.parametrize("actor", [SUPERVISOR, AUDITOR, ADMIN], ids=lambda actor: actor.id)
def test_the_figures_are_those_that_the_api_gives(log_in, as_actor, office, actor) -> None:
    told = log_in(actor.id, *actor.roles).get(DASHBOARD).context
    reports = as_actor(actor).get("/cases/reports").json()
    summary = as_actor(actor).get("/cases/summary").json()

    tiles = {label: number for label, number, _, _ in told["tiles"]}
    assert tiles == {
        "Open": summary["total"] - summary["by_status"]["CLOSED"],
        "Overdue": summary["overdue"],
        "Unassigned": summary["unassigned"],
        "Due in 7 days": sum(day["cases"] for day in reports["coming_due"]),
    }
    assert [row.number for row in told["statuses"].rows] == [*summary["by_status"].values()]
    assert [row.number for row in told["coming_due"].rows] == [
        day["cases"] for day in reports["coming_due"]
    ]
    assert [row.number for row in told["ages"].rows] == [
        band["cases"] for band in reports["open_ages"]
    ]
    assert [(row.label, row.number, row.part) for row in told["workloads"].rows] == [
        (load["reviewer_id"], load["open"], load["overdue"]) for load in reports["workloads"]
    ]
    _, _, flow = told["flow"]
    assert [(row.created.number, row.closed.number) for row in reversed(flow)] == [
        (week["created"], week["closed"]) for week in reports["flow"]
    ]
    _, _, kept = told["kept"]
    assert [(row.kept.number, row.missed.number) for row in reversed(kept)] == [
        (week["kept"], week["missed"]) for week in reports["sla_kept"]
    ]
    for row, week in zip(reversed(kept), reports["sla_kept"], strict=True):
        assert {
            of.label.upper(): {"kept": of.kept.number, "missed": of.missed.number}
            for of in row.by_priority
        } == week["by_priority"]
    assert sum(row.kept.number for row in told["kept_by_priority"]) == sum(
        week["kept"] for week in reports["sla_kept"]
    )


def test_a_restricted_case_counts_nowhere_for_a_leader_who_may_not_see_it(
    log_in, leader, office
) -> None:
    browser = log_in("somebody", "leader")
    before = figures(browser.get(DASHBOARD))

    at = now()
    make(created=at, due=at, restricted=True, title="Zinnober")
    make(created=at, due=at, closed=at, restricted=True, title="Zinnober")

    after = browser.get(DASHBOARD)
    assert figures(after) == before
    assert "Zinnober" not in text(after)
    sees = figures(log_in("sue", "supervisor").get(DASHBOARD))
    assert sum(number for _, number, _ in sees) > sum(number for _, number, _ in before)


@pytest.mark.parametrize("actor", [WRITER, REVIEWER, NOBODY], ids=lambda actor: actor.id)
def test_who_does_not_oversee_work_is_refused_and_not_led_there(log_in, actor) -> None:
    browser = log_in(actor.id, *actor.roles)

    assert browser.get(DASHBOARD).status_code == 403
    assert DASHBOARD not in text(browser.get("/admin/"))


def test_an_office_without_a_case_is_told_what_to_do(log_in) -> None:
    shown = text(log_in("sue", "supervisor").get(DASHBOARD))

    assert "There is nothing to draw yet" in shown
    assert '<svg class="columns"' not in shown


def test_each_plot_has_a_heading_a_sentence_and_its_values_as_a_table(log_in, office) -> None:
    content = log_in("sue", "supervisor").get(DASHBOARD).content.decode()

    sections = re.findall(r"<section.*?</section>", content, re.DOTALL)
    assert len(sections) == 7
    for section in sections:
        assert "<h2" in section
        assert re.search(r'<p class="said" id="[a-z-]+">[^<]{10,}', section)
        assert "<table" in section
        assert "<caption" in section
    named = re.findall(r'<svg class="columns".*?role="img" aria-labelledby="(\S+) (\S+)"', content)
    assert len(named) == 2
    for heading, said in named:
        assert f'id="{heading}"' in content
        assert f'id="{said}"' in content


def test_a_reviewer_whose_name_looks_like_html_stays_a_name(log_in, as_actor) -> None:
    name = '<script>alert("rob")</script>&amp;'
    case = CaseFactory(status="SUBMITTED")
    services.assign_reviewer(case_id=case.id, reviewer_id=name, actor=SUPERVISOR)
    browser = log_in("sue", "supervisor")

    answer = browser.get(DASHBOARD)

    assert "<script>alert" not in answer.content.decode()
    [row] = answer.context["workloads"].rows
    assert row.label == name
    assert [one.id for one in browser.get(row.url).context["page"].cases] == [case.id]


@pytest.mark.parametrize("name", ["me", "none"])
def test_a_name_that_the_filter_takes_for_something_else_leads_nowhere_wrong(log_in, name) -> None:
    services.assign_reviewer(
        case_id=CaseFactory(status="SUBMITTED").id, reviewer_id=name, actor=SUPERVISOR
    )

    [row] = log_in("sue", "supervisor").get(DASHBOARD).context["workloads"].rows

    assert (row.label, row.number, row.url) == (name, 1, "")


def test_reviewers_beyond_the_twelfth_are_told_together(log_in) -> None:
    for n in range(15):
        name = f"reviewer-{n:02}"
        for _ in range(2 if n < 12 else 1):
            services.assign_reviewer(
                case_id=CaseFactory(status="SUBMITTED").id, reviewer_id=name, actor=SUPERVISOR
            )

    loads = log_in("sue", "supervisor").get(DASHBOARD).context["workloads"]

    assert [row.number for row in loads.rows] == [2] * 12
    assert loads.rest == "3 more reviewers: 3 cases together."
    assert loads.said.startswith("27 open cases of 15 reviewers")


def test_days_and_weeks_are_those_of_the_office(log_in, settings) -> None:
    settings.SLA_TIME_ZONE = "Pacific/Kiritimati"  # fourteen hours ahead: often tomorrow already
    fill_office(now())
    browser = log_in("sue", "supervisor")

    answer = browser.get(DASHBOARD)

    assert "Days and weeks are those of Pacific/Kiritimati" in text(answer)
    for url, number, about in figures(answer):
        assert len(browser.get(url).context["page"].cases) == number, about
