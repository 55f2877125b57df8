"""Queues, filters, orders and pages."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from django.urls import reverse
from django.utils.timezone import now

from cases import services
from cases.models import Case
from tests.cast import SUPERVISOR, WRITER
from tests.factories import CaseFactory, UserFactory
from tests.integration.pages import text

pytestmark = pytest.mark.django_db

LIST = "/admin/cases/case/"


def ids(answer) -> list[str]:
    return [case.id for case in answer.context["page"].cases]


@pytest.fixture
def office() -> dict[str, Case]:
    """One case of each kind that a queue is about."""
    late = (now() - timedelta(days=3)).isoformat()
    return {
        "draft": CaseFactory(),
        "waiting": CaseFactory(status="SUBMITTED"),
        "taken": services.assign_reviewer(
            case_id=CaseFactory(status="SUBMITTED").id, reviewer_id="rosa", actor=SUPERVISOR
        ),
        "late": CaseFactory(status="UNDER_REVIEW", due_at=late),
        "escalated": CaseFactory(status="ESCALATED"),
        "closed": CaseFactory(status="CLOSED"),
    }


QUEUES = {
    "mine": {"late", "escalated"},
    "unassigned": {"waiting"},
    "overdue": {"late"},
    "escalated": {"escalated"},
    "submitted": {"waiting", "taken"},
    "drafts": {"draft"},
    "closed": {"closed"},
    "all": {"draft", "waiting", "taken", "late", "escalated", "closed"},
}


@pytest.mark.parametrize("queue", QUEUES)
def test_a_queue_holds_its_cases_and_its_tab_counts_them(log_in, office, queue):
    answer = log_in("rob", "reviewer").get(LIST, {"queue": queue})

    assert set(ids(answer)) == {office[name].id for name in QUEUES[queue]}
    [tab] = [tab for tab in answer.context["tabs"] if tab["current"]]
    assert tab["name"] == queue
    assert tab["number"] == ("" if queue == "all" else str(len(QUEUES[queue])))


@pytest.mark.parametrize(
    ("role", "queue"),
    [("reviewer", "mine"), ("supervisor", "unassigned"), ("case_writer", "drafts"),
     ("auditor", "all"), ("admin", "unassigned")],
)  # fmt: skip
def test_a_role_begins_with_the_queue_that_it_works_from(log_in, role, queue):
    assert log_in("somebody", role).get(LIST).context["asked"].queue == queue


def test_a_queue_that_is_empty_says_what_that_means(log_in):
    assert "Nothing waits for you" in text(log_in("rob", "reviewer").get(LIST))


def test_a_tab_counts_to_99_and_no_further(log_in):
    services.create_cases(rows=[{"title": f"Row {n}"} for n in range(120)], actor=WRITER)

    tabs = {
        tab["name"]: tab["number"] for tab in log_in("rob", "reviewer").get(LIST).context["tabs"]
    }

    assert tabs["drafts"] == "99+"
    assert tabs["mine"] == "0"


@pytest.mark.parametrize(
    ("query", "names"),
    [
        ({"status": ["ESCALATED", "CLOSED"]}, {"escalated", "closed"}),
        ({"priority": "URGENT"}, set()),
        ({"reviewer": "rosa"}, {"taken"}),
        ({"reviewer": "none"}, {"draft", "waiting"}),
        ({"overdue": "on"}, {"late"}),
        ({"overdue": "off", "reviewer": "me"}, {"escalated", "closed"}),
        ({"due_to": "2000-01-01"}, set()),
        ({"created_from": "2000-01-01", "reviewer": "me"}, {"late", "escalated", "closed"}),
    ],
    ids=lambda value: "-".join(value) if isinstance(value, dict) else "",
)
def test_filters_narrow_a_queue_and_are_shown_to_be_taken_away(log_in, office, query, names):
    answer = log_in("rob", "reviewer").get(LIST, {"queue": "all", **query})

    assert set(ids(answer)) == {office[name].id for name in names}
    assert len(answer.context["told"]) == len(query)


@pytest.mark.parametrize(
    ("query", "names"),
    [
        ({"paused": "on"}, {"paused"}),
        ({"paused": "off"}, {"kept", "missed"}),
        ({"closed_in_time": "on"}, {"kept"}),
        ({"closed_in_time": "off"}, {"missed"}),
    ],
    ids=lambda value: "-".join(value.values()) if isinstance(value, dict) else "",
)
def test_a_no_asks_for_something_too(log_in, query, names):
    cases = {
        "paused": CaseFactory(status="SUBMITTED", paused=True),
        "kept": CaseFactory(status="CLOSED", due_at=(now() + timedelta(days=1)).isoformat()),
        "missed": CaseFactory(status="CLOSED", due_at=(now() - timedelta(days=1)).isoformat()),
    }

    answer = log_in("rob", "reviewer").get(LIST, {"queue": "all", **query})

    assert set(ids(answer)) == {cases[name].id for name in names}
    [(_, label, value)] = answer.context["asked"].form.told()
    assert label in ("Clock paused", "Closed in time")
    assert value == {"on": "yes", "off": "no"}[next(iter(query.values()))]


def test_a_day_of_a_filter_is_one_of_the_office_s(log_in, settings):
    settings.SLA_TIME_ZONE = "America/New_York"
    before = services.create_case(  # 23:30 of the 24th in New York
        fields={"title": "x"}, actor=WRITER, at=datetime(2026, 11, 25, 4, 30, tzinfo=UTC)
    )
    after = services.create_case(
        fields={"title": "x"}, actor=WRITER, at=datetime(2026, 11, 25, 5, 30, tzinfo=UTC)
    )
    browser = log_in("rob", "reviewer")

    def created(**query: str) -> list[str]:
        return ids(browser.get(LIST, {"queue": "all", **query}))

    assert created(created_to="2026-11-24") == [before.id]
    assert created(created_from="2026-11-25") == [after.id]


def test_a_queue_s_own_rule_cannot_be_filtered_away(log_in, office):
    answer = log_in("rob", "reviewer").get(LIST, {"queue": "escalated", "status": "CLOSED"})

    assert ids(answer) == [office["escalated"].id]
    assert "status" not in answer.context["asked"].form.fields


def test_a_filter_that_is_none_is_said_at_its_field_and_narrows_nothing(log_in, office):
    answer = log_in("rob", "reviewer").get(LIST, {"queue": "all", "due_from": "someday"})

    assert len(ids(answer)) == len(office)
    assert "due_from" in answer.context["asked"].form.errors
    assert "errorlist" in text(answer)


def test_words_are_searched_as_the_api_does(log_in):
    found = CaseFactory(title="Whistleblower on late reporting")
    CaseFactory(title="Something else")

    answer = log_in("rob", "reviewer").get(LIST, {"queue": "all", "search": "late whist"})

    assert ids(answer) == [found.id]


@pytest.mark.parametrize("typed", ["{id}", "{number}", "case-{number}", " {id} "])
def test_the_id_of_a_case_leads_to_it(log_in, typed):
    case = CaseFactory()
    search = typed.format(id=case.id, number=case.id.removeprefix("CASE-"))

    answer = log_in("rob", "reviewer").get(LIST, {"search": search})

    assert answer["Location"] == reverse("admin:cases_case_change", args=[case.id])


def test_an_order_is_kept_for_the_person_and_the_queue_that_it_was_chosen_for(log_in, client):
    browser = log_in("rob", "reviewer")

    browser.post(f"{LIST}?queue=all", {"ordering": "priority"})
    browser.post(f"{LIST}?queue=all", {"ordering": "-priority"})
    client.logout()
    client.force_login(UserFactory._meta.model.objects.get(username="rob"))

    assert browser.get(LIST, {"queue": "all"}).context["asked"].ordering.name == "-priority"
    assert browser.get(LIST, {"queue": "mine"}).context["asked"].ordering.name == "due_at"
    other = log_in("rosa", "reviewer")
    assert other.get(LIST, {"queue": "all"}).context["asked"].ordering.name == "-created_at"


# Lists of open cases alone are ordered by an index of their own.
@pytest.mark.parametrize("queue", ["all", "drafts"])
@pytest.mark.parametrize(
    "ordering", ["due_at", "-due_at", "priority", "-priority", "created_at", "-updated_at"]
)
def test_pages_lead_through_every_case_once_and_back_again(log_in, ordering, queue):
    priorities = ("LOW", "NORMAL", "HIGH", "URGENT")
    services.create_cases(
        rows=[
            {
                "title": f"Row {n}",
                "priority": priorities[n % 4],
                "due_at": None if n % 3 else now() + timedelta(days=n % 7),
            }
            for n in range(120)
        ],
        actor=WRITER,
    )
    browser = log_in("rob", "reviewer")
    browser.post(f"{LIST}?queue={queue}", {"ordering": ordering})
    pages, query = [], f"queue={queue}"
    while query is not None:
        answer = browser.get(f"{LIST}?{query}")
        pages.append(ids(answer))
        query = answer.context["page"].more
    back = browser.get(f"{LIST}?{answer.context['page'].back}")
    first = browser.get(f"{LIST}?{back.context['page'].back}")

    assert [len(one) for one in pages] == [50, 50, 20]
    assert len({case_id for one in pages for case_id in one}) == 120
    assert (ids(back), ids(first)) == (pages[1], pages[0])
    assert first.context["page"].back is None
    assert first.context["page"].more is not None
