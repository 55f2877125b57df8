"""The password log-in of the back office: who guesses is slowed down, and nobody else."""

from datetime import timedelta

import pytest
from axes.models import AccessAttempt
from django.db.models import F
from django.test import Client
from django.utils.timezone import now

from config import tokens
from tests.api.conftest import Caller
from tests.factories import UserFactory

pytestmark = pytest.mark.django_db
RIGHT = "correct horse battery staple"
LIMIT = 5


def try_password(browser, username, password, **more):
    return browser.post("/admin/login/", {"username": username, "password": password}, **more)


def guess(browser, username, times, **more):
    """Guess wrongly, and return the last answer."""
    for number in range(times):
        answer = try_password(browser, username, f"guess {number}", **more)
    return answer


@pytest.fixture
def rob():
    return UserFactory(username="rob", roles=["reviewer"])


def let_in(answer):
    return answer.status_code == 302


def test_after_some_wrong_passwords_the_right_one_does_not_help(client, rob):
    assert guess(client, "rob", LIMIT - 1).status_code == 200

    locked = try_password(client, "rob", "wrong again")
    right = try_password(client, "rob", RIGHT)

    for answer in (locked, right):
        assert answer.status_code == 429
        assert int(answer.headers["Retry-After"]) == 15 * 60
        assert "nobody can log in under this name for 15 minutes" in answer.content.decode()
    assert "_auth_user_id" not in client.session


def test_a_name_that_does_not_exist_is_locked_like_any_other(client):
    assert guess(client, "no such person", LIMIT).status_code == 429


def test_colleagues_at_the_same_address_log_in_as_ever(client, rob):
    UserFactory(username="rosa", roles=["reviewer"])
    guess(client, "rob", LIMIT)

    assert let_in(try_password(Client(), "rosa", RIGHT))


def test_nobody_is_locked_out_from_another_address(client, rob):
    guess(client, "rob", LIMIT, REMOTE_ADDR="192.0.2.1")

    assert let_in(try_password(client, "rob", RIGHT, REMOTE_ADDR="192.0.2.2"))


def test_another_browser_at_the_same_address_does_not_help(client, rob):
    guess(client, "rob", LIMIT, HTTP_USER_AGENT="one")

    assert try_password(Client(), "rob", RIGHT, HTTP_USER_AGENT="two").status_code == 429


def test_the_lock_opens_by_itself(client, rob):
    guess(client, "rob", LIMIT)

    AccessAttempt.objects.update(attempt_time=F("attempt_time") - timedelta(minutes=14))
    assert try_password(client, "rob", RIGHT).status_code == 429
    AccessAttempt.objects.update(attempt_time=now() - timedelta(minutes=16))
    assert let_in(try_password(client, "rob", RIGHT))


def test_knocking_on_a_locked_door_does_not_keep_it_locked(client, rob):
    guess(client, "rob", LIMIT)
    first = AccessAttempt.objects.get().attempt_time

    guess(client, "rob", LIMIT)

    assert AccessAttempt.objects.get().attempt_time == first


def test_a_log_in_wipes_out_the_typing_errors_before_it(client, rob):
    for _ in range(3):
        guess(client, "rob", LIMIT - 1)
        assert let_in(try_password(client, "rob", RIGHT))


def test_a_locked_name_still_works_by_api_token(client, rob, settings):
    settings.ACTOR_HEADERS = False
    _, token = tokens.create_token(user=rob, name="x", days=1, by="ada")
    guess(client, "rob", LIMIT)

    answer = Caller().get("/cases", HTTP_AUTHORIZATION=f"Bearer {token}")

    assert answer.status_code == 200


def test_wrong_api_tokens_lock_nobody_out(client, rob):
    for _ in range(LIMIT * 2):
        Caller().get("/cases", HTTP_AUTHORIZATION="Bearer rcm_" + "0" * 64)

    assert not AccessAttempt.objects.exists()
    assert let_in(try_password(client, "rob", RIGHT))


def test_neither_rows_nor_logs_hold_the_password_and_logs_not_the_name(client, rob, caplog):
    try_password(client, "rob the great", "hunter-two")

    row = AccessAttempt.objects.get()
    assert "hunter-two" not in str(vars(row))
    assert "login_failed" in caplog.text
    assert "hunter-two" not in caplog.text
    assert "rob the great" not in caplog.text


# --- Many names -----------------------------------------------------------------------------------


@pytest.fixture
def few(settings):
    settings.LOGIN_ADDRESS_FAILURES = 10


def test_one_password_tried_on_many_names_locks_the_address(client, rob, few):
    for number in range(10):
        assert try_password(Client(), f"somebody-{number}", "Spring2026!!").status_code == 200

    answer = try_password(client, "rob", RIGHT)

    assert answer.status_code == 429
    assert "nobody can log in for 15 minutes" in answer.content.decode()
    assert let_in(try_password(Client(), "rob", RIGHT, REMOTE_ADDR="192.0.2.2"))


def test_a_log_in_between_does_not_hide_the_other_names(client, rob, few):
    for number in range(9):
        try_password(client, f"somebody-{number}", "Spring2026!!")
    assert let_in(try_password(Client(), "rob", RIGHT))

    try_password(client, "somebody-9", "Spring2026!!")

    assert try_password(client, "rob", RIGHT).status_code == 429


def test_a_locked_address_opens_by_itself(client, rob, few):
    for number in range(10):
        try_password(client, f"somebody-{number}", "Spring2026!!")
    assert try_password(client, "rob", RIGHT).status_code == 429

    AccessAttempt.objects.update(attempt_time=now() - timedelta(minutes=16))

    assert let_in(try_password(client, "rob", RIGHT))


def test_who_has_no_address_is_not_taken_for_everybody_without_one(client, rob, few):
    for number in range(12):
        try_password(client, f"somebody-{number}", "Spring2026!!", REMOTE_ADDR="")

    assert let_in(try_password(client, "rob", RIGHT, REMOTE_ADDR=""))


# --- Addresses ------------------------------------------------------------------------------------


def locked_from(client, **headers):
    return try_password(client, "rob", RIGHT, **headers).status_code == 429


def test_without_a_trusted_proxy_nobody_is_believed_to_be_elsewhere(client, rob):
    for number in range(LIMIT):
        guess(client, "rob", 1, HTTP_X_FORWARDED_FOR=f"198.51.100.{number}")

    assert locked_from(client, HTTP_X_FORWARDED_FOR="203.0.113.9")


def test_behind_a_proxy_its_entry_counts_and_nothing_left_of_it(client, rob, settings):
    settings.TRUSTED_PROXIES = 1
    for number in range(LIMIT):
        guess(client, "rob", 1, HTTP_X_FORWARDED_FOR=f"10.0.0.{number}, 198.51.100.7")

    assert locked_from(client, HTTP_X_FORWARDED_FOR="203.0.113.9, 198.51.100.7")
    assert not locked_from(client, HTTP_X_FORWARDED_FOR="198.51.100.7, 203.0.113.9")


def test_behind_two_proxies_the_outermost_says_who_called(client, rob, settings):
    settings.TRUSTED_PROXIES = 2
    guess(client, "rob", LIMIT, HTTP_X_FORWARDED_FOR="evil, 198.51.100.7, 10.0.0.2")

    assert locked_from(client, HTTP_X_FORWARDED_FOR="198.51.100.7, 10.0.0.3")
    assert not locked_from(client, HTTP_X_FORWARDED_FOR="evil, 198.51.100.8, 10.0.0.2")


def test_a_line_has_many_ipv6_addresses_but_is_one_caller(client, rob):
    for number in range(LIMIT):
        guess(client, "rob", 1, REMOTE_ADDR=f"2001:db8:0:7::{number}")

    assert locked_from(client, REMOTE_ADDR="2001:db8:0:7:ffff::1")
    assert not locked_from(client, REMOTE_ADDR="2001:db8:0:8::1")


@pytest.mark.parametrize(
    "address", ["", "garbage", "::ffff:192.0.2.1", "fe80::1%eth0", "1.2.3.4:80"]
)
def test_an_address_of_another_form_is_no_failure(client, rob, settings, address):
    settings.TRUSTED_PROXIES = 1

    answer = guess(client, "rob", LIMIT, HTTP_X_FORWARDED_FOR=address)

    assert answer.status_code == 429
