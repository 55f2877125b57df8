"""What production must not run with: system checks, each with what to set instead."""

from __future__ import annotations

from difflib import get_close_matches
from os import environ
from typing import Any, Final

from django.conf import settings
from django.core.checks import CheckMessage, Error, Warning, register  # noqa: A004 (Django's name)

_LEAST_SECRET: Final = 50  # characters, as Django asks
_LEAST_DIFFERENT: Final = 5
_LEAST_TOKEN: Final = 20


@register
def check_production(**kwargs: Any) -> list[CheckMessage]:
    """Check that nothing is on that only demo, trials and debugging may have."""
    del kwargs
    if not settings.PRODUCTION:
        return []
    found: list[CheckMessage] = []
    if settings.SECRET_KEY == settings.DEMO_SECRET_KEY:
        found.append(
            Error(
                "SECRET_KEY is not set: the demo's key is public.",
                hint=f"Set it to at least {_LEAST_SECRET} random characters.",
                id="config.E010",
            )
        )
    elif _can_be_guessed(settings.SECRET_KEY):
        found.append(
            Error(
                "SECRET_KEY can be guessed: who has it can log in as anybody.",
                hint=f"Set it to at least {_LEAST_SECRET} random characters, made by python -c "
                "'import secrets; print(secrets.token_urlsafe(64))'.",
                id="config.E014",
            )
        )
    if any(map(_can_be_guessed, settings.SECRET_KEY_FALLBACKS)):
        found.append(
            Error(
                "SECRET_KEY_FALLBACKS can be guessed: it opens what SECRET_KEY opens.",
                hint="List earlier keys of production only, parted by spaces, or unset it.",
                id="config.E018",
            )
        )
    if settings.DEBUG:
        found.append(
            Error(
                "DEBUG is on in production: its pages show settings and what users wrote.",
                hint="Unset it.",
                id="config.E011",
            )
        )
    if not settings.ALLOWED_HOSTS or any(_is_wildcard(host) for host in settings.ALLOWED_HOSTS):
        found.append(
            Error(
                "ALLOWED_HOSTS is empty or holds a wildcard.",
                hint="List the host names under which the service is reached.",
                id="config.E012",
            )
        )
    if settings.ACTOR_HEADERS_SETTING == "on":
        found.append(
            Error(
                "ACTOR_HEADERS is on: whoever calls could name any actor and any role.",
                hint="Unset it; who must have it sets it to unsafe-in-production.",
                id="config.E013",
            )
        )
    if any("*" in origin or origin[:8] != "https://" for origin in settings.CSRF_TRUSTED_ORIGINS):
        found.append(
            Error(
                "CSRF_TRUSTED_ORIGINS holds a wildcard or an origin without TLS.",
                hint="List whole origins, like https://cases.example.org.",
                id="config.E015",
            )
        )
    return found + _check_what_can_be_seen()


def _can_be_guessed(key: str) -> bool:
    weak = len(key) < _LEAST_SECRET or len({*key}) < _LEAST_DIFFERENT
    return weak or key == settings.DEMO_SECRET_KEY


def _is_wildcard(host: str) -> bool:
    return host[:1] == "." or "*" in host


def _check_what_can_be_seen() -> list[CheckMessage]:
    found: list[CheckMessage] = []
    if settings.SQL_ECHO:
        found.append(
            Error(
                "SQL_ECHO is on in production: the log would hold what users wrote.",
                hint="Unset it.",
                id="config.E016",
            )
        )
    if settings.METRICS_TOKEN and len(settings.METRICS_TOKEN) < _LEAST_TOKEN:
        found.append(
            Error(
                "METRICS_TOKEN can be guessed.",
                hint=f"Set it to at least {_LEAST_TOKEN} random characters; without it production "
                "tells nobody its metrics.",
                id="config.E017",
            )
        )
    return found


@register
def check_names(**kwargs: Any) -> list[CheckMessage]:
    """Warn of variables that are set and not read, but nearly have a name that is."""
    del kwargs
    known = {name: name for name in settings.VARIABLES.known}
    known |= {f"{v.name}_FILE": v.name for v in settings.VARIABLES.known.values() if v.secret}
    return [
        Warning(
            f"{name} is set, but nothing reads it.",
            hint=f"Is it to be {meant[0]}?",
            id="config.W001",
        )
        for name in sorted({*environ} - {*known})
        if (meant := get_close_matches(name, known, n=1, cutoff=0.9))
    ]
