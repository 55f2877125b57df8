"""What hangs on SECRET_KEY survives its replacement, and is of no use to who has the rows alone."""

from __future__ import annotations

import secrets
from base64 import b32encode
from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.test import Client
from django_otp.plugins.otp_static.models import StaticDevice
from django_otp.plugins.otp_totp.models import TOTPDevice

from config.checks import check_sealed
from config.models import SealedDevice
from tests.factories import UserFactory
from tests.security.second_factor import (
    CODE,
    SET_UP,
    calm,
    code_of,
    device_of,
    last_address,
    log_in,
    opens,
    set_up,
)

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("second_factor_required")]
NEW = secrets.token_urlsafe(64)


@pytest.fixture
def codes(client, ada):
    log_in(client, "ada")
    return set_up(client, ada)


def replace(settings, *, fallbacks: bool) -> None:
    settings.SECRET_KEY_FALLBACKS = [settings.SECRET_KEY] if fallbacks else []
    settings.SECRET_KEY = NEW


def answer_to(code: str) -> tuple[bool, str]:
    browser = Client()
    log_in(browser, "ada")
    page = browser.post(CODE, {"code": code}).content.decode()
    return opens(browser), page


def seal() -> tuple[int, list[str]]:
    """Run the command; return its exit code and whom it names."""
    named = StringIO()
    try:
        call_command("seal_second_factors", stdout=named, stderr=StringIO())
    except CommandError as error:
        return error.returncode, named.getvalue().split()
    return 0, named.getvalue().split()


def test_no_row_holds_the_key_of_a_device(ada, codes):
    device = device_of(ada)
    kept = TOTPDevice.objects.values().get()
    key = device.bin_key

    assert len(key) == 20
    for form in (key.hex(), b32encode(key).decode(), repr(key)):
        assert form not in str(kept)


def test_a_key_opens_for_its_own_account_alone(ada, codes):
    """Who can write rows, and no more, cannot let a device of theirs answer for somebody else."""
    eve = UserFactory(username="eve")
    browser = Client()
    browser.force_login(eve)
    set_up(browser, eve)
    code = code_of(device_of(eve), ahead=1)
    SealedDevice.objects.filter(user=ada).update(key=device_of(eve).key)

    came_in, page = answer_to(code)

    assert not came_in
    assert "cannot read the key of your device any more" in page


def test_a_replaced_key_ends_no_session_no_device_and_no_recovery_code(
    settings, client, ada, codes
):
    replace(settings, fallbacks=True)

    assert opens(client)
    assert answer_to(codes[0])[0]
    assert not answer_to(codes[0])[0]
    calm(StaticDevice.objects.get())
    assert answer_to(code_of(device_of(ada), ahead=1))[0]


def test_the_earlier_key_can_go_once_everything_is_sealed_anew(settings, client, ada, codes):
    replace(settings, fallbacks=True)
    assert opens(client)  # a request brings its session along
    before = device_of(ada).key

    assert seal() == (0, [])
    assert device_of(ada).key != before
    settings.SECRET_KEY_FALLBACKS = []

    assert opens(client)
    assert answer_to(code_of(device_of(ada), ahead=1))[0]
    assert seal() == (0, [])


def test_what_an_earlier_version_kept_as_it_was_works_and_is_warned_of_until_it_is_sealed(
    settings, ada, codes
):
    """Logging in leaves it: a process of that version, which still runs, could not read it."""
    plain = device_of(ada).bin_key.hex()
    TOTPDevice.objects.update(key=plain, last_t=-1)

    assert answer_to(code_of(device_of(ada)))[0]
    assert TOTPDevice.objects.get().key == plain
    (warning,) = check_sealed(databases=["default"])
    assert warning.id == "config.W003"

    assert seal() == (0, [])
    assert device_of(ada).bin_key.hex() == plain
    assert plain not in str(TOTPDevice.objects.values().get())
    assert check_sealed(databases=["default"]) == []


def test_a_lost_key_is_told_in_words_and_has_a_way_back(settings, ada, codes):
    code = code_of(device_of(ada), ahead=1)
    replace(settings, fallbacks=False)

    came_in, page = answer_to(code)
    assert not came_in
    assert "let an administrator take your second factor away" in page
    assert seal() == (1, ["ada"])

    call_command("reset_second_factor", "ada", stderr=StringIO())
    browser = Client()
    assert last_address(log_in(browser, "ada")).startswith(SET_UP)
    set_up(browser, ada)
    assert opens(browser)


def test_a_set_up_that_was_begun_under_a_lost_key_begins_again(settings, client, ada):
    log_in(client, "ada")
    client.get(SET_UP)
    pending = SealedDevice.objects.get(user=ada)
    pending.key = pending.key[:-4] + "AAAA"
    pending.save()

    assert client.get(SET_UP).status_code == 200
    set_up(client, ada)
    assert opens(client)
