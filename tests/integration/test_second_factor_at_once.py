"""Two sessions of one account at the same moment at the pages of the second factor."""

from __future__ import annotations

import pytest
from django.test import Client
from django_otp.plugins.otp_static.models import StaticDevice, StaticToken
from django_otp.plugins.otp_totp.models import TOTPDevice

from config.second_factor import state
from tests.security.second_factor import (
    CODE,
    SET_UP,
    ada,
    code_of,
    opens,
    second_factor_required,
    with_device,
)

__all__ = ["ada", "second_factor_required"]  # the fixtures
pytestmark = pytest.mark.usefixtures("committed", "second_factor_required")


def browsers(user, number=2):
    found = [Client(raise_request_exception=False) for _ in range(number)]
    for browser in found:
        browser.force_login(user)
    return found


def test_of_two_devices_that_are_set_up_at_the_same_moment_one_is_kept(ada, at_once):
    one, other = browsers(ada)
    # As if both had asked for the page at the same moment as well.
    for browser in (one, other):
        device = TOTPDevice.objects.create(user=ada, name="device", confirmed=False)
        session = browser.session
        session["second_factor_pending"] = device.pk
        session.save()
    codes = {
        browser: code_of(TOTPDevice.objects.get(pk=browser.session["second_factor_pending"]))
        for browser in (one, other)
    }

    answers = at_once(*(lambda b=b: b.post(SET_UP, {"code": codes[b]}) for b in (one, other)))

    assert {answer.status_code for answer in answers} <= {200, 302}
    assert sorted([opens(one), opens(other)]) == [False, True]
    assert TOTPDevice.objects.filter(confirmed=True).count() == 1
    assert StaticToken.objects.count() == state.RECOVERY_CODES


def test_a_code_that_comes_twice_at_the_same_moment_opens_one_session(ada, at_once):
    device, (one, other) = with_device(ada), browsers(ada)
    code = code_of(device)

    at_once(*(lambda b=b: b.post(CODE, {"code": code}) for b in (one, other)))

    assert sorted([opens(one), opens(other)]) == [False, True]


def test_a_double_click_on_new_codes_leaves_one_set_of_them(ada, at_once):
    device, (browser,) = with_device(ada), browsers(ada, 1)
    browser.post(CODE, {"code": code_of(device)})

    at_once(*(lambda: browser.post("/admin/second-factor/codes/") for _ in range(2)))

    assert StaticDevice.objects.count() == 1
    assert StaticToken.objects.count() == state.RECOVERY_CODES
