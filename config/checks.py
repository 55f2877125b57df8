"""System checks of the settings: each names what is wrong and what to set."""

from __future__ import annotations

from collections.abc import Sequence
from importlib.util import find_spec
from typing import Any
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from django.conf import settings
from django.core.checks import CheckMessage, Error, Tags, Warning, register  # noqa: A004 (Django's name)
from django.db import ProgrammingError
from limits.errors import ConfigurationError

from cases.calendar import holidays_of
from config import device_keys
from config.http.throttling import limiter, rate
from config.models import SealedDevice
from outbox.destinations.email import check_settings as check_mail_settings


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
    elif settings.DATABASES["default"]["ENGINE"] != "config.postgresql":
        found.append(
            Error(
                "DATABASE_URL names a database that is not PostgreSQL.",
                hint="The guards of the audit trail live in PostgreSQL: use version 15 or newer, "
                "like postgresql://user:password@host:5432/name.",
                id="config.E002",
            )
        )
    replica = settings.DATABASES.get("replica")
    if replica is not None and replica["ENGINE"] != "config.postgresql":
        found.append(
            Error(
                "DATABASE_REPLICA_URL names a database that is not PostgreSQL.",
                hint="Use a streaming replica of the database in DATABASE_URL, like "
                "postgresql://user:password@replica:5432/name, or leave it unset.",
                id="config.E005",
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
        holidays_of(settings.SLA_HOLIDAYS)
    except (NotImplementedError, ValueError, KeyError):
        found.append(
            Error(
                f"SLA_HOLIDAYS is {settings.SLA_HOLIDAYS!r}, which is no known calendar.",
                hint="Use a country's code, with a subdivision's where there is one, like DE-BE; "
                "leave it unset to count weekends only.",
                id="config.E004",
            )
        )
    return found


@register
def check_callers(**kwargs: Any) -> list[CheckMessage]:
    """Check what says who may call, how often, and with how much."""
    del kwargs
    found: list[CheckMessage] = []
    try:
        if settings.API_RATE:
            rate(settings.API_RATE)
    except ValueError:
        found.append(
            Error(
                f"API_RATE is {settings.API_RATE!r}, which is no rate.",
                hint="Use a number per second, minute, hour or day, like 600/minute; "
                "set it to nothing for no limit.",
                id="config.E021",
            )
        )
    try:
        limiter(settings.THROTTLE_STORAGE)
    except (ConfigurationError, ValueError):
        found.append(
            Error(
                "THROTTLE_STORAGE names no store that is installed here.",
                hint="Use memory://, or redis://host:6379 with the package redis installed.",
                id="config.E022",
            )
        )
    return found + _check_single_sign_on()


def _check_single_sign_on() -> list[CheckMessage]:
    found: list[CheckMessage] = []
    issuer = settings.OIDC_ISSUER
    parts = urlsplit(issuer)
    if issuer and (parts.scheme not in ("http", "https") or not parts.netloc or parts.query):
        found.append(
            Error(
                f"OIDC_ISSUER is {issuer!r}, which is no issuer's address.",
                hint="Use it as the issuer writes it, like https://login.example.org/realms/office.",
                id="config.E023",
            )
        )
    elif issuer and settings.PRODUCTION and parts.scheme != "https":
        found.append(
            Error(
                "OIDC_ISSUER is without TLS in production: whoever is in between could log in.",
                hint="Use its https address.",
                id="config.E024",
            )
        )
    if issuer and not (settings.OIDC_AUDIENCE or settings.OIDC_CLIENT_ID):
        found.append(
            Error(
                "OIDC_ISSUER is set, but neither OIDC_AUDIENCE nor OIDC_CLIENT_ID.",
                hint="Set OIDC_AUDIENCE for bearer tokens, OIDC_CLIENT_ID for the log-in, or both.",
                id="config.E025",
            )
        )
    if settings.OIDC_AUDIENCE and not issuer:
        found.append(
            Error("OIDC_AUDIENCE is set without OIDC_ISSUER.", hint="Set both.", id="config.E026")
        )
    if bool(settings.OIDC_CLIENT_ID) != bool(settings.OIDC_CLIENT_SECRET):
        found.append(
            Error(
                "Of OIDC_CLIENT_ID and OIDC_CLIENT_SECRET only one is set.",
                hint="The log-in of the back office needs both; bearer tokens need neither.",
                id="config.E027",
            )
        )
    if settings.OIDC_CLIENT_ID and not issuer:
        found.append(
            Error("OIDC_CLIENT_ID is set without OIDC_ISSUER.", hint="Set both.", id="config.E028")
        )
    if not settings.OIDC_ACTOR_CLAIM or not settings.OIDC_ROLES_CLAIM:
        found.append(
            Error(
                "OIDC_ACTOR_CLAIM or OIDC_ROLES_CLAIM is empty.",
                hint="Unset it for the default, sub and roles.",
                id="config.E029",
            )
        )
    if settings.OIDC_CLIENT_ID and "openid" not in settings.OIDC_SCOPES.split():
        found.append(
            Error(
                "OIDC_SCOPES lacks openid: the issuer would not say who logs in.",
                hint="Set it to openid and what your issuer needs to tell roles.",
                id="config.E030",
            )
        )
    return found


@register
def check_mail(**kwargs: Any) -> list[CheckMessage]:
    """Check the mail server where people are told of changes to their accounts by it."""
    del kwargs
    if not settings.EMAIL_URL or "email" in settings.OUTBOX_DESTINATIONS:
        return []  # nobody is told, or the destination says it
    return check_mail_settings()


@register(Tags.database, deploy=True)
def check_sealed(*, databases: Sequence[str] | None = None, **kwargs: Any) -> list[CheckMessage]:
    """Warn of keys of second factors that an earlier version kept as they were."""
    del kwargs
    if "default" not in (databases or ()):
        return []
    try:
        plain = SealedDevice.objects.exclude(key__startswith=device_keys.FORM).count()
    except ProgrammingError:
        return []  # there is no such table yet
    if not plain:
        return []
    return [
        Warning(
            f"{plain} keys of second factors stand in the database as they are.",
            hint="Once no process of the version before is left: manage.py seal_second_factors.",
            id="config.W003",
        )
    ]


def traces_wanted() -> bool:
    """Tell whether a collector of traces is named, and what can tell it any is installed."""
    return bool(settings.OTEL_EXPORTER_OTLP_ENDPOINT) and find_spec("opentelemetry") is not None


@register
def check_traces(**kwargs: Any) -> list[CheckMessage]:
    """Check that traces can be told where they are wanted."""
    del kwargs
    found: list[CheckMessage] = []
    endpoint = settings.OTEL_EXPORTER_OTLP_ENDPOINT
    if endpoint and not _is_address(endpoint):
        found.append(
            Error(
                "OTEL_EXPORTER_OTLP_ENDPOINT is no address of a collector.",
                hint="Set it to http:// or https://, the host and the port, like"
                " http://collector:4318; the path /v1/traces is added.",
                id="config.E040",
            )
        )
    if endpoint and not traces_wanted():
        found.append(
            Error(
                "OTEL_EXPORTER_OTLP_ENDPOINT is set, and OpenTelemetry is not installed.",
                hint="Install requirements-traces.txt in the place of requirements.txt.",
                id="config.E041",
            )
        )
    return found


def _is_address(url: str) -> bool:
    try:
        parts = urlsplit(url)
        return parts.scheme in ("http", "https") and bool(parts.hostname and parts.port != 0)
    except ValueError:
        return False
