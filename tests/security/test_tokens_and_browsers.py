"""A bearer token needs no session: what is left out for it, and where nothing is left out."""

from __future__ import annotations

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from cases import services
from tests.cast import NOBODY, REVIEWER, SUPERVISOR
from tests.factories import CaseFactory, UserFactory

pytestmark = pytest.mark.django_db


def test_a_request_by_token_reads_no_session_even_with_a_cookie(by_token) -> None:
    case, rob = CaseFactory(), by_token(REVIEWER)
    browser = Client()
    browser.force_login(UserFactory(is_superuser=True))
    rob.cookies = browser.cookies

    with CaptureQueriesContext(connection) as caught:
        answer = rob.get(f"/cases/{case.id}")

    assert answer.status_code == 200
    assert not any("django_session" in q["sql"] for q in caught)


def test_a_bad_token_is_refused_even_beside_a_good_session() -> None:
    browser = Client()
    browser.force_login(UserFactory(is_superuser=True))
    assert browser.get("/cases").status_code == 200

    refused = browser.get("/cases", headers={"Authorization": "Bearer rcm_" + "0" * 64})

    assert refused.status_code == 401


def test_the_back_office_knows_its_sessions_whatever_a_proxy_sends_along() -> None:
    browser = Client(headers={"Authorization": "Bearer of-the-proxy"})
    browser.force_login(UserFactory(is_superuser=True))

    assert browser.get("/admin/").status_code == 200


def test_a_grant_counts_for_a_token_from_the_next_request_on_and_no_longer_than_it_lasts(by_token):
    case, guest = CaseFactory(restricted=True), by_token(NOBODY)
    access = {"case_id": case.id, "user": NOBODY.id, "permission": "view_case"}

    def listed() -> list[str]:
        return [found["id"] for found in guest.get("/cases").json()["results"]]

    assert listed() == []
    services.grant_access(**access, actor=SUPERVISOR)
    assert listed() == [case.id]
    assert guest.get("/cases/summary").json()["by_status"]["DRAFT"] == 1
    services.revoke_access(**access, actor=SUPERVISOR)
    assert listed() == []
    assert guest.get("/cases/summary").json()["by_status"]["DRAFT"] == 0
