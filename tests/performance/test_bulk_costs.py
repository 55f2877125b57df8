"""What imports and work on many cases at once cost: pages at most 15 statements, a part 20."""

from __future__ import annotations

import pytest
from django.test import Client

from cases.admin import imports
from cases.models import UploadedRegister
from cases.policies import Actor
from tests.cast import SUPERVISOR, WRITER
from tests.factories import CaseFactory, UserFactory
from tests.integration.uploads import address, begin, choose, register, the_upload, upload
from tests.performance.test_statement_counts import statements

pytestmark = pytest.mark.django_db

MOST = 15
LIST = "/admin/cases/case/"


def browser_of(actor: Actor) -> Client:
    browser = Client()
    browser.force_login(UserFactory(username=actor.id, roles=sorted(actor.roles)))
    return browser


def cost(browser: Client, page: str) -> int:
    sql = statements(lambda: browser.get(page), status=200)
    assert not [one for one in sql if "COUNT(*)" in one], "\n".join(sql)
    return len(sql)


@pytest.fixture
def uploaded() -> tuple[Client, UploadedRegister]:
    """A register of three parts, whose columns are chosen."""
    browser = browser_of(WRITER)
    upload(browser, register(*(f"R-{n},{'' if n % 5 else 'Late'},," for n in range(1_200))))
    one = the_upload()
    choose(browser, one)
    return browser, one


def test_the_pages_of_an_import_cost_at_most_15_however_many_rows_it_has(uploaded) -> None:
    browser, one = uploaded

    for page in ("/admin/cases/case/import/", address(one), f"{address(one)}?columns"):
        assert cost(browser, page) <= MOST, page
    begin(browser, one)
    assert cost(browser, address(one)) <= MOST


def test_a_part_is_loaded_in_at_most_20_statements_however_many_rows_it_has(
    uploaded, monkeypatch
) -> None:
    browser, one = uploaded
    monkeypatch.setattr(imports, "SECONDS", 0)

    sql = statements(lambda: browser.post(address(one), {"do": "begin"}), status=302)

    assert len(sql) <= 20, "\n".join(sql)


def test_the_results_of_many_cases_cost_at_most_15() -> None:
    UserFactory(username="rosa", roles=["reviewer"])
    cases = [CaseFactory(status="SUBMITTED") for _ in range(12)]
    browser = browser_of(SUPERVISOR)
    chosen = [f"{case.id}:{case.version}" for case in cases]

    for do in ("assign", "export"):
        sent = {"do": do, "chosen": chosen, "reviewer_id": "rosa"}
        answer = browser.post(LIST, sent)
        assert cost(browser, answer["Location"]) <= MOST
