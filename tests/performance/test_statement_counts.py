"""How many SQL statements a request costs, authentication included, BEGIN and COMMIT not."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from cases import services
from tests.cast import AUDITOR, NOBODY, REVIEWER, SUPERVISOR, WRITER
from tests.factories import CaseFactory, UserFactory

pytestmark = pytest.mark.django_db

FRAME = ("BEGIN", "COMMIT", "SAVEPOINT", "RELEASE SAVEPOINT", "ROLLBACK")


def statements(work: Callable[[], Any], *, status: int) -> list[str]:
    """Return the SQL of a request that must have been answered with this status."""
    with CaptureQueriesContext(
        connection,
    ) as captured:
        answer = work()
    assert answer.status_code == status, answer.content
    return [q["sql"] for q in captured.captured_queries if not q["sql"].startswith(FRAME)]


TRANSITIONS = [
    pytest.param("DRAFT", WRITER, "submit", None, id="submit"),
    pytest.param("SUBMITTED", REVIEWER, "start-review", {"reviewer_id": "rob"}, id="start-review"),
    pytest.param("UNDER_REVIEW", REVIEWER, "escalate", {"reason": "x"}, id="escalate"),
    pytest.param("UNDER_REVIEW", REVIEWER, "close", {"reason": "x"}, id="close"),
    pytest.param("SUBMITTED", SUPERVISOR, "assign", {"reviewer_id": "rosa"}, id="assign"),
    pytest.param("SUBMITTED", SUPERVISOR, "pause", {"reason": "x"}, id="pause"),
]


@pytest.mark.parametrize(("status", "actor", "path", "body"), TRANSITIONS)
def test_a_transition_costs_at_most_6_statements(as_actor, status, actor, path, body) -> None:
    case = CaseFactory(status=status)
    api = as_actor(actor)

    sql = statements(lambda: api.post(f"/cases/{case.id}/{path}", body), status=200)

    assert len(sql) <= 6, "\n".join(sql)


@pytest.mark.parametrize("key", [{}, {"HTTP_IDEMPOTENCY_KEY": "k1"}], ids=["plain", "with a key"])
@pytest.mark.parametrize(("status", "actor", "path", "body"), TRANSITIONS)
def test_by_token_a_transition_costs_at_most_7(by_token, status, actor, path, body, key) -> None:
    case = CaseFactory(status=status)
    api = by_token(actor)

    sql = statements(lambda: api.post(f"/cases/{case.id}/{path}", body, **key), status=200)

    assert len(sql) <= 5 + 2 * len(key), "\n".join(sql)


def test_a_creation_costs_at_most_5_statements(as_actor) -> None:
    api = as_actor(WRITER)

    sql = statements(lambda: api.post("/cases", {"title": "Late reporting"}), status=201)

    assert len(sql) <= 5, "\n".join(sql)


def test_a_note_costs_one_statement_more_than_a_transition(as_actor) -> None:
    case = CaseFactory()
    api = as_actor(WRITER)

    sql = statements(lambda: api.post(f"/cases/{case.id}/notes", {"body": "x"}), status=201)

    assert len(sql) <= 7, "\n".join(sql)


@pytest.mark.parametrize(
    "actor", [WRITER, AUDITOR, NOBODY], ids=["writer", "auditor", "no-role-but-grants"]
)
def test_a_list_costs_the_same_for_1_and_for_200_cases_with_grants(as_actor, actor) -> None:
    UserFactory(username=actor.id, password=None)
    cases = services.create_cases(rows=[{"title": f"Row {n}"} for n in range(450)], actor=WRITER)
    for case in cases[::3]:
        for permission in ("view_case", "add_note"):
            services.grant_access(
                case_id=case.id, user=actor.id, permission=permission, actor=SUPERVISOR
            )
    api = as_actor(actor)

    one = statements(lambda: api.get("/cases?limit=1"), status=200)
    first = statements(lambda: api.get("/cases?limit=100"), status=200)
    page = api.get("/cases?limit=100").json()
    second = statements(lambda: api.get(page["next"]), status=200)

    assert len(page["results"]) == 100
    assert len(one) == len(first) == len(second) <= 2
    assert not any("COUNT(" in sql for sql in [*one, *first, *second])


def test_a_case_and_its_trail_are_read_in_few_statements(as_actor) -> None:
    case = CaseFactory(status="CLOSED")
    api = as_actor(AUDITOR)

    detail = statements(lambda: api.get(f"/cases/{case.id}"), status=200)
    trail = statements(lambda: api.get(f"/cases/{case.id}/audit-events"), status=200)

    assert (len(detail), len(trail)) == (2, 3)


def test_a_batch_costs_the_same_for_10_and_for_1000_cases() -> None:
    def cost(size: int) -> int:
        rows = [{"title": f"Row {n}"} for n in range(size)]
        with CaptureQueriesContext(connection) as captured:
            cases = services.create_cases(rows=rows, actor=WRITER)
            services.submit_cases(cases=cases, actor=WRITER)
        return len([q for q in captured if not q["sql"].startswith(FRAME)])

    # With one of them for the table of working days.
    assert cost(10) == cost(1000) == 8


@pytest.mark.parametrize(
    ("query", "most"), [("", 2), ("&ordering=-priority&overdue=false", 2), ("&search=row", 4)]
)
def test_a_list_of_200_costs_a_reviewer_the_same_on_every_page(by_token, query, most) -> None:
    rob, url, costs = by_token(REVIEWER), f"/cases?limit=200{query}", []
    cases = services.create_cases(rows=[{"title": f"Row {n}"} for n in range(500)], actor=WRITER)
    services.grant_access(case_id=cases[3].id, user="rob", permission="view_case", actor=SUPERVISOR)

    while url:
        costs.append(len(statements(lambda: rob.get(url), status=200)))  # noqa: B023 (called at once)
        url = rob.get(url).json()["next"]

    assert len(costs) == 3
    assert max(costs) <= most
