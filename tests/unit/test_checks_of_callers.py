"""What the checks say of settings that decide who may call, and how often."""

from __future__ import annotations

import pytest

from config.checks import check_callers

ON = {"OIDC_ISSUER": "https://login.example.org/realms/office", "OIDC_AUDIENCE": "cases-api"}
LOG_IN = {"OIDC_CLIENT_ID": "back-office", "OIDC_CLIENT_SECRET": "known-to-two"}
WRONG = [
    ({"API_RATE": "often"}, ["config.E021"]),
    ({"API_RATE": "600"}, ["config.E021"]),
    ({"API_RATE": "600/fortnight"}, ["config.E021"]),
    ({"THROTTLE_STORAGE": "unheard-of://"}, ["config.E022"]),
    ({"THROTTLE_STORAGE": "redis://localhost:6379"}, ["config.E022"]),  # not installed here
    ({"THROTTLE_STORAGE": ""}, ["config.E022"]),
    (ON | {"OIDC_ISSUER": "login.example.org"}, ["config.E023"]),
    (ON | {"OIDC_ISSUER": "ftp://login.example.org"}, ["config.E023"]),
    (ON | {"OIDC_ISSUER": "https://login.example.org/?realm=office"}, ["config.E023"]),
    (ON | {"PRODUCTION": True, "OIDC_ISSUER": "http://login.example.org"}, ["config.E024"]),
    (ON | {"OIDC_AUDIENCE": ""}, ["config.E025"]),
    (ON | {"OIDC_ISSUER": ""}, ["config.E026"]),
    (ON | LOG_IN | {"OIDC_CLIENT_SECRET": ""}, ["config.E027"]),
    (ON | LOG_IN | {"OIDC_CLIENT_ID": ""}, ["config.E027"]),
    (LOG_IN, ["config.E028"]),
    (ON | {"OIDC_ROLES_CLAIM": ""}, ["config.E029"]),
    (ON | {"OIDC_ACTOR_CLAIM": ""}, ["config.E029"]),
    (ON | LOG_IN | {"OIDC_SCOPES": "profile"}, ["config.E030"]),
]
RIGHT = [
    {},
    ON,
    ON | LOG_IN,
    ON | LOG_IN | {"OIDC_AUDIENCE": ""},
    ON | {"PRODUCTION": True},
    ON | {"OIDC_ISSUER": "http://127.0.0.1:9400"},
    {"API_RATE": ""},
    {"API_RATE": "10 per second"},
    {"TRUSTED_PROXIES": 2},
]


def say(settings, changes):
    for name, value in changes.items():
        setattr(settings, name, value)
    return check_callers()


@pytest.mark.parametrize(("changes", "ids"), WRONG, ids=str)
def test_what_is_wrong_is_said_with_a_way_out(settings, changes, ids) -> None:
    found = say(settings, changes)

    assert [message.id for message in found] == ids
    assert all(message.hint for message in found)


@pytest.mark.parametrize("changes", RIGHT, ids=str)
def test_what_is_right_is_not_remarked_on(settings, changes) -> None:
    assert say(settings, changes) == []


def test_no_secret_is_repeated(settings) -> None:
    found = say(settings, LOG_IN | {"THROTTLE_STORAGE": "redis://:secret@cache:6379"})

    assert len(found) == 2
    assert "secret@" not in str(found)
    assert LOG_IN["OIDC_CLIENT_SECRET"] not in str(found)
