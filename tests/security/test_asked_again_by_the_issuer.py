"""Who came by single sign-on proves it by the issuer, which has to say when it asked."""

from __future__ import annotations

import time
from urllib.parse import parse_qs, urlsplit

import pytest
from django.contrib.auth.models import Permission, User
from django.test import Client

from tests.integration.pages import text
from tests.integration.single_sign_on import BEGIN, configured, issuer, log_in

__all__ = ["configured", "issuer"]  # the fixtures
pytestmark = pytest.mark.django_db
TOKENS = "/admin/config/apitoken/add/"
AGAIN = "/admin/again/"
TO_TOKENS = f"{BEGIN}?next={TOKENS}"


@pytest.fixture
def browser(issuer) -> Client:
    """Rob may make API tokens; the issuer does not say when it asked for his password."""
    browser = Client()
    log_in(browser)
    rob = User.objects.get(username="rob")
    rob.user_permissions.add(Permission.objects.get(codename="add_apitoken"))
    return browser


def is_asked(browser: Client) -> bool:
    answer = browser.get(TOKENS)
    return answer.status_code == 302 and answer.headers["Location"].startswith(AGAIN)


def query_of(answer) -> dict[str, list[str]]:
    return parse_qs(urlsplit(answer.headers["Location"]).query)


def test_only_who_is_logged_in_already_has_to_prove_it_at_the_issuer(browser):
    first, again = query_of(Client().get(BEGIN)), query_of(browser.get(BEGIN))

    assert {"prompt", "max_age"}.isdisjoint(first)
    assert (again["prompt"], again["max_age"]) == (["login"], ["0"])


def test_a_log_in_by_a_session_of_the_issuer_proves_nothing_until_it_has_asked(browser):
    assert is_asked(browser)

    answer = log_in(browser, TO_TOKENS)

    assert answer.headers["Location"] == TOKENS
    assert not is_asked(browser)


@pytest.mark.parametrize(("ago", "asked"), [(5, False), (899, False), (901, True), (9e9, True)])
def test_what_the_issuer_asked_at_the_log_in_holds_a_quarter_of_an_hour(
    browser, issuer, ago, asked
):
    issuer.in_id_token = {"auth_time": time.time() - ago}
    again = Client()

    log_in(again)

    assert is_asked(again) is asked


NOT_NOW = {
    "nothing": None,
    "1970": 0,
    "yes": True,
    "a word": "now",
    "a list": [1],
    "no number": float("nan"),
    "for ever": float("inf"),
    "far ahead": 10**400,
    "long ago": -(10**400),
    "in the year 2100": 4_102_444_800,
}


@pytest.mark.parametrize("told", NOT_NOW.values(), ids=NOT_NOW)
def test_an_issuer_that_does_not_say_that_it_has_just_asked_proves_nothing(browser, issuer, told):
    issuer.in_id_token = {"auth_time": told}

    answer = log_in(browser, TO_TOKENS)

    assert answer.status_code == 302
    page = text(browser.get(answer.headers["Location"], follow=True))
    assert "The issuer does not say that it has just asked you who you are (auth_time)" in page
    assert is_asked(browser)
    assert browser.get("/admin/cases/case/").status_code == 200  # all else goes on
