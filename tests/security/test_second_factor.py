"""The second factor of the back office: a password alone opens nothing, and no code opens twice."""

from __future__ import annotations

import math
import re
from datetime import timedelta

import pytest
from django.db.models import F
from django.test import Client
from django_otp.plugins.otp_static.models import StaticToken

from config.models import SealedDevice
from config.second_factor import state
from tests.factories import UserFactory
from tests.security.addresses import addresses, plain
from tests.security.second_factor import (
    CODE,
    SET_UP,
    START,
    calm,
    code_of,
    device_of,
    last_address,
    log_in,
    opens,
    set_up,
    with_device,
)

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("second_factor_required")]


# --- A password alone -----------------------------------------------------------------------------

# What somebody with a password alone may ask for: ways in and out, and the way to a second factor.
WAYS = {
    "admin", "admin/login/", "admin/logout/", "admin/oidc/begin", "admin/oidc/callback",
    "admin/second-factor/", "admin/second-factor/code/", "admin/second-factor/set-up/",
    "admin/second-factor/codes/", "admin/again/",
}  # fmt: skip
BEHIND = sorted({plain(one) for one in addresses() if plain(one).startswith("admin")} - WAYS)


@pytest.mark.parametrize("method", ["get", "post"])
@pytest.mark.parametrize("has_device", [True, False], ids=["with device", "without"])
def test_no_page_is_reached_with_a_password_alone(client, ada, has_device, method):
    if has_device:
        with_device(ada)
    client.force_login(ada)

    answers = {
        address: getattr(client, method)("/" + re.sub(r"\{\w+\}", "1", address))
        for address in BEHIND
    }

    led = {address: answer.headers.get("Location", "") for address, answer in answers.items()}
    assert len(BEHIND) > 80
    assert {one for one, to in led.items() if not to.startswith("/admin/login/?next=")} == set()
    assert {answer.status_code for answer in answers.values()} == {302}


def test_the_pages_of_a_second_factor_lead_to_the_code(client, ada):
    with_device(ada)
    client.force_login(ada)

    for address in ("/admin/second-factor/", SET_UP):
        assert client.get(address).headers["Location"].startswith(CODE)
    assert client.post(SET_UP, {"code": "000000"}).headers["Location"].startswith(CODE)
    assert client.post("/admin/second-factor/codes/").headers["Location"].startswith(CODE)
    assert not SealedDevice.objects.filter(confirmed=False).exists()
    assert not StaticToken.objects.exists()


@pytest.mark.parametrize("path", ["/cases", "/v1/cases", "/cases/summary", "/cases/export.csv"])
def test_neither_does_the_api_take_such_a_session(client, ada, settings, path):
    settings.ACTOR_HEADERS = False
    device = with_device(ada)
    client.force_login(ada)

    refused = client.get(path)
    assert refused.status_code == 401
    assert "second factor" in refused.json()["message"]

    client.post(CODE, {"code": code_of(device)})
    assert client.get(path).status_code == 200


def test_strangers_see_no_page_of_a_second_factor(client):
    for address in ("/admin/second-factor/", CODE, SET_UP):
        assert client.get(address).headers["Location"].startswith("/admin/login/")
    client.force_login(UserFactory(username="guest", is_staff=False))
    assert client.get(SET_UP).headers["Location"].startswith("/admin/login/")
    assert not SealedDevice.objects.exists()


def test_logging_out_is_always_possible(client, ada):
    log_in(client, "ada")

    client.post("/admin/logout/")

    assert "_auth_user_id" not in client.session


# --- The way in -----------------------------------------------------------------------------------


def test_the_first_log_in_sets_a_device_up_and_goes_on_to_where_it_wanted(client, ada):
    answer = log_in(client, "ada")
    assert last_address(answer).startswith(f"{SET_UP}?next=")
    assert not opens(client)

    codes = set_up(client, ada)

    assert len(codes) == len(set(codes)) == state.RECOVERY_CODES
    assert opens(client)


def test_a_later_log_in_asks_for_the_code_and_goes_on_to_where_it_wanted(client, ada):
    device = with_device(ada)
    asked = log_in(client, "ada")
    assert last_address(asked).startswith(CODE)

    answer = client.post(asked.redirect_chain[-1][0], {"code": code_of(device)})

    assert (answer.status_code, answer.headers["Location"]) == (302, START)
    assert opens(client)


@pytest.mark.parametrize("elsewhere", ["https://evil.example/", "//evil.example", "javascript:x"])
def test_a_code_leads_nowhere_else(client, ada, elsewhere):
    device = with_device(ada)
    client.force_login(ada)

    answer = client.post(f"{CODE}?next={elsewhere}", {"code": code_of(device)})

    assert answer.headers["Location"] == "/admin/"


def test_the_session_gets_a_new_key_with_the_code(client, ada):
    """Whoever knew the key before, fixed it even, has nothing of what it is worth now."""
    device = with_device(ada)
    log_in(client, "ada")
    before = client.session.session_key
    thief = Client()
    thief.cookies["sessionid"] = before

    client.post(CODE, {"code": code_of(device)})

    assert client.session.session_key != before
    assert opens(client)
    assert not opens(thief)


def test_a_code_typed_with_blanks_is_good(client, ada):
    device = with_device(ada)
    client.force_login(ada)
    code = code_of(device)

    client.post(CODE, {"code": f" {code[:3]} {code[3:]} "})

    assert opens(client)


def test_a_code_is_six_digits_and_no_other_characters_for_them(client, ada):
    device = with_device(ada)
    client.force_login(ada)
    code = code_of(device)
    arabic = code.translate({48 + digit: 0x660 + digit for digit in range(10)})

    for typed in (arabic, f"+{code}", f"{code[:1]}_{code[1:]}", f"{code}\ufeff", "9" * 40, "\0"):
        assert client.post(CODE, {"code": typed}).status_code in (200, 429)
    assert not opens(client)
    assert device_of(ada).last_t == -1
    calm(device)
    client.post(CODE, {"code": code})
    assert opens(client)


def test_the_code_of_somebody_else_is_wrong(client, ada):
    with_device(ada)
    other = with_device(UserFactory(username="eve"))
    client.force_login(ada)

    answer = client.post(CODE, {"code": code_of(other)})

    assert "This code is wrong" in answer.content.decode()
    assert not opens(client)


def test_a_key_that_another_session_has_seen_is_never_set_up(client, ada):
    """Else who knows a password could read a key, wait, and have the same device as its owner."""
    thief = Client()
    thief.force_login(ada)
    thief.get(SET_UP)
    known = SealedDevice.objects.get(user=ada).key
    client.force_login(ada)

    set_up(client, ada)

    assert device_of(ada).key != known


# --- Guessing and replaying -----------------------------------------------------------------------


def test_a_code_is_good_once(client, ada):
    device = with_device(ada)
    client.force_login(ada)
    code = code_of(device)
    client.post(CODE, {"code": code})
    again = Client()
    again.force_login(ada)

    answer = again.post(CODE, {"code": code})

    assert "was used before" in answer.content.decode()
    assert not opens(again)
    calm(device)
    again.post(CODE, {"code": code_of(device, ahead=1)})
    assert opens(again)


@pytest.mark.parametrize("steps", [-3, 3])
def test_codes_of_other_times_are_wrong(client, ada, steps):
    device = with_device(ada)
    client.force_login(ada)

    client.post(CODE, {"code": code_of(device, ahead=steps)})

    assert not opens(client)


def test_each_wrong_code_doubles_the_wait_during_which_no_code_is_looked_at(client, ada):
    device = with_device(ada)
    SealedDevice.objects.update(throttling_failure_count=4)
    waits = []
    for _ in range(4):
        browser = Client()  # it is the account that waits, not the browser
        browser.force_login(ada)
        calm(device)
        assert browser.post(CODE, {"code": "000000"}).status_code == 200
        answer = browser.post(CODE, {"code": code_of(device)})
        assert answer.status_code == 429
        assert f"wait {answer.headers['Retry-After']} seconds" in answer.content.decode()
        waits.append(int(answer.headers["Retry-After"]))
        assert not opens(browser)

    assert [round(math.log2(wait)) for wait in waits] == [4, 5, 6, 7]

    SealedDevice.objects.update(
        throttling_failure_timestamp=F("throttling_failure_timestamp") - timedelta(seconds=129)
    )
    browser.post(CODE, {"code": code_of(device)})
    assert opens(browser)
    assert device_of(ada).throttling_failure_count == 0


def test_guessing_at_the_set_up_is_slowed_down_too(client, ada):
    client.force_login(ada)
    client.get(SET_UP)

    assert client.post(SET_UP, {"code": "000000"}).status_code == 200
    pending = SealedDevice.objects.get(user=ada)
    assert client.post(SET_UP, {"code": code_of(pending)}).status_code == 429
    assert not SealedDevice.objects.filter(confirmed=True).exists()


# --- Where it is not required ---------------------------------------------------------------------


def test_optional_asks_those_who_have_one(settings, client, ada):
    settings.ADMIN_MFA = "optional"
    client.force_login(ada)
    other = Client()
    other.force_login(ada)
    assert opens(client)

    set_up(client, ada)

    assert opens(client)
    assert not opens(other)


def test_off_asks_nobody_and_offers_none(settings, client, ada):
    settings.ADMIN_MFA = "off"
    with_device(ada)
    client.force_login(ada)

    assert opens(client)
    assert "second-factor" not in client.get(START).content.decode()
    assert client.get(SET_UP).status_code == 404
    assert client.get(CODE).status_code == 404


def test_the_issuer_of_a_single_sign_on_asks_itself(settings, client):
    settings.AUTHENTICATION_BACKENDS = [
        *settings.AUTHENTICATION_BACKENDS,
        "config.oidc.login.SingleSignOnBackend",
    ]
    client.force_login(
        UserFactory(username="ida", roles=["admin"]), "config.oidc.login.SingleSignOnBackend"
    )

    assert opens(client)
    assert client.get(SET_UP).status_code == 404
