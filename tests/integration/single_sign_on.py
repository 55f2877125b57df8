"""The back office with an issuer that it trusts, and the way there and back."""

from __future__ import annotations

import pytest
from django.conf import settings as project
from django.test import Client

from tests.issuer import CLIENT, running_issuer, visit

BEGIN = "/admin/oidc/begin"


@pytest.fixture
def configured(settings):
    for name, value in CLIENT.items():
        setattr(settings, name, value)
    settings.AUTHENTICATION_BACKENDS = [
        *project.AUTHENTICATION_BACKENDS,
        "config.oidc.login.SingleSignOnBackend",
    ]
    return settings


@pytest.fixture
def issuer(configured):
    with running_issuer() as found:
        configured.OIDC_ISSUER = found.url
        yield found


def log_in(browser: Client, start: str = BEGIN):
    """Go to the issuer and come back; return what the service answers then."""
    leave = browser.get(start)
    assert leave.status_code == 302
    status, back, _ = visit(leave.headers["Location"])
    assert status == 302
    return browser.get(back.removeprefix("http://testserver"))
