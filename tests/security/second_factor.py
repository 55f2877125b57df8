"""Somebody with a device that makes codes."""

from __future__ import annotations

import re
import time
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.utils.html import escape
from django_otp.oath import TOTP

from config import device_keys
from config.models import SealedDevice
from tests.factories import UserFactory

RIGHT = "correct horse battery staple"
CODE = "/admin/second-factor/code/"
SET_UP = "/admin/second-factor/set-up/"
START = "/admin/tables/"


@pytest.fixture
def second_factor_required(settings: Any) -> None:
    settings.ADMIN_MFA = "required"


@pytest.fixture
def ada() -> User:
    """Return who may everything, once she is in."""
    return UserFactory(username="ada", is_superuser=True)


def opens(browser: Client) -> bool:
    """Tell whether the back office shows its pages."""
    return browser.get(START).status_code == 200


def log_in(browser: Client, username: str, **more: Any) -> Any:
    """Give the password; where that leads is followed."""
    address = f"/admin/login/?next={START}"
    return browser.post(address, {"username": username, "password": RIGHT}, follow=True, **more)


def code_of(device: SealedDevice, *, ahead: int = 0) -> str:
    """Return what the device shows now, or some steps later, by the clock that it is known to have.

    That clock is a step late where the step before ended between the last code and its check.
    """
    totp = TOTP(device.bin_key, device.step, device.t0, device.digits, device.drift)
    totp.time = time.time() + ahead * device.step
    return f"{totp.token():06}"


def device_of(user: User) -> SealedDevice:
    return SealedDevice.objects.get(user=user, confirmed=True)


def set_up(browser: Client, user: User) -> list[str]:
    """Set a device up by the pages; return the recovery codes that they show."""
    page = browser.get(SET_UP).content.decode()
    pending = SealedDevice.objects.get(user=user, confirmed=False)
    key = re.search(r'Key: <code class="key">([A-Z2-7 ]+)</code>', page)[1].replace(" ", "")
    assert f"secret={key}&" in pending.config_url
    answer = browser.post(SET_UP, {"code": code_of(pending)})
    assert answer.status_code == 200, answer
    return re.findall(r'<li><code class="key">([a-z2-7-]+)</code>', answer.content.decode())


def with_device(user: User) -> SealedDevice:
    """Give an account a device without the pages."""
    return SealedDevice.objects.create(
        user=user, name="device", confirmed=True, key=device_keys.new(user.pk)
    )


def calm(device: Any) -> None:
    """Let so much time pass since the last wrong code that another one is looked at."""
    type(device).objects.filter(pk=device.pk).update(throttling_failure_timestamp=None)


def last_address(answer: Any) -> str:
    return escape(answer.redirect_chain[-1][0])
