"""What a page of the back office costs: at most 15 statements, log-in and permissions included."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.auth.models import Group, Permission, User
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils.timezone import now

from cases import selectors, services
from cases.admin.lists import read_address
from cases.admin.queues import QUEUES
from cases.models import Case, CaseQuerySet
from cases.policies import Actor
from cases.reviewers import candidates
from tests.cast import ADMIN, ALLROUNDER, AUDITOR, NOBODY, REVIEWER, SUPERVISOR, WRITER
from tests.factories import CaseFactory, UserFactory
from tests.office_at_work import fill_office
from tests.performance.test_list_plans import AT, ROB, office, plan_of, scanned, walk
from tests.performance.test_query_plans import explain, kinds
from tests.performance.test_statement_counts import statements

__all__ = ["office"]  # the fixture
pytestmark = pytest.mark.django_db

MOST = 15
LIST = "/admin/cases/case/"


@pytest.fixture
def browser_of():
    def browser(actor: Actor) -> Client:
        client = Client()
        client.force_login(UserFactory(username=actor.id, roles=sorted(actor.roles)))
        return client

    return browser


def cost(browser: Client, address: str) -> list[str]:
    sql = statements(lambda: browser.get(address), status=200)
    assert not [one for one in sql if "COUNT(*)" in one and "LIMIT" not in one], "\n".join(sql)
    return sql


@pytest.mark.parametrize("actor", [REVIEWER, SUPERVISOR, AUDITOR], ids=lambda actor: actor.id)
def test_every_queue_costs_the_same_for_1_and_for_200_cases(browser_of, actor) -> None:
    browser = browser_of(actor)
    CaseFactory(status="SUBMITTED")
    few = {name: len(cost(browser, f"{LIST}?queue={name}")) for name in QUEUES}

    cases = services.create_cases(rows=[{"title": f"Row {n}"} for n in range(199)], actor=WRITER)
    services.submit_cases(cases=cases, actor=WRITER)
    services.grant_access(
        case_id=cases[3].id, user=actor.id, permission="view_case", actor=SUPERVISOR
    )
    many = {name: cost(browser, f"{LIST}?queue={name}") for name in QUEUES}

    assert max(map(len, many.values())) <= MOST, many
    # Reviewers to choose from are read only where there is a case to give them.
    assert all(abs(len(many[name]) - few[name]) <= 1 for name in QUEUES)


@pytest.mark.parametrize(
    "query", ["search=row", "priority=HIGH&category=x", "search=row&reviewer=none&overdue=on"]
)
def test_filters_and_words_cost_at_most_15(browser_of, query) -> None:
    services.create_cases(rows=[{"title": f"Row {n}"} for n in range(120)], actor=WRITER)

    assert len(cost(browser_of(SUPERVISOR), f"{LIST}?queue=all&{query}")) <= MOST


@pytest.mark.parametrize("actor", [REVIEWER, SUPERVISOR], ids=lambda actor: actor.id)
def test_a_case_costs_at_most_15_however_much_happened_on_it(browser_of, actor) -> None:
    case = CaseFactory(status="ESCALATED")
    browser = browser_of(actor)
    few = len(cost(browser, f"{LIST}{case.id}/change/"))
    UserFactory(username="grace")
    for n in range(30):
        services.add_note(case_id=case.id, body=f"Note {n}", actor=actor)
    for permission in ("view_case", "add_note"):
        services.grant_access(
            case_id=case.id, user="grace", permission=permission, actor=SUPERVISOR
        )

    many = cost(browser, f"{LIST}{case.id}/change/")

    assert len(many) == few <= MOST, "\n".join(many)


@pytest.mark.parametrize("page", ["assign", "start-review", "set-due-date", "grant-access"])
def test_the_form_of_an_action_costs_at_most_15(browser_of, page) -> None:
    for n in range(8):
        UserFactory(username=f"reviewer-{n}", roles=["reviewer"])
    case = CaseFactory(status="SUBMITTED")

    browser = browser_of(SUPERVISOR)

    # The open work of those who are suggested is counted to its end: see the plan below.
    sql = statements(lambda: browser.get(f"{LIST}{case.id}/{page}/"), status=200)

    assert len(sql) <= MOST, "\n".join(sql)


@pytest.mark.parametrize("actor", [SUPERVISOR, REVIEWER], ids=lambda actor: actor.id)
def test_the_work_of_those_who_are_suggested_is_counted_without_reading_every_case(
    office, actor
) -> None:
    accounts = User.objects.filter(username__in=[f"reviewer-{n}" for n in range(20)])
    Group.objects.get(name="reviewer").user_set.add(*accounts)
    case = Case.objects.filter(status="SUBMITTED", restricted=False)[0]

    with CaptureQueriesContext(connection) as captured:
        found = candidates(case.id, actor)

    assert sum(one.open for one in found) > 100
    [counting] = [q["sql"] for q in captured.captured_queries if "COUNT(*)" in q["sql"]]
    plan = explain(counting.replace("%", "%%"), None)
    assert scanned(plan) == set(), kinds(plan)


def test_the_page_of_tables_costs_at_most_15(browser_of) -> None:
    assert len(cost(browser_of(SUPERVISOR), "/admin/tables/")) <= MOST


PEOPLE = [WRITER, REVIEWER, SUPERVISOR, AUDITOR, ADMIN, ALLROUNDER, NOBODY]
OVERVIEWS = [("/admin/", actor) for actor in PEOPLE] + [
    ("/admin/dashboard/", actor) for actor in (SUPERVISOR, AUDITOR, ADMIN)
]


@pytest.mark.parametrize(
    ("address", "actor"), OVERVIEWS, ids=[f"{actor.id}{path}" for path, actor in OVERVIEWS]
)
def test_an_overview_costs_at_most_15_however_much_there_is(browser_of, address, actor) -> None:
    browser = browser_of(actor)
    empty = len(statements(lambda: browser.get(address), status=200))
    fill_office(now())

    full = statements(lambda: browser.get(address), status=200)

    assert len(full) <= MOST, "\n".join(full)
    # No queue is read that is known to be empty.
    assert len(full) - 7 <= empty <= len(full)


@pytest.mark.parametrize("address", ["/admin/", "/admin/dashboard/"])
@pytest.mark.parametrize("role", ["auditor", "leader"])
def test_an_overview_reads_no_table_of_cases_from_end_to_end(office, address, role) -> None:
    """A leader hands out work, and sees no restricted case but what was granted."""
    leader = Group.objects.create(name="leader")
    leader.permissions.set(
        Permission.objects.filter(codename__in=["view_case", "assign_any_case", "close_case"])
    )
    account = User.objects.get(username="reviewer-400")
    account.is_staff = True
    account.save()
    account.groups.set(Group.objects.filter(name=role))
    browser = Client()
    browser.force_login(account)

    with CaptureQueriesContext(connection) as captured:
        assert browser.get(address).status_code == 200

    about_cases = [q["sql"] for q in captured.captured_queries if 'FROM "cases"' in q["sql"]]
    assert len(about_cases) >= 5
    for sql in about_cases:
        plan = explain(sql.replace("%", "%%"), None)
        assert scanned(plan) == set(), (sql, kinds(plan))


def test_carrying_an_action_out_costs_at_most_15_the_key_of_its_form_included(browser_of) -> None:
    case = CaseFactory(status="SUBMITTED")
    browser = browser_of(SUPERVISOR)
    sent = {
        "form_key": "01890a5d-ac96-774b-bcce-b302099a8057", "expected_version": case.version,
        "reason": "Waiting",
    }  # fmt: skip

    sql = statements(lambda: browser.post(f"{LIST}{case.id}/pause/", sent), status=302)

    assert len(sql) <= MOST, "\n".join(sql)


def first_page(name: str, actor: Actor) -> CaseQuerySet:
    queue = QUEUES[name]
    wanted = queue.holds(actor, AT)
    asked: Any = read_address(
        _query(f"queue={name}"), actor=actor, at=AT, first=name, remembered={}
    )
    return selectors.visible_cases(actor, wanted, at=AT).order_by(*asked.ordering.terms())[:51]


def _query(text: str) -> Any:
    from django.http import QueryDict  # noqa: PLC0415 (after Django is up)

    return QueryDict(text)


@pytest.mark.parametrize("name", QUEUES)
def test_no_queue_reads_a_table_from_end_to_end(office, name) -> None:
    for actor in (ROB, Actor(id="reviewer-0", permissions=REVIEWER.permissions), AUDITOR):
        plan = plan_of(first_page(name, actor))

        assert scanned(plan) == set(), (name, actor.id, kinds(walk(plan[0])))


def test_tabs_are_counted_from_indexes_and_no_further_than_shown(office) -> None:
    from django.db import connection  # noqa: PLC0415 (as above)
    from django.test.utils import CaptureQueriesContext  # noqa: PLC0415 (as above)

    lists = {n: (q.holds(ROB, AT), q.counted) for n, q in QUEUES.items() if q.counted}
    with CaptureQueriesContext(connection) as captured:
        numbers = selectors.how_many(ROB, lists, most=99, at=AT)

    [statement] = captured.captured_queries
    assert statement["sql"].count("LIMIT 100") == len(lists)
    assert numbers["submitted"] == 100
    plan = explain(statement["sql"].replace("%", "%%"), None)
    assert scanned(plan) == set(), kinds(plan)
