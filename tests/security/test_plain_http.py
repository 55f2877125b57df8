"""Who comes without TLS in production: people are led to it, programs are refused."""

from __future__ import annotations

import pytest
from django.test import Client

from tests.api import expect

pytestmark = pytest.mark.django_db
HTML = {"Accept": "text/html,*/*;q=0.8"}


@pytest.fixture(autouse=True)
def _encrypted(settings):
    settings.SECURE_SSL_REDIRECT = True
    settings.ALLOWED_HOSTS = ["cases.example.org"]


@pytest.fixture
def plain():
    return Client(raise_request_exception=False, SERVER_NAME="cases.example.org")


def test_a_program_is_refused_and_nothing_leads_its_token_on(plain):
    token = {"Authorization": "Bearer rcm_x"}
    for method, address, headers in (
        ("get", "/cases", {}),
        ("post", "/v1/cases", {}),
        ("get", "/cases", token | HTML),
        ("post", "/cases", HTML),
        ("post", "/admin/login/", HTML),
        ("get", "/openapi.json", {}),
        ("get", "/nowhere", {}),
    ):
        answer = getattr(plain, method)(address, headers=headers)
        expect.refusal(answer, 403, "https_required", set())
        assert "Location" not in answer.headers
        assert answer.headers["X-Content-Type-Options"] == "nosniff"


def test_a_browser_is_led_to_the_same_page(plain):
    for address in ("/", "/admin/", "/admin/cases/case/?q=a%20b", "/docs", "/cases"):
        answer = plain.get(address, headers=HTML)
        assert (answer.status_code, answer.content) == (301, b"")
        assert answer.headers["Location"] == f"https://cases.example.org{address}"
    # Those who look whether a site does this ask for nothing special.
    assert plain.get("/").status_code == plain.head("/admin/").status_code == 301


def test_it_is_led_to_no_host_of_others_and_probes_and_scrapes_are_answered(plain):
    answer = plain.get("/admin/", headers=HTML, HTTP_HOST="evil.example")

    assert (answer.status_code, "Location" in answer.headers) == (400, False)
    assert plain.get("/health/live").status_code == plain.get("/metrics").status_code == 200
    assert plain.get("/cases", secure=True).status_code == 401
