"""Every filter of the list, alone and together with others, against the rule in plain Python."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.utils.timezone import now

from cases import selectors, services
from cases.filters import CaseFilter
from cases.lifecycle import CaseStatus, closed_in_time, past_due
from cases.models import Case
from tests.api import expect
from tests.cast import AUDITOR, OTHER_REVIEWER, REVIEWER, SUPERVISOR, SYSTEM, WRITER
from tests.factories import CaseFactory

pytestmark = pytest.mark.django_db

PAST = "2026-01-31T09:00:00Z"
FUTURE = "2199-01-01T09:00:00Z"


@pytest.fixture
def office() -> list[Case]:
    """Make some of everything: statuses, priorities, reviewers, due dates, paused clocks."""
    for number, (status, due_at) in enumerate(itertools.product(CaseStatus, (None, PAST, FUTURE))):
        CaseFactory(
            status=status,
            due_at=due_at,
            priority=("LOW", "NORMAL", "HIGH", "URGENT")[number % 4],
            category=("Payments", "Lending", "")[number % 3],
            source=("portal", "letter")[number % 2],
            reviewer=(REVIEWER, OTHER_REVIEWER)[number % 2],
        )
    CaseFactory(status="SUBMITTED", due_at=PAST, paused=True)
    CaseFactory(status="UNDER_REVIEW", due_at=PAST, paused=True)
    case = CaseFactory(status="SUBMITTED")
    services.assign_reviewer(case_id=case.id, reviewer_id="rob", actor=SUPERVISOR)
    case = CaseFactory(status="UNDER_REVIEW", due_at=PAST)
    services.mark_overdue(case_id=case.id, actor=SYSTEM)
    case = CaseFactory(status="ESCALATED", due_at=PAST)
    services.mark_overdue(case_id=case.id, actor=SYSTEM)
    services.pause_clock(case_id=case.id, reason="Waiting", actor=SUPERVISOR)
    # Closed late, after its clock had stood still since a moment in time.
    case = CaseFactory(status="UNDER_REVIEW", due_at=FUTURE)
    services.pause_clock(case_id=case.id, reason="Waiting", actor=SUPERVISOR)
    services.close_case(
        case_id=case.id, reason="Done", actor=REVIEWER, at=datetime(2199, 6, 1, tzinfo=UTC)
    )
    return list(Case.objects.order_by("-created_at", "-id"))


def ids(answer: Any) -> list[str]:
    assert answer.status_code == 200, answer.content
    return [case["id"] for case in answer.json()["results"]]


def late(case: Case) -> bool:
    return (
        case.status != "CLOSED"
        and case.paused_at is None
        and case.due_at is not None
        and case.due_at < now()
    )


MIDDLE = datetime(2100, 1, 1, tzinfo=UTC)
FILTERS: dict[str, Callable[[Case], bool]] = {
    "status=SUBMITTED&status=CLOSED": lambda c: c.status in ("SUBMITTED", "CLOSED"),
    "assigned_reviewer_id=me": lambda c: c.assigned_reviewer_id == "rob",
    "assigned_reviewer_id=rosa": lambda c: c.assigned_reviewer_id == "rosa",
    "assigned_reviewer_id=none": lambda c: c.assigned_reviewer_id is None,
    "priority=URGENT": lambda c: c.priority == "URGENT",
    "priority=LOW&priority=HIGH": lambda c: c.priority in ("LOW", "HIGH"),
    "category=Payments": lambda c: c.category == "Payments",
    "source=letter": lambda c: c.source == "letter",
    "overdue=true": late,
    "overdue=false": lambda c: not late(c),
    "paused=true": lambda c: c.paused_at is not None,
    "paused=false": lambda c: c.paused_at is None,
    "closed_in_time=true": lambda c: closed_in_time(c) is True,
    "closed_in_time=false": lambda c: closed_in_time(c) is False,
    "due_from=2100-01-01T00:00:00Z": lambda c: c.due_at is not None and c.due_at >= MIDDLE,
    "due_to=2100-01-01T00:00:00Z": lambda c: c.due_at is not None and c.due_at < MIDDLE,
    "closed_from=2026-01-01T00:00:00Z": lambda c: c.closed_at is not None,
    "closed_to=2026-01-01T00:00:00Z": lambda c: False,
    "created_from=2026-01-01T00:00:00Z": lambda c: True,
    "created_to=2026-01-01T00:00:00Z": lambda c: False,
    "search=late+reporting": lambda c: True,
    "search=paymen": lambda c: False,
}
SAME_PERIOD = [{"due_fr", "due_to"}, {"closed"}, {"create"}]
PAIRS = list(itertools.combinations(FILTERS, 2))


@pytest.mark.parametrize("query", FILTERS)
def test_a_filter_leaves_what_it_says(as_actor, office, query) -> None:
    answer = as_actor(REVIEWER).get(f"/cases?{query}&limit=200")

    assert ids(answer) == [case.id for case in office if FILTERS[query](case)]


def test_two_filters_leave_what_both_say(as_actor, office) -> None:
    rob = as_actor(REVIEWER)

    for one, other in PAIRS:
        if one.split("=")[0] == other.split("=")[0] or {one[:6], other[:6]} in SAME_PERIOD:
            continue  # one parameter twice, or two ends of a period: told elsewhere
        expected = [c.id for c in office if FILTERS[one](c) and FILTERS[other](c)]
        assert ids(rob.get(f"/cases?{one}&{other}&limit=200")) == expected, (one, other)


def test_the_database_and_the_lifecycle_mean_the_same_by_overdue(office) -> None:
    for at in (now(), datetime(2026, 1, 31, 9, tzinfo=UTC), datetime(2199, 6, 1, tzinfo=UTC)):
        found = selectors.visible_cases(AUDITOR, CaseFilter(overdue=True), at=at)
        others = selectors.visible_cases(AUDITOR, CaseFilter(overdue=False), at=at)

        assert {c.id for c in found} == {c.id for c in office if past_due(c, at)}
        assert {c.id for c in others} == {c.id for c in office if not past_due(c, at)}


@pytest.mark.parametrize("field", ["created", "due", "closed"])
def test_a_period_begins_with_its_first_moment_and_ends_before_its_last(as_actor, field) -> None:
    at = datetime(2026, 3, 1, 12, tzinfo=UTC)
    made = services.create_case(fields={"title": "x", "due_at": at}, actor=WRITER, at=at)
    services.submit_case(case_id=made.id, actor=WRITER, at=at)
    services.start_review(case_id=made.id, reviewer_id="rob", actor=REVIEWER, at=at)
    services.close_case(case_id=made.id, reason="Done", actor=REVIEWER, at=at)
    wanda = as_actor(WRITER)

    def found(begin: int, end: int) -> bool:
        bounds = {
            f"{field}_from": (at + timedelta(microseconds=begin)).isoformat(),
            f"{field}_to": (at + timedelta(microseconds=end)).isoformat(),
        }
        return ids(wanda.get("/cases", bounds)) == [made.id]

    assert found(0, 1)
    assert found(-1, 1)
    assert not found(-1, 0)
    assert not found(1, 2)


def test_a_bound_may_have_any_offset(as_actor) -> None:
    at = datetime(2026, 3, 1, 12, tzinfo=UTC)
    made = services.create_case(fields={"title": "x"}, actor=WRITER, at=at)

    found = as_actor(WRITER).get("/cases?created_from=2026-03-01T13:00:00%2B01:00")
    passed_by = as_actor(WRITER).get("/cases?created_from=2026-03-01T13:00:00.000001%2B01:00")

    assert (ids(found), ids(passed_by)) == ([made.id], [])


SINGLE = (
    "assigned_reviewer_id", "category", "source", "overdue", "paused", "closed_in_time",
    "created_from", "created_to",
    "due_from", "due_to", "closed_from", "closed_to", "search", "ordering", "limit", "cursor",
)  # fmt: skip


@pytest.mark.parametrize("name", SINGLE)
def test_what_takes_one_value_is_refused_with_two(as_actor, name) -> None:
    good = {"overdue": "true", "paused": "true", "closed_in_time": "true"}.get(name, "x")
    good = {"ordering": "due_at", "limit": "5"}.get(name, good)
    good = PAST if name.endswith(("_from", "_to")) else good

    answer = as_actor(WRITER).get("/cases", {name: [good, good]})

    expect.refusal(answer, 422, "validation_error", {name})


@pytest.mark.parametrize(
    ("query", "fields"),
    [
        ("priority=urgent", {"priority"}),
        ("priority=", {"priority"}),
        ("priority=HIGH&priority=HOT", {"priority"}),
        ("overdue=1", {"overdue"}),
        ("overdue=True", {"overdue"}),
        ("overdue=", {"overdue"}),
        ("paused=on", {"paused"}),
        ("closed_in_time=yes", {"closed_in_time"}),
        ("ordering=title", {"ordering"}),
        ("ordering=--created_at", {"ordering"}),
        ("ordering=created_at,id", {"ordering"}),
        ("ordering=", {"ordering"}),
        ("created_from=2026-01-01", {"created_from"}),
        ("created_from=2026-01-01T00:00:00", {"created_from"}),
        ("created_from=2026-01-01T00:00:00+01:00", {"created_from"}),  # a bare plus is a space
        ("due_to=yesterday", {"due_to"}),
        ("due_to=9999-12-31T00:00:00Z", {"due_to"}),
        ("closed_to=", {"closed_to"}),
        ("category=", {"category"}),
        ("category=" + "x" * 201, {"category"}),
        ("source=%00", {"source"}),
        ("source=a%0Ab", {"source"}),
        ("status=DRAFT" + "&status=CLOSED" * 5, {"status"}),
        ("priority=LOW" + "&priority=LOW" * 4, {"priority"}),
        ("due_from=2026-01-01T09:00Z", {"due_from"}),
        ("assigned_reviewer_id=", {"assigned_reviewer_id"}),
        ("assigned_reviewer_id=" + "x" * 151, {"assigned_reviewer_id"}),
        (f"created_from={PAST}&created_to={PAST}", {"created_to"}),
        (f"due_from={FUTURE}&due_to={PAST}", {"due_to"}),
        ("priorty=HIGH&overdue=maybe&ordering=x&colour=red",
         {"priorty", "overdue", "ordering", "colour"}),
    ],
)  # fmt: skip
def test_a_wrong_value_is_refused_by_its_name(as_actor, query, fields) -> None:
    answer = as_actor(WRITER).get(f"/cases?{query}")

    expect.refusal(answer, 422, "validation_error", fields)
