"""Which index answers which list, on an office of 20,000 cases of very uneven sizes.

Each row would turn red without its index. At a million cases the same plans were looked at by
hand: docs/performance.md.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import connection, transaction
from psycopg import ClientCursor

from cases import reports, selectors
from cases.filters import EVERY_CASE, CaseFilter
from cases.lifecycle import CaseStatus, Priority
from cases.models import ORDERINGS, CaseQuerySet
from cases.models.search import found_one_by_one, hits_anywhere
from cases.policies import Actor
from tests.cast import AUDITOR, REVIEWER, SYSTEM
from tests.performance.load_cases import load
from tests.performance.test_query_plans import explain, indexes, kinds

pytestmark = pytest.mark.django_db

NEW_YEAR = datetime(2020, 1, 1, tzinfo=UTC)
AT = datetime(2026, 11, 1, 12, tzinfo=UTC)
ROB = Actor(id="reviewer-400", permissions=REVIEWER.permissions)
GRANTED = Actor(id="granted-three")
OPEN = frozenset(CaseStatus) - {CaseStatus.CLOSED}
SUBMITTED = frozenset({CaseStatus.SUBMITTED})


def only(**wanted: Any) -> CaseFilter:
    return CaseFilter(**wanted)


# Who asks, for what, in which order; the index that must be in the plan; whether it may sort.
LISTS: list[tuple[Actor, CaseFilter, str, str, bool]] = [
    (AUDITOR, EVERY_CASE, "-created_at", "cases_created", False),
    (ROB, EVERY_CASE, "created_at", "cases_created", False),
    (ROB, EVERY_CASE, "updated_at", "cases_updated", False),
    (ROB, EVERY_CASE, "-updated_at", "cases_updated", False),
    (ROB, EVERY_CASE, "due_at", "cases_due", False),
    (ROB, EVERY_CASE, "-due_at", "cases_due", False),
    (ROB, EVERY_CASE, "priority", "cases_priority", False),
    (ROB, EVERY_CASE, "-priority", "cases_priority", False),
    (AUDITOR, only(statuses=SUBMITTED), "-created_at", "cases_status_created", False),
    (ROB, only(statuses=SUBMITTED), "created_at", "cases_status_created", False),
    (ROB, only(statuses=OPEN), "due_at", "cases_open_due", False),
    (ROB, only(statuses=OPEN), "updated_at", "cases_open_updated", False),
    (ROB, only(overdue=True), "due_at", "cases_open_due", False),
    (ROB, only(category="Category 30"), "-created_at", "cases_category", False),
    (ROB, only(category="Category 40"), "due_at", "cases_category", True),
    (ROB, only(source="embassy"), "-created_at", "cases_source", False),
    (ROB, only(source="embassy"), "-priority", "cases_source", True),
    (ROB, only(reviewer="reviewer-0"), "-created_at", "cases_reviewer", False),
    (ROB, only(reviewer="reviewer-0"), "created_at", "cases_reviewer", False),
    (ROB, only(unassigned=True), "due_at", "cases_open_due", False),
    (ROB, only(priorities=frozenset({Priority.URGENT})), "-priority", "cases_priority", False),
    (
        ROB,
        only(closed_from=NEW_YEAR, closed_to=NEW_YEAR + timedelta(days=2)),
        "-created_at",
        "cases_closed",
        True,
    ),
    (
        ROB,
        only(due_from=NEW_YEAR, due_to=NEW_YEAR + timedelta(days=2)),
        "-created_at",
        "cases_due",
        True,
    ),
    (GRANTED, EVERY_CASE, "-created_at", "cases_pkey", True),
    (GRANTED, only(overdue=True), "due_at", "cases_pkey", True),
]  # fmt: skip


@pytest.fixture(scope="module")
def office(django_db_setup: None, django_db_blocker: Any) -> Iterator[None]:
    """Load the office once, in a transaction that all tests here share and that is undone."""
    with django_db_blocker.unblock():
        # Rows of other tests are gone, but not from the pages of the indexes, whose number decides.
        with connection.cursor() as cursor:
            cursor.execute("TRUNCATE cases, case_words, case_user_permissions CASCADE")
        with transaction.atomic():
            load(connection.connection, 20_000, events=False)
            with connection.cursor() as cursor:
                cursor.execute("ANALYZE cases, case_words, case_user_permissions, auth_user")
                # As in a table that VACUUM has seen, indexes alone can answer.
                cursor.execute(
                    "UPDATE pg_class SET relallvisible = relpages"
                    " WHERE relname IN ('cases', 'case_words', 'case_user_permissions')"
                )
                # As at the start of a transaction; loading had them checked at once.
                cursor.execute("SET CONSTRAINTS ALL DEFERRED")
            yield
            transaction.set_rollback(True)
        # Other tests look at plans too: take away what is left of the rows.
        with connection.cursor() as cursor:
            cursor.execute("VACUUM cases, case_words, case_user_permissions, auth_user")
        connection.close()


def plan_of(cases: CaseQuerySet) -> list[dict[str, Any]]:
    return explain(*cases.query.sql_with_params())


def walk(node: dict[str, Any]) -> list[dict[str, Any]]:
    """Return what goes through the cases, without what looks up the grants on each of them."""
    inner = [n for n in node.get("Plans", ()) if n["Parent Relationship"] in ("Outer", "Inner")]
    return [node, *(below for n in inner for below in walk(n))]


def scanned(plan: list[dict[str, Any]]) -> set[str]:
    """Return our large tables that are read from end to end."""
    tables = {n["Relation Name"] for n in plan if n["Node Type"] in ("Seq Scan", "Sample Scan")}
    return tables & {"cases", "case_words", "case_user_permissions"}


def test_every_list_is_read_from_its_index_and_scans_no_table(office) -> None:
    wrong = []
    for actor, wanted, ordering, index, may_sort in LISTS:
        cases = selectors.visible_cases(actor, wanted, at=AT)
        order = ORDERINGS[ordering]
        order = order.among_open() if wanted.only_open else order
        plan = plan_of(cases.order_by(*order.terms())[:51])
        sorts = {"Sort", "Incremental Sort"} & kinds(walk(plan[0]))
        if index not in indexes(plan) or scanned(plan) or (sorts and not may_sort):
            wrong.append((actor.id, wanted.names(), ordering, indexes(plan), sorts, scanned(plan)))

    assert wrong == []


def test_a_late_page_starts_in_the_index_where_the_cursor_stands(office) -> None:
    places = {
        "-created_at": "(created_at, id) < ('2021-01-01Z', 'CASE-000001')",
        "due_at": "(COALESCE(due_at, 'infinity'::timestamptz), id)"
        " > (COALESCE('2021-01-01Z'::timestamptz, 'infinity'::timestamptz), 'CASE-000001')",
    }
    for ordering, place in places.items():
        cases = selectors.visible_cases(ROB).extra(where=[place])
        plan = plan_of(cases.order_by(*ORDERINGS[ordering].terms())[:51])

        [read] = [n for n in plan if n.get("Relation Name") == "cases"]
        assert "ROW(" in read["Index Cond"], read
        assert "Sort" not in kinds(walk(plan[0]))


def test_words_are_looked_up_case_by_case_or_in_their_index_never_in_all_documents(office) -> None:
    near = selectors.visible_cases(ROB).filter(found_one_by_one("reporting"))
    plan = plan_of(near.order_by(*ORDERINGS["-created_at"].terms())[:51])

    assert {"cases_created", "case_words_pkey"} <= indexes(plan)
    assert scanned(plan) == set()

    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off")  # as case_search_hits has it
        hits = explain(
            "SELECT case_id FROM case_words WHERE document @@ case_search_query('whist')", []
        )
        transaction.set_rollback(True)
    assert indexes(hits) == {"case_words_document"}
    assert hits_anywhere("no such word") == []


def sent_by(work: Callable[[], Any]) -> str:
    """Return the one statement that some work sends, with its values in it."""
    statements: list[str] = []

    def record(execute: Callable[..., Any], sql: str, params: Any, many: bool, context: Any) -> Any:
        statements.append(ClientCursor(connection.connection).mogrify(sql, params))
        return execute(sql, params, many, context)

    with connection.execute_wrapper(record):
        work()
    [statement] = statements
    return statement.replace("%", "%%")


def counted(plan: list[dict[str, Any]]) -> set[str]:
    """Return the indexes that answer without a look at the rows."""
    return {node["Index Name"] for node in plan if node["Node Type"] == "Index Only Scan"}


def test_the_summary_counts_from_indexes_alone(office) -> None:
    plan = explain(sent_by(lambda: selectors.summary(ROB, at=AT)), None)

    assert {"cases_summary", "cases_open_due"} <= counted(plan)


@pytest.mark.parametrize(
    ("report", "index"),
    [
        (reports.coming_due, "cases_open_due"),
        (reports.sla_kept, "cases_closed"),
        (reports.flow, "cases_closed"),
        (reports.open_ages, "cases_open_due"),
        (reports.workloads, "cases_open_due"),
    ],
)
def test_a_report_counts_from_indexes_alone(office, report, index) -> None:
    plan = explain(sent_by(lambda: report(ROB, at=AT)), None)

    assert index in counted(plan)
    assert scanned(plan) == set()


def test_what_is_to_be_marked_overdue_is_found_in_its_own_index(office) -> None:
    def first() -> None:
        selectors.unmarked_overdue(SYSTEM, at=AT, after=None, size=500)

    plan = explain(sent_by(first), None)

    assert indexes(plan) == {"cases_unmarked_due"}
    assert not {"Sort", "Incremental Sort", "Seq Scan"} & kinds(plan)


def test_a_supervisors_inflow_is_counted_from_the_index_of_creation(office) -> None:
    plan = explain(sent_by(lambda: reports.flow(AUDITOR, at=AT)), None)

    assert {"cases_created", "cases_closed"} == counted(plan)
