"""People see where they are logged in and end it; keys of sessions are shown to nobody."""

from __future__ import annotations

import re

import pytest
from django.contrib.sessions.models import Session
from django.core.management import call_command
from django.test import Client
from django.utils.timezone import now

from config.models import AccountSession
from tests.factories import PASSWORD, UserFactory

pytestmark = pytest.mark.django_db
PAGE = "/admin/sessions/"
OTHERS = "/admin/config/accountsession/"
LINUX = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"
PHONE = (
    "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit/605 Version/18 Safari/604"
)


def logged_in(username: str, agent: str = LINUX, address: str = "192.0.2.7") -> Client:
    browser = Client(headers={"user-agent": agent}, REMOTE_ADDR=address)
    sent = {"username": username, "password": PASSWORD}
    assert browser.post("/admin/login/", sent).status_code == 302
    return browser


def opens(browser: Client) -> bool:
    return browser.get(PAGE).status_code == 200


def row_of(browser: Client) -> AccountSession:
    return AccountSession.objects.get(session_id=browser.session.session_key)


@pytest.fixture
def rob():
    return UserFactory(username="rob", roles=["reviewer"])


@pytest.fixture
def here(rob):
    return logged_in("rob")


@pytest.fixture
def phone(rob):
    return logged_in("rob", PHONE, "198.51.100.9")


def test_the_page_tells_where_from_with_what_and_since_when(settings, here, phone):
    settings.SLA_TIME_ZONE = "Asia/Tokyo"
    logged_in_at = now()
    AccountSession.objects.update(began_at=logged_in_at.replace(2026, 3, 1, 20, 30))

    answer = here.get(PAGE)
    page = answer.content.decode()

    rows = re.findall(r'id="session-\d+">([^<]+)<.*?</span>([0-9a-f.:]+)<', page, re.DOTALL)
    assert rows == [("Firefox on Linux", "192.0.2.7"), ("Safari on iPhone", "198.51.100.9")]
    assert page.count("2 Mar 2026, 05:30 JST") == 2
    assert page.count("This session") == 1
    assert "no-store" in answer.headers["Cache-Control"]
    for browser in (here, phone):
        assert browser.session.session_key not in page


def test_one_session_is_ended_and_no_other(here, phone):
    third = logged_in("rob")

    answer = here.post(PAGE, {"session": row_of(phone).pk}, follow=True)

    assert "1 session ended." in answer.content.decode()
    assert [opens(browser) for browser in (here, phone, third)] == [True, False, True]
    assert not Session.objects.filter(pk=phone.session.session_key).exists()


def test_all_others_are_ended_at_once(here, phone):
    third = logged_in("rob")

    here.post(PAGE, {"all": "yes"})

    assert [opens(browser) for browser in (here, phone, third)] == [True, False, False]
    assert AccountSession.objects.count() == 1


def test_what_is_somebody_elses_is_neither_shown_nor_ended(here):
    UserFactory(username="eve", roles=["admin"])
    eve = logged_in("eve", PHONE, "203.0.113.5")

    assert "203.0.113.5" not in here.get(PAGE).content.decode()
    for wanted in (row_of(eve).pk, row_of(here).pk, "x", "", "9" * 5_000):
        answer = here.post(PAGE, {"session": wanted}, follow=True)
        assert "had ended already" in answer.content.decode()
    assert opens(eve)
    assert opens(here)
    assert eve.get(OTHERS).status_code == 403
    assert eve.post(f"{OTHERS}{row_of(here).pk}/delete/", {"post": "yes"}).status_code == 403
    assert opens(here)


def test_a_superuser_ends_the_session_of_somebody_else_and_the_log_says_so(
    here, phone, caplog, django_capture_on_commit_callbacks
):
    caplog.set_level("INFO")
    UserFactory(username="ada", is_superuser=True)
    ada = logged_in("ada")

    listed = ada.get(f"{OTHERS}?q=rob").content.decode()
    with django_capture_on_commit_callbacks(execute=True):
        ada.post(f"{OTHERS}{row_of(here).pk}/delete/", {"post": "yes"})
        ada.post(OTHERS, {"action": "end", "_selected_action": [row_of(phone).pk]})

    assert "Safari on iPhone" in listed
    assert phone.session.session_key not in listed
    assert [opens(browser) for browser in (here, phone, ada)] == [False, False, True]
    ended = [record.msg for record in caplog.records if "session_ended" in str(record.msg)]
    assert [(line["actor_id"], line["by"]) for line in ended] == [("rob", "ada")] * 2


def test_who_ends_the_session_in_use_is_led_to_the_log_in(here):
    """Be it from the list of all, or because a colleague ended it while a page was being made."""
    UserFactory(username="ada", is_superuser=True)
    ada = logged_in("ada")

    answer = ada.post(OTHERS, {"action": "end", "_selected_action": [row_of(ada).pk]})

    assert (answer.status_code, answer.headers["Location"]) == (302, f"/admin/login/?next={OTHERS}")
    assert not opens(ada)
    assert opens(here)


def test_a_session_is_listed_as_long_as_it_opens_something(here, phone, rob):
    """Whatever ends it takes its row along: logging out, a new password, the account, time."""
    third, fourth = logged_in("rob"), logged_in("rob")
    third.post("/admin/logout/")
    assert AccountSession.objects.count() == 3
    ended = Session.objects.filter(pk=logged_in("rob").session.session_key)
    ended._raw_delete("default")  # as by SQL, or by a version that knows of no such row
    assert AccountSession.objects.count() == 3
    Session.objects.filter(pk=fourth.session.session_key).update(expire_date=now())
    assert here.get(PAGE).content.decode().count('id="session-') == 2
    call_command("clearsessions")
    assert AccountSession.objects.count() == 2

    new = "a longer and better word"
    sent = {"old_password": PASSWORD, "new_password1": new, "new_password2": new}
    assert here.post("/admin/password_change/", sent).status_code == 302

    assert AccountSession.objects.get() == row_of(here)  # at once, not when the phone next asks
    assert [opens(browser) for browser in (here, phone)] == [True, False]
    rob.refresh_from_db()
    rob.is_active = False
    rob.save()
    assert not Session.objects.exists()


def test_being_there_moves_what_the_page_says(here):
    session = here.session
    session["seen_at"] -= 120
    session.save()
    before = row_of(here).seen_at

    assert opens(here)

    assert row_of(here).seen_at > before
