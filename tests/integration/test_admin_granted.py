"""Who holds no role and was granted one case: logs in, finds it, and nothing besides."""

from __future__ import annotations

import pytest
from django.test import Client
from django.urls import reverse

from cases import services
from cases.models import Case, Note
from tests.cast import SUPERVISOR
from tests.factories import CaseFactory, UserFactory
from tests.integration.pages import page, text

# A refusal ends its transaction, so each has one of its own.
pytestmark = pytest.mark.usefixtures("committed")

LIST = "/admin/cases/case/"


@pytest.fixture
def case() -> Case:
    CaseFactory(title="Everybody's matter", status="SUBMITTED")
    CaseFactory(title="Another secret", restricted=True)
    UserFactory(username="grace")
    return given(CaseFactory(title="Hers alone", status="UNDER_REVIEW", restricted=True))


def given(case: Case, permission: str = "view_case") -> Case:
    return services.grant_access(
        case_id=case.id, user="grace", permission=permission, actor=SUPERVISOR
    )


@pytest.fixture
def grace(client, case) -> Client:
    """The browser of Grace, who has logged in by her password."""
    answer = client.post(
        reverse("admin:login"),
        {"username": "grace", "password": "correct horse battery staple", "next": LIST},
    )
    assert (answer.status_code, answer.headers["Location"]) == (302, LIST)
    return client


def test_the_list_holds_that_case_and_no_other(grace, case) -> None:
    answer = grace.get(LIST)

    assert [found.id for found in answer.context["page"].cases] == [case.id]
    assert "Everybody's matter" not in text(answer)
    assert "Another secret" not in text(answer)


@pytest.mark.parametrize("query", ["mine", "unassigned", "overdue", "submitted", "drafts", "all"])
def test_no_queue_shows_or_counts_another(grace, case, query) -> None:
    answer = grace.get(LIST, {"queue": query})

    assert {found.id for found in answer.context["page"].cases} <= {case.id}
    assert {tab["number"] for tab in answer.context["tabs"]} <= {"", "0"}


def test_the_frame_leads_to_the_cases_and_finds_by_id_and_words(grace, case) -> None:
    start = text(grace.get("/admin/"))

    assert f'href="{LIST}"' in start
    assert 'id="find"' in start
    assert grace.get(LIST, {"search": case.id}).headers["Location"] == page(case)
    found = grace.get(LIST, {"queue": "all", "search": "hers"}).context["page"].cases
    assert [one.id for one in found] == [case.id]
    assert not grace.get(LIST, {"queue": "all", "search": "secret"}).context["page"].cases


def test_the_page_shows_the_case_with_its_trail_and_offers_nothing_to_do(grace, case) -> None:
    shown = text(grace.get(page(case)))

    assert "Hers alone" in shown
    assert "started the review" in shown
    assert page(case, "close") not in shown
    assert page(case, "add_note") not in shown


def test_what_was_granted_besides_can_be_done(grace, case) -> None:
    case = given(case, "add_note")

    answer = grace.post(
        page(case, "add_note"), {"body": "I was there.", "expected_version": case.version}
    )

    assert answer.status_code == 302
    assert Note.objects.get().author == "grace"


@pytest.mark.parametrize("name", ["add", "imports", "export", "close", "grant_access"])
def test_nothing_else_can_be_done(grace, case, name) -> None:
    before = case.version
    about = [case.id] if name in ("close", "grant_access") else []
    address = reverse(f"admin:cases_case_{name}", args=about)
    sent = {"title": "x", "reason": "x", "user": "grace", "permission": "close_case"}

    answer = grace.post(address, sent)

    assert answer.status_code in (200, 403)
    assert Case.objects.count() == 3
    assert Case.objects.get(pk=case.id).version == before


def test_other_cases_are_not_there(grace) -> None:
    for other in Case.objects.exclude(title="Hers alone"):
        assert grace.get(page(other)).status_code == 404
        assert grace.get(LIST, {"search": other.id}).status_code == 200


def test_with_the_grant_the_way_in_is_gone(grace, case) -> None:
    services.revoke_access(case_id=case.id, user="grace", permission="view_case", actor=SUPERVISOR)

    assert grace.get(page(case)).status_code == 404
    assert grace.get(LIST).status_code == 403
    assert f'href="{LIST}"' not in text(grace.get("/admin/"))
