"""The second factor of the back office: a password alone opens nothing, and no code opens twice."""

from __future__ import annotations

import logging
import math
import re
from datetime import timedelta

import pytest
from django.contrib.auth.models import User
from django.core.management import CommandError, call_command
from django.db.models import F
from django.test import Client
from django_otp.plugins.otp_static.models import StaticDevice, StaticToken
from django_otp.plugins.otp_totp.models import TOTPDevice

from config.second_factor import state
from tests.factories import UserFactory
from tests.security.addresses import addresses, plain
from tests.security.second_factor import (
    CODE,
    SET_UP,
    calm,
    code_of,
    device_of,
    last_address,
    log_in,
    set_up,
    with_device,
)

pytestmark = pytest.mark.django_db
START = "/admin/tables/"


@pytest.fixture(autouse=True)
def _required(settings):
    settings.ADMIN_MFA = "required"


@pytest.fixture
def ada():
    return UserFactory(username="ada", is_superuser=True)


def opens(browser: Client) -> bool:
    """Tell whether the back office shows its pages."""
    return browser.get(START).status_code == 200


# --- A password alone -----------------------------------------------------------------------------

# What somebody with a password alone may ask for: ways in and out, and the way to a second factor.
WAYS = {
    "admin", "admin/login/", "admin/logout/", "admin/oidc/begin", "admin/oidc/callback",
    "admin/second-factor/", "admin/second-factor/code/", "admin/second-factor/set-up/",
    "admin/second-factor/codes/",
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
    assert not TOTPDevice.objects.filter(confirmed=False).exists()
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
    assert not TOTPDevice.objects.exists()


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
    known = TOTPDevice.objects.get(user=ada).key
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
    TOTPDevice.objects.update(throttling_failure_count=4)
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

    TOTPDevice.objects.update(
        throttling_failure_timestamp=F("throttling_failure_timestamp") - timedelta(seconds=129)
    )
    browser.post(CODE, {"code": code_of(device)})
    assert opens(browser)
    assert device_of(ada).throttling_failure_count == 0


def test_guessing_at_the_set_up_is_slowed_down_too(client, ada):
    client.force_login(ada)
    client.get(SET_UP)

    assert client.post(SET_UP, {"code": "000000"}).status_code == 200
    pending = TOTPDevice.objects.get(user=ada)
    assert client.post(SET_UP, {"code": code_of(pending)}).status_code == 429
    assert not TOTPDevice.objects.filter(confirmed=True).exists()


# --- Recovery codes -------------------------------------------------------------------------------


@pytest.fixture
def codes(client, ada):
    client.force_login(ada)
    return set_up(client, ada)


def arrives(user: User, code: str) -> bool:
    browser = Client()
    browser.force_login(user)
    browser.post(CODE, {"code": code})
    return opens(browser)


def test_a_recovery_code_works_once_in_whatever_way_it_is_typed(ada, codes):
    assert arrives(ada, codes[0])
    assert not arrives(ada, codes[0])
    calm(StaticDevice.objects.get())
    assert arrives(ada, codes[1].replace("-", " ").upper())
    assert state.codes_left(ada) == state.RECOVERY_CODES - 2


def test_guessing_recovery_codes_is_slowed_down_and_does_not_lock_the_device(ada, codes):
    StaticDevice.objects.update(throttling_failure_count=8)
    assert not arrives(ada, "abcd-efgh-ijkl-mnop")

    assert not arrives(ada, codes[0])
    assert arrives(ada, code_of(device_of(ada), ahead=1))


def test_new_recovery_codes_void_the_earlier_ones(client, ada, codes):
    answer = client.post("/admin/second-factor/codes/")

    new = re.findall(r'<li><code class="key">([a-z2-7-]+)</code>', answer.content.decode())
    assert len(new) == state.RECOVERY_CODES
    assert not arrives(ada, codes[0])
    calm(StaticDevice.objects.get())
    assert arrives(ada, new[0])


def test_the_database_does_not_hold_recovery_codes(ada, codes):
    kept = {token for (token,) in StaticToken.objects.values_list("token")}

    for code in codes:
        assert code not in kept
        assert code.replace("-", "") not in kept
        assert code.replace("-", "")[:16] not in kept


def test_recovery_codes_are_shown_once(client, ada, codes):
    for address in ("/admin/second-factor/", SET_UP, START):
        page = client.get(address).content.decode()
        assert not [code for code in codes if code in page]


# --- Changes --------------------------------------------------------------------------------------


def test_another_device_takes_the_place_of_the_first_in_every_session(client, ada, codes):
    other = Client()
    other.force_login(ada)
    other.post(CODE, {"code": codes[0]})
    assert opens(other)
    old = device_of(ada)

    set_up(client, ada)

    assert opens(client)
    assert not opens(other)
    assert device_of(ada).key != old.key
    assert not arrives(ada, codes[1])


def test_changes_ask_for_a_code_that_was_shown_just_now(client, ada, codes):
    session = client.session
    session["second_factor_at"] -= 901
    session.save()

    for answer in (client.get(SET_UP), client.post("/admin/second-factor/codes/")):
        assert answer.headers["Location"].startswith(CODE)
    assert state.codes_left(ada) == state.RECOVERY_CODES
    client.post(CODE, {"code": code_of(device_of(ada), ahead=1)})
    assert client.get(SET_UP).status_code == 200


def test_a_superuser_takes_a_lost_one_away_and_its_owner_sets_up_another(client, ada, codes):
    boss = Client()
    superuser = UserFactory(username="sup", is_superuser=True)
    boss.force_login(superuser)
    set_up(boss, superuser)

    listed = boss.get("/admin/otp_totp/totpdevice/").content.decode()
    answer = boss.post(f"/admin/otp_totp/totpdevice/{device_of(ada).pk}/delete/", {"post": "yes"})

    assert "ada" in listed
    assert device_of(superuser).key not in listed
    assert answer.status_code == 302
    assert not opens(client)
    assert not StaticDevice.objects.filter(user=ada).exists()
    assert last_address(log_in(Client(), "ada")).startswith(SET_UP)


def test_the_log_tells_who_took_it_away(ada, codes, caplog, django_capture_on_commit_callbacks):
    caplog.set_level(logging.INFO)
    with django_capture_on_commit_callbacks(execute=True):
        call_command("reset_second_factor", "ada")

    lines = [record.msg for record in caplog.records if record.name == "logins"]
    assert {"event": "second_factor_reset", "actor_id": "ada", "by": "reset_second_factor"}.items() <= lines[-1].items()  # fmt: skip  # noqa: E501
    for name, code in (("ada", 1), ("nobody", 2)):
        with pytest.raises(CommandError) as error:
            call_command("reset_second_factor", name)
        assert error.value.returncode == code


@pytest.mark.parametrize("page", ["", "{}/change/", "{}/delete/", "add/"])
def test_nobody_but_superusers_sees_whose_there_are(settings, page):
    settings.ADMIN_MFA = "off"
    device = with_device(UserFactory(username="ada"))
    browser = Client()
    browser.force_login(UserFactory(username="adam", roles=["admin"]))

    assert browser.get(f"/admin/otp_totp/totpdevice/{page.format(device.pk)}").status_code == 403


def test_neither_keys_nor_codes_are_logged(client, ada, caplog, capfd):
    caplog.set_level(logging.DEBUG)
    client.force_login(ada)
    codes = set_up(client, ada)
    device = device_of(ada)
    other = Client()
    other.force_login(ada)
    other.post(CODE, {"code": "987654"})
    other.post(CODE, {"code": codes[0]})
    key = re.search("secret=([A-Z2-7]+)", device.config_url)[1]

    said = caplog.text + "".join(capfd.readouterr())
    assert "second_factor_set_up" in said
    assert "second_factor_failed" in said
    for secret in (key, device.key, "987654", *codes, *(code.replace("-", "") for code in codes)):
        assert secret not in said


def test_the_pages_with_secrets_are_stored_nowhere(client, ada):
    client.force_login(ada)

    answer = client.get(SET_UP)

    assert "no-store" in answer.headers["Cache-Control"]
    assert "<svg" in answer.content.decode()
    assert "http" not in re.sub(r'xmlns="[^"]*"', "", answer.content.decode()).replace("https", "")


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
