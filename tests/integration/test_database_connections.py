"""The connections of the service: what stays planned, when they are tested, how times come."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime

import pytest
from django.db import connection
from psycopg import ClientCursor, connect

from cases import selectors
from cases.api.serializers import written
from cases.lifecycle import CaseStatus
from cases.models import Case
from cases.prepared import Prepared
from tests.api import expect
from tests.cast import ADMIN, REVIEWER, WRITER
from tests.factories import CaseFactory
from tests.starts import PROJECT

pytestmark = pytest.mark.usefixtures("committed")


@pytest.fixture
def fresh(settings):
    """Give the test a connection of its own, made by the settings that it asks for."""

    def reconnect(*, prepared: bool) -> None:
        settings.PREPARED_STATEMENTS = prepared
        connection.close()

    yield reconnect
    connection.close()


def kept_by_the_server() -> list[str]:
    with connection.cursor() as cursor:
        cursor.execute("SELECT statement FROM pg_prepared_statements ORDER BY prepare_time")
        return [row[0] for row in cursor.fetchall()]


def test_only_marked_statements_stay_planned_and_from_the_first_time_on(fresh) -> None:
    fresh(prepared=True)
    with connection.cursor() as cursor:
        for _ in range(10):
            cursor.execute("SELECT 1 + %s", [1])
        cursor.execute(Prepared("SELECT 2 + %s"), [1])

    assert kept_by_the_server() == ["SELECT 2 + $1"]


def test_a_read_of_one_case_stays_planned_and_a_list_by_many_filters_does_not(fresh, as_actor):
    fresh(prepared=True)
    case, rob = CaseFactory(), as_actor(REVIEWER)
    for _ in range(7):
        rob.get(f"/cases/{case.id}")
        rob.get("/cases?category=Fees&ordering=due_at")

    kept = kept_by_the_server()
    assert any("WHERE c.id = $" in statement for statement in kept)
    assert not any('category" = ' in statement for statement in kept)


@pytest.mark.parametrize("actor", [ADMIN, WRITER], ids=lambda actor: actor.id)
def test_reads_and_changes_are_planned_a_few_times_and_never_again(fresh, as_actor, actor) -> None:
    """PostgreSQL compares the plans for the first five values with one for any value."""
    fresh(prepared=True)
    case, api = CaseFactory(), as_actor(actor)
    with connection.cursor() as cursor:
        # As where there are many accounts and grants.
        cursor.execute("SET enable_seqscan = off; SET random_page_cost = 8")
    for number in range(12):
        assert api.get(f"/cases/{case.id}").status_code == 200
        assert api.get("/cases").status_code == 200
        changed = api.patch(f"/cases/{case.id}", {"title": f"Late reporting {number}"})
        assert changed.status_code == 200

    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT statement, custom_plans FROM pg_prepared_statements"
            " WHERE generic_plans + custom_plans >= 12"
        )
        planned = dict(cursor.fetchall())
    assert len(planned) >= 6
    assert {statement: times for statement, times in planned.items() if times > 5} == {}


def test_behind_a_pooler_that_cannot_nothing_stays_planned(fresh, as_actor) -> None:
    fresh(prepared=False)
    case = CaseFactory()

    assert as_actor(REVIEWER).get(f"/cases/{case.id}").status_code == 200
    assert kept_by_the_server() == []


def test_a_connection_is_asked_only_after_it_said_something(fresh) -> None:
    fresh(prepared=True)
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        (pid,) = cursor.fetchone()
    parameters = connection.get_connection_params() | {"cursor_factory": ClientCursor}
    with connect(**parameters, autocommit=True) as other:
        last = "SELECT query FROM pg_stat_activity WHERE pid = %s"

        assert connection.is_usable()
        assert other.execute(last, [pid]).fetchone() == ("SELECT pg_backend_pid()",)

        connection.errors_occurred = True
        assert connection.is_usable()
        assert other.execute(last, [pid]).fetchone() == ("SELECT 1",)

        connection.errors_occurred = False
        other.execute("SELECT pg_terminate_backend(%s, 5000)", [pid])
        assert not connection.is_usable()


def test_moments_arrive_in_utc_whichever_way_they_are_read() -> None:
    at = datetime(2027, 3, 1, 9, 30, 0, 120_000, tzinfo=UTC)
    case = CaseFactory(received_at=at)

    assert Case.objects.get().received_at == at
    assert [c.received_at.utcoffset().total_seconds() for c in Case.objects.iterator()] == [0]
    row = selectors.read_case(case.id, REVIEWER)
    whole = selectors.get_case(case.id, REVIEWER)
    assert written(row, []) == written(whole, [])
    assert written(row, [])["received_at"] == "2027-03-01T09:30:00.120000Z"


@contextmanager
def altered(kind: str, *, afterwards: str = "") -> Iterator[None]:
    """Change the type of a column of cases from another session, as a migration does, and back."""
    parameters = connection.get_connection_params() | {"cursor_factory": ClientCursor}
    change = "ALTER TABLE cases ALTER COLUMN category TYPE"
    with connect(**parameters, autocommit=True) as migration:
        with migration.transaction():
            migration.execute(f"{change} {kind}; {afterwards}")
        try:
            yield
        finally:
            connection.close()
            migration.execute(f"{change} varchar(200)")


def test_a_column_may_change_its_type_under_statements_that_stay_planned(fresh, as_actor) -> None:
    fresh(prepared=True)
    case, rob = CaseFactory(status=CaseStatus.UNDER_REVIEW), as_actor(REVIEWER)
    address = f"/cases/{case.id}"
    rob.get(address)
    rob.post(f"{address}/close", {"reason": ""})  # reads it with a lock, in a transaction

    with altered("varchar(250)"):
        assert rob.get(address).status_code == 200
        assert rob.post(f"{address}/close", {"reason": "Resolved"}).status_code == 200


def test_in_the_middle_of_a_transaction_the_caller_is_told_to_try_again_once(fresh, as_actor):
    fresh(prepared=True)
    case, rob = CaseFactory(status=CaseStatus.UNDER_REVIEW), as_actor(REVIEWER)
    address, headers = f"/cases/{case.id}/close", {"idempotency-key": "k"}
    rob.post(address, {"reason": ""}, headers=headers)

    with altered("varchar(250)"):  # the key is looked for first, then the case is read
        first = rob.post(address, {"reason": "Resolved"}, headers=headers)
        second = rob.post(address, {"reason": "Resolved"}, headers=headers)

    expect.refusal(first, 503, "dependency_unavailable", set())
    assert first.headers["Retry-After"] == "5"
    assert second.status_code == 200


def documented() -> str:
    """Return how a migration has guards compiled anew, as the documentation has it."""
    page = (PROJECT / "docs" / "deployment.md").read_text()
    [block] = re.findall(r"^  ```sql\n(.*?)^  ```$", page, re.DOTALL | re.MULTILINE)
    return str(block)


@pytest.mark.parametrize(
    ("afterwards", "expected"),
    [(lambda: "", [503, 200]), (documented, [200, 409])],
    ids=["not compiled anew", "compiled anew"],
)
def test_a_session_whose_guards_were_compiled_for_another_type_is_given_up(
    fresh, as_actor, afterwards, expected
):
    fresh(prepared=True)
    cases = CaseFactory.create_batch(2, status=CaseStatus.UNDER_REVIEW)
    rob = as_actor(REVIEWER)
    rob.post(f"/cases/{cases[0].id}/close", {"reason": "Resolved"})

    with altered("text", afterwards=afterwards()):
        statuses = [
            rob.post(f"/cases/{cases[1].id}/close", {"reason": "Resolved"}).status_code
            for _ in range(2)
        ]

    assert statuses == expected
