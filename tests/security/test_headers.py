"""Headers by which browsers and caches keep what was told from whom it was not told to."""

from __future__ import annotations

from contextlib import closing

import pytest
from django.test import Client

from tests.api.conftest import Caller
from tests.cast import REVIEWER
from tests.factories import CaseFactory, UserFactory

pytestmark = pytest.mark.django_db
PAGES = ["/admin/", "/admin/cases/case/", "/admin/login/", "/docs"]
ANSWERS = [
    "/cases", "/v1/cases", "/nowhere", "/health/live", "/openapi.json", "/static/office/chips.css",
]  # fmt: skip


@pytest.fixture
def browser(client):
    client.force_login(UserFactory(username="ada", is_superuser=True))
    return client


@pytest.mark.parametrize("address", [*PAGES, *ANSWERS])
def test_every_answer_says_how_it_may_be_used(browser, address):
    with closing(browser.get(address)) as answer:  # a file, for one of them
        headers = answer.headers

    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["X-Frame-Options"] == "DENY"
    assert headers["Referrer-Policy"] == "same-origin"
    assert headers["Cross-Origin-Opener-Policy"] == "same-origin"
    assert headers["Cross-Origin-Resource-Policy"] == "same-origin"
    assert "Access-Control-Allow-Origin" not in headers
    assert "X-Powered-By" not in headers


def test_so_does_what_is_refused_before_any_view(db):
    anybody = Client(raise_request_exception=False)
    refused = [
        anybody.get("/admin/?q=%00"),
        anybody.get("/admin/", HTTP_HOST="evil.example"),
        anybody.get("/cases", HTTP_HOST="evil.example"),
        anybody.get("/static/nothing.css"),
    ]

    assert [answer.status_code for answer in refused] == [400, 400, 400, 404]
    for answer in refused:
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert answer.headers["X-Frame-Options"] == "DENY"
        assert answer.headers["Referrer-Policy"] == "same-origin"
        assert answer.headers["Cross-Origin-Resource-Policy"] == "same-origin"
        a_page = answer.headers["Content-Type"].startswith("text/html")
        assert a_page == ("Content-Security-Policy" in answer.headers)


@pytest.mark.parametrize("address", PAGES)
def test_a_page_may_use_nothing_of_the_machine_it_is_shown_on(browser, address):
    features = dict(
        part.strip().split("=")
        for part in browser.get(address).headers["Permissions-Policy"].split(",")
    )

    assert {"camera", "geolocation", "microphone", "usb"} <= {*features}
    assert {*features.values()} == {"()"}


def test_an_answer_of_the_api_is_data_and_says_of_which_kind(browser):
    answer = browser.get("/cases", headers={"Accept": "application/json"})

    assert answer.headers["Content-Type"] == "application/json"
    assert "Permissions-Policy" not in answer.headers


@pytest.mark.parametrize(
    "address",
    ["/admin/", "/admin/tables/", "/admin/cases/case/", "/admin/cases/case/{id}/change/",
     "/admin/cases/case/export/", "/admin/audit/auditevent/", "/admin/auth/user/",
     "/cases", "/cases/{id}", "/v1/cases/{id}", "/cases/{id}/audit-events", "/cases/export.csv",
     "/audit-events/export.jsonl", "/cases/summary", "/cases/CASE-999999"],
)  # fmt: skip
def test_a_browser_with_a_session_stores_nothing_of_a_case(browser, address):
    case = CaseFactory()

    answer = browser.get(address.format(id=case.id))

    assert answer.status_code in (200, 404)
    assert "no-store" in answer.headers["Cache-Control"]


def test_a_program_may_keep_an_answer_and_ask_whether_it_holds(by_token):
    case, rob = CaseFactory(), by_token(REVIEWER)

    first = rob.get(f"/cases/{case.id}")
    again = rob.get(f"/cases/{case.id}", HTTP_IF_NONE_MATCH=first.headers["ETag"])

    assert first.headers["Cache-Control"] == "private, no-cache"
    assert again.status_code == 304


@pytest.mark.parametrize("method", ["TRACE", "TRACK", "CONNECT"])
def test_methods_that_repeat_a_request_are_refused(browser, method):
    for address in ("/admin/login/", "/cases", "/health/live"):
        answer = browser.generic(method, address, headers={"X-Secret": "Xylophon7"})
        assert answer.status_code in (403, 405)
        assert "Xylophon7" not in answer.content.decode()


def test_another_origin_gets_no_permission_by_asking_first(stranger):
    answer = stranger.options(
        "/cases", HTTP_ORIGIN="https://evil.example", HTTP_ACCESS_CONTROL_REQUEST_METHOD="POST"
    )

    assert not {name for name in answer.headers if name.startswith("Access-Control")}


@pytest.mark.parametrize(
    "host", ["evil.example", "localhost.evil.example", "localhost:80@evil", ""]
)
def test_a_host_that_is_not_ours_is_refused(settings, host):
    settings.ALLOWED_HOSTS = ["cases.example.org"]

    for caller in (Client(raise_request_exception=False), Caller()):
        for address in ("/admin/login/", "/cases", "/health/live"):
            assert caller.get(address, HTTP_HOST=host).status_code == 400, address
