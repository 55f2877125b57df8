"""What becomes of a second factor: recovery codes, another device, one that was lost."""

from __future__ import annotations

import logging
import re
from datetime import UTC, datetime

import pytest
from django.contrib.auth.models import User
from django.core.management import CommandError, call_command
from django.test import Client
from django_otp.plugins.otp_static.models import StaticDevice, StaticToken

from config.models import SealedDevice
from config.second_factor import state
from tests.factories import PASSWORD, UserFactory
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


def age(browser: Client, seconds: int) -> None:
    """Let all that a session has proven be so long ago."""
    session = browser.session
    session["proven_at"] -= seconds
    session["second_factor_at"] -= seconds
    session.save()


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


def test_the_page_tells_when_it_was_set_up_by_the_clock_of_the_office(settings, client, ada, codes):
    settings.SLA_TIME_ZONE = "Asia/Tokyo"
    SealedDevice.objects.update(created_at=datetime(2026, 3, 1, 20, 30, tzinfo=UTC))

    assert "2 Mar 2026, 05:30 JST" in client.get("/admin/second-factor/").content.decode()


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


def test_a_session_of_long_ago_sets_up_none_when_it_was_taken_away(client, ada, codes):
    """Else who took such a session over would have a device, and its owner none."""
    age(client, 901)
    state.reset(ada, by="sup")

    asked = client.get(SET_UP)
    refused = client.post(SET_UP, {"code": "000000"})

    again = f"/admin/again/?next={SET_UP.replace('/', '%2F')}"
    assert {asked.headers["Location"], refused.headers["Location"]} == {again}
    assert not SealedDevice.objects.exists()
    proven = client.post(again, {"password": PASSWORD})
    assert proven.headers["Location"] == SET_UP
    assert set_up(client, ada)


def test_new_codes_without_a_device_lead_to_setting_one_up(client, ada, codes):
    age(client, 901)
    state.reset(ada, by="sup")

    asked = client.post("/admin/second-factor/codes/")
    proven = client.post(asked.headers["Location"], {"password": PASSWORD})

    assert proven.headers["Location"] == SET_UP
    assert client.get(SET_UP).status_code == 200


def test_a_superuser_shows_a_code_before_taking_one_away(client, ada, codes):
    """Else a session that was left open takes its own away, and sets up another device."""
    session = client.session
    session["second_factor_at"] -= 901
    session.save()
    page = f"/admin/otp_totp/totpdevice/{device_of(ada).pk}/delete/"

    for answer in (client.get(page, follow=True), client.post(page, {"post": "yes"}, follow=True)):
        assert last_address(answer) == f"{CODE}?next={page.replace('/', '%2F')}"
    shown = client.post(f"{CODE}?next={page}", {"code": code_of(device_of(ada), ahead=1)})

    assert shown.headers["Location"] == page
    assert client.get(page).status_code == 200


def test_the_log_tells_who_took_it_away(ada, codes, caplog, django_capture_on_commit_callbacks):
    caplog.set_level(logging.INFO)
    with django_capture_on_commit_callbacks(execute=True):
        call_command("reset_second_factor", "ada")

    lines = [record.msg for record in caplog.records if record.name == "logins"]
    told = {"event": "second_factor_reset", "actor_id": "ada", "by": "reset_second_factor"}
    assert told.items() <= lines[-1].items()
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
