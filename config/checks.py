"""System checks of the settings: each names what is wrong and what to set."""

from __future__ import annotations

from typing import Any
from zoneinfo import ZoneInfo

from django.conf import settings
from django.core.checks import CheckMessage, Error, register

from cases.calendar import named_calendar


@register
def check_settings(**kwargs: Any) -> list[CheckMessage]:
    """Check what every environment needs."""
    del kwargs
    found: list[CheckMessage] = []
    if not settings.DATABASE_URL:
        found.append(
            Error(
                "DATABASE_URL is not set.",
                hint="Set it to postgresql://user:password@host:5432/name.",
                id="config.E001",
            )
        )
    elif settings.DATABASES["default"]["ENGINE"] != "django.db.backends.postgresql":
        found.append(
            Error(
                "DATABASE_URL names a database that is not PostgreSQL.",
                hint="The guards of the audit trail live in PostgreSQL: use version 15 or newer.",
                id="config.E002",
            )
        )
    try:
        ZoneInfo(settings.SLA_TIME_ZONE)
    except (KeyError, ValueError, OSError):
        found.append(
            Error(
                f"SLA_TIME_ZONE is {settings.SLA_TIME_ZONE!r}, which is no known time zone.",
                hint="Use a name of the IANA database, like Europe/Berlin.",
                id="config.E003",
            )
        )
    try:
        named_calendar(settings.SLA_HOLIDAYS)
    except (NotImplementedError, ValueError, KeyError):
        found.append(
            Error(
                f"SLA_HOLIDAYS is {settings.SLA_HOLIDAYS!r}, which is no known calendar.",
                hint="Use a country's code, with a subdivision's where there is one, like DE-BE; "
                "leave it unset to count weekends only.",
                id="config.E004",
            )
        )
    if settings.CASES_FOUR_EYES_SETTING not in ("on", "off"):
        found.append(
            Error(
                f"CASES_FOUR_EYES is {settings.CASES_FOUR_EYES_SETTING!r}.",
                hint="Set it to on or off; unset, the rule is on.",
                id="config.E005",
            )
        )
    return found


@register
def check_production(**kwargs: Any) -> list[CheckMessage]:
    """Check what production must not run with."""
    del kwargs
    if not settings.PRODUCTION:
        return []
    found: list[CheckMessage] = []
    if settings.SECRET_KEY == settings.DEMO_SECRET_KEY:
        found.append(
            Error(
                "SECRET_KEY is not set: the demo's key is public.",
                hint="Set it to at least 50 random characters.",
                id="config.E010",
            )
        )
    if settings.DEBUG:
        found.append(Error("DEBUG is on in production.", hint="Unset it.", id="config.E011"))
    if "*" in settings.ALLOWED_HOSTS or not settings.ALLOWED_HOSTS:
        found.append(
            Error(
                "ALLOWED_HOSTS is empty or holds a wildcard.",
                hint="List the host names under which the service is reached.",
                id="config.E012",
            )
        )
    if settings.ACTOR_HEADERS_SETTING not in ("off", "unsafe-in-production"):
        found.append(
            Error(
                f"ACTOR_HEADERS is {settings.ACTOR_HEADERS_SETTING!r}: whoever calls could name"
                " any actor and any role.",
                hint="Unset it; who must have it sets it to unsafe-in-production.",
                id="config.E013",
            )
        )
    return found
