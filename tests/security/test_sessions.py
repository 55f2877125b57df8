"""Sessions of the back office: when they begin and end, and what their cookie is worth then."""

from __future__ import annotations

import time
from datetime import timedelta

import pytest
from django.contrib.sessions.models import Session
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils.timezone import now

from tests.factories import UserFactory

pytestmark = pytest.mark.django_db
RIGHT = "correct horse battery staple"
START = "/admin/tables/"


@pytest.fixture
def rob():
    return UserFactory(username="rob", roles=["admin"], is_superuser=True)


@pytest.fixture
def browser(client, rob):
    sent = {"username": "rob", "password": RIGHT}
    assert client.post("/admin/login/", sent).status_code == 302
    return client


def opens(browser: Client) -> bool:
    return browser.get(START).status_code == 200


def with_cookie(value: str) -> Client:
    thief = Client()
    thief.cookies["sessionid"] = value
    return thief


def let_pass(browser: Client, **time_: float) -> None:
    """Let time pass, in which nothing was asked for."""
    session = browser.session
    gone = timedelta(**time_)
    for name in ("ends_at", "seen_at"):
        session[name] -= gone.total_seconds()
    session.save()
    row = Session.objects.filter(pk=session.session_key)
    row.update(expire_date=row.get().expire_date - gone)


def test_a_session_ends_when_nobody_has_asked_for_anything_for_a_while(browser):
    let_pass(browser, minutes=29)
    assert opens(browser)
    let_pass(browser, minutes=29)
    assert opens(browser)

    let_pass(browser, minutes=31)

    assert not opens(browser)


def test_a_session_ends_some_hours_after_its_log_in_whatever_was_asked_for(browser):
    for _ in range(24):
        let_pass(browser, minutes=29)
        assert opens(browser)

    let_pass(browser, minutes=25)

    assert not opens(browser)
    assert browser.get("/cases").status_code == 401
    assert not Session.objects.exists()


def test_how_long_is_the_operators_choice(client, rob, settings):
    settings.SESSION_HOURS, settings.SESSION_COOKIE_AGE = 2, 5 * 60
    client.force_login(rob)

    assert 1.9 < (client.session["ends_at"] - time.time()) / 3600 <= 2
    left = Session.objects.get().expire_date - now()
    assert timedelta(minutes=4) < left <= timedelta(minutes=5)


def test_a_session_that_does_not_say_when_it_ends_has_ended(browser):
    session = browser.session
    del session["ends_at"]
    session.save()

    assert not opens(browser)


def test_most_requests_do_not_write_that_somebody_is_there(browser):
    def writes() -> int:
        with CaptureQueriesContext(connection) as caught:
            assert opens(browser)
        return sum("UPDATE" in q["sql"] and "django_session" in q["sql"] for q in caught)

    assert writes() == 0
    let_pass(browser, seconds=61)
    assert [writes(), writes()] == [1, 0]


def test_logging_out_ends_the_session_for_who_kept_the_cookie_too(browser):
    kept = browser.cookies["sessionid"].value
    assert opens(with_cookie(kept))

    browser.post("/admin/logout/")

    assert not opens(with_cookie(kept))
    assert not Session.objects.filter(pk=kept).exists()


def test_a_log_in_begins_a_new_session_whatever_cookie_came_along(client, rob):
    client.get("/admin/login/")
    session = client.session
    session["planted"] = "yes"
    session.save()
    client.cookies["sessionid"] = planted = session.session_key

    client.post("/admin/login/", {"username": "rob", "password": RIGHT})

    assert client.session.session_key != planted
    assert not opens(with_cookie(planted))


def test_a_key_that_the_service_did_not_make_is_not_taken_over(rob):
    chosen = "a" * 32
    client = with_cookie(chosen)

    client.post("/admin/login/", {"username": "rob", "password": RIGHT})

    assert client.cookies["sessionid"].value != chosen
    assert not Session.objects.filter(pk=chosen).exists()


def test_a_new_password_ends_all_other_sessions_and_keeps_this_one(browser, rob):
    other = Client()
    other.force_login(rob)
    assert opens(other)
    new = "a longer and better word"
    sent = {"old_password": RIGHT, "new_password1": new, "new_password2": new}

    assert browser.post("/admin/password_change/", sent).status_code == 302

    assert opens(browser)
    assert not opens(other)


def test_a_new_password_by_an_administrator_ends_all_sessions(browser, rob):
    boss = Client()
    boss.force_login(UserFactory(username="ada", is_superuser=True))
    new = "a longer and better word"
    sent = {"usable_password": "true", "password1": new, "password2": new}

    assert boss.post(f"/admin/auth/user/{rob.pk}/password/", sent).status_code == 302

    assert not opens(browser)
    # What the next page will say of it waits in the session, not in a cookie of its own.
    assert {*boss.cookies} == {"sessionid"}
    assert "Password changed successfully" in boss.get("/admin/tables/").content.decode()


def test_an_account_that_is_switched_off_has_no_session_any_more(browser, rob):
    rob.is_active = False
    rob.save()

    assert not opens(browser)
    assert browser.get("/cases").status_code == 401


def test_the_cookie_is_kept_from_scripts_and_from_other_sites(browser):
    cookie = browser.cookies["sessionid"]

    assert cookie["httponly"]
    assert cookie["samesite"] == "Lax"
    assert cookie["path"] == "/"
    assert not cookie["domain"]
    assert int(cookie["max-age"]) == 30 * 60


@pytest.mark.parametrize(
    "address",
    ["/admin/login/", "/admin/logout/", "/admin/password_change/", "/admin/cases/case/add/",
     "/admin/auth/user/add/", "/cases"],
)  # fmt: skip
def test_a_form_of_another_site_does_nothing(rob, address):
    browser = Client(enforce_csrf_checks=True)
    browser.force_login(rob)

    answer = browser.post(address, {"title": "x", "username": "rob", "password": RIGHT})

    assert answer.status_code == 403
    assert opens(browser)


def test_a_form_that_is_refused_says_so_on_a_page_of_ours(rob):
    browser = Client(enforce_csrf_checks=True)
    browser.force_login(rob)

    page = browser.post("/admin/password_change/", {"old_password": RIGHT}).content.decode()
    elsewhere = browser.post("/")

    assert "Nothing was sent" in page
    assert "<style" not in page
    assert (elsewhere.status_code, elsewhere.json()["error"]) == (403, "permission_denied")


@pytest.mark.parametrize("wanted", ["//evil.example", "https://evil.example/", "javascript:x"])
def test_a_log_in_leads_nowhere_else(rob, wanted):
    sent = {"username": "rob", "password": RIGHT, "next": wanted}

    assert Client().post("/admin/login/", sent).headers["Location"] == "/admin/"
