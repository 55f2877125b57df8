"""GET /cases/{case_id}/due-date: why a case is due when it is, day by day."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from cases import services
from cases.events import rfc3339
from cases.models import Case
from tests.api import expect
from tests.cast import ADMIN, EVERYBODY, NOBODY, REVIEWER, SUPERVISOR, WRITER
from tests.factories import CaseFactory, UserFactory

pytestmark = pytest.mark.django_db

WHY = {"reason": "Because"}
# The Tuesday before Christmas, nine in the morning in Berlin.
START = datetime(2026, 12, 22, 8, tzinfo=UTC)


@pytest.fixture(autouse=True)
def berlin(settings) -> None:
    settings.SLA_HOLIDAYS, settings.SLA_TIME_ZONE = "DE-BE", "Europe/Berlin"


@pytest.fixture
def case() -> Case:
    """An urgent case, three working days, paused for one of them."""
    fields = {"title": "Late", "priority": "URGENT"}
    made = services.create_case(fields=fields, actor=WRITER, at=START)
    services.submit_case(case_id=made.id, actor=WRITER, at=START)
    key = {"case_id": made.id, "actor": SUPERVISOR}
    services.pause_clock(at=START + timedelta(days=1), **key, **WHY)
    return services.resume_clock(at=START + timedelta(days=2), **key, **WHY)


def explained(client: Any, case_id: str) -> dict[str, Any]:
    answer = client.get(f"/cases/{case_id}/due-date")
    assert answer.status_code == 200, answer.content
    return answer.json()


def test_every_step_and_every_day_is_told(as_actor, case) -> None:
    told = explained(as_actor(REVIEWER), case.id)

    assert told["due_at"] == rfc3339(case.due_at) == "2026-12-29T22:59:59.999999Z"
    assert (told["paused_at"], told["problems"]) == (None, [])
    assert told["calendar"] == {"holidays": "DE-BE", "time_zone": "Europe/Berlin"}
    assert [
        (step["sequence"], step["event_type"], step["due_at"], step["text"])
        for step in told["steps"]
    ] == [
        (
            1, "CASE_SUBMITTED", "2026-12-28T22:59:59.999999Z",
            "3 working days after 2026-12-22, the day of submission, on DE-BE, Europe/Berlin.",
        ),
        (2, "CASE_CLOCK_PAUSED", "2026-12-28T22:59:59.999999Z", "The clock was stopped."),
        (
            3, "CASE_CLOCK_RESUMED", "2026-12-29T22:59:59.999999Z",
            "The pause cost 1 working day, on DE-BE, Europe/Berlin.",
        ),
    ]  # fmt: skip
    assert told["steps"][0]["occurred_at"] == "2026-12-22T08:00:00.000000Z"
    assert [(d["day"], d["kind"], d["number"], d["name"]) for d in told["days"]] == [
        ("2026-12-22", "start", None, ""),
        ("2026-12-23", "paused", None, ""),
        ("2026-12-24", "working_day", 1, ""),
        ("2026-12-25", "holiday", None, "Christmas Day"),
        ("2026-12-26", "weekend", None, ""),
        ("2026-12-27", "weekend", None, ""),
        ("2026-12-28", "working_day", 2, ""),
        ("2026-12-29", "working_day", 3, ""),
    ]


def test_while_the_clock_stands_still_it_says_since_when(as_actor, case) -> None:
    at = START + timedelta(days=3)
    services.pause_clock(case_id=case.id, actor=SUPERVISOR, at=at, **WHY)

    assert explained(as_actor(WRITER), case.id)["paused_at"] == rfc3339(at)


def test_a_case_without_a_due_date_has_nothing_to_explain(as_actor) -> None:
    told = explained(as_actor(WRITER), CaseFactory().id)

    assert (told["due_at"], told["steps"], told["days"], told["problems"]) == (None, [], [], [])


def test_a_case_that_says_something_else_than_its_trail_is_told_as_a_problem(
    as_actor, case
) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        cursor.execute("ALTER TABLE cases DISABLE TRIGGER USER")
        cursor.execute(
            "UPDATE cases SET due_at = due_at + interval '1 day' WHERE id = %s", [case.id]
        )

    [problem] = explained(as_actor(WRITER), case.id)["problems"]

    assert problem == (
        "The case says 2026-12-30 22:59:59.999999+00:00; "
        "its trail says 2026-12-29 22:59:59.999999+00:00."
    )


@pytest.mark.parametrize("actor", [a for a in EVERYBODY if a is not NOBODY], ids=lambda a: a.id)
def test_whoever_may_read_the_case_may_ask(as_actor, case, actor) -> None:
    assert explained(as_actor(actor), case.id)["due_at"] == rfc3339(case.due_at)


def test_who_was_granted_the_case_may_ask_and_nobody_else_without_a_role(as_actor, case) -> None:
    UserFactory(username=NOBODY.id, password=None)
    client = as_actor(NOBODY)
    expect.refusal(client.get(f"/cases/{case.id}/due-date"), 404, "case_not_found", set())

    services.grant_access(case_id=case.id, user=NOBODY.id, permission="view_case", actor=ADMIN)

    assert explained(client, case.id)["days"]


def test_by_token_it_costs_two_statements_and_is_the_same(by_token, case) -> None:
    client = by_token(SUPERVISOR)
    first = explained(client, case.id)

    with CaptureQueriesContext(connection) as captured:
        assert explained(client, case.id) == first

    told = [q["sql"] for q in captured.captured_queries if "audit_events" in q["sql"]]
    assert len(told) == 1


def test_a_case_that_the_actor_may_not_see_has_no_due_date_either(as_actor) -> None:
    case = CaseFactory(status="UNDER_REVIEW", restricted=True)

    for case_id in (case.id, "CASE-999999", "x"):
        answer = as_actor(WRITER).get(f"/cases/{case_id}/due-date")
        expect.refusal(answer, 404, "case_not_found", set())


def test_it_takes_no_parameters(as_actor, case) -> None:
    answer = as_actor(WRITER).get(f"/cases/{case.id}/due-date?day=1")

    expect.refusal(answer, 422, "validation_error", {"day"})


def test_who_is_nobody_is_told_nothing(stranger, case) -> None:
    answer = stranger.get(f"/cases/{case.id}/due-date")

    expect.refusal(answer, 401, "not_authenticated", set())


@pytest.mark.parametrize("prefix", ["", "/v1"])
def test_the_address_is_read_and_written_and_says_so(as_actor, case, prefix) -> None:
    client = as_actor(SUPERVISOR)
    address = f"{prefix}/cases/{case.id}/due-date"

    refused = client.delete(address)
    written = client.post(address, {"due_at": "2027-03-01T12:00:00Z", **WHY})

    expect.refusal(refused, 405, "method_not_allowed", set())
    assert refused["Allow"] == "GET, POST, HEAD, OPTIONS"
    assert written.json()["due_at"] == client.get(address).json()["due_at"]
