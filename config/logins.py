"""Log-ins of the back office: who guesses is locked out, sessions begin, each outcome is told."""

from __future__ import annotations

from datetime import timedelta
from http import HTTPStatus
from typing import Any

import structlog
from axes.handlers.database import AxesDatabaseHandler
from axes.models import AccessAttempt
from django.conf import settings
from django.contrib.auth.models import User
from django.contrib.auth.signals import user_logged_in, user_logged_out, user_login_failed
from django.db.models import Sum
from django.dispatch import receiver
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import render
from django.utils.timezone import now

from config import sessions
from config.http.addresses import client_address

_log = structlog.get_logger("logins")


class Attempts(AxesDatabaseHandler):  # type: ignore[misc] # its library has no types
    """Counts wrong passwords by name and address, and for an address over all names.

    Who tries one password on many names stays below the limit of each name.
    """

    def is_locked(self, request: HttpRequest, credentials: dict[str, Any] | None = None) -> bool:
        """Tell whether this attempt is not even looked at."""
        return super().is_locked(request, credentials) or _address_locked(request)

    def user_login_failed(
        self,
        sender: Any,
        credentials: dict[str, Any],
        request: HttpRequest | None = None,
        **kwargs: Any,
    ) -> None:
        """Count it, and keep nothing of the form or the query: what is typed there may be secret.

        Nor can what no database keeps be in the way of counting.
        """
        if request is None:
            super().user_login_failed(sender, credentials, request, **kwargs)
            return
        query, form = request.GET, request.POST
        request.GET, request.POST = QueryDict(), QueryDict()
        try:
            super().user_login_failed(sender, credentials, request, **kwargs)
        finally:
            request.GET, request.POST = query, form


def _address_locked(request: HttpRequest) -> bool:
    address = client_address(request)
    if address is None:
        return False
    since = now() - timedelta(minutes=settings.LOGIN_LOCK_MINUTES)
    lately = AccessAttempt.objects.filter(ip_address=address, attempt_time__gte=since)
    failures = lately.aggregate(all=Sum("failures_since_start"))["all"] or 0
    return bool(failures >= settings.LOGIN_ADDRESS_FAILURES)


def guesses_nothing(request: HttpRequest, credentials: dict[str, Any] | None) -> bool:
    """Tell whether an attempt compares no password, and so is none to be counted (for axes)."""
    del request
    return not (credentials or {}).get("username")


def locked_out(
    request: HttpRequest, response: HttpResponse | None, credentials: dict[str, Any] | None
) -> HttpResponse:
    """Say on a page for how long this name, or any, is locked from this address (for axes)."""
    del response, credentials
    _log.warning("login_locked", address=client_address(request))
    page = render(
        request,
        "admin/locked.html",
        {"minutes": settings.LOGIN_LOCK_MINUTES, "any_name": _address_locked(request)},
        status=HTTPStatus.TOO_MANY_REQUESTS,
    )
    page.headers["Retry-After"] = str(settings.LOGIN_LOCK_MINUTES * 60)
    return page


@receiver(user_logged_in, dispatch_uid="config.logged_in")
def _logged_in(sender: Any, request: HttpRequest, user: User, **kwargs: Any) -> None:
    del sender, kwargs
    sessions.begin(request, hours=settings.SESSION_HOURS)
    _log.info("logged_in", actor_id=user.username, address=client_address(request))


@receiver(user_logged_out, dispatch_uid="config.logged_out")
def _logged_out(sender: Any, request: HttpRequest, user: User | None, **kwargs: Any) -> None:
    del sender, kwargs
    if user is not None:
        _log.info("logged_out", actor_id=user.username, address=client_address(request))


@receiver(user_login_failed, dispatch_uid="config.login_failed")
def _login_failed(sender: Any, request: HttpRequest | None = None, **kwargs: Any) -> None:
    """Tell from where, never what was typed: passwords end up in the field for the name."""
    del sender, kwargs
    _log.warning("login_failed", address=client_address(request) if request else None)
