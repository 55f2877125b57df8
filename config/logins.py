"""Log-ins of the back office: who guesses passwords is locked out, and each outcome is told."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any

import structlog
from django.conf import settings
from django.contrib.auth.models import User
from django.contrib.auth.signals import user_logged_in, user_logged_out, user_login_failed
from django.dispatch import receiver
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from config.http.addresses import client_address

_log = structlog.get_logger("logins")


def guesses_nothing(request: HttpRequest, credentials: dict[str, Any] | None) -> bool:
    """Tell whether an attempt compares no password, and so is none to be counted (for axes)."""
    del request
    return not (credentials or {}).get("username")


def locked_out(
    request: HttpRequest, response: HttpResponse | None, credentials: dict[str, Any] | None
) -> HttpResponse:
    """Say on a page for how long this name is locked from this address (for axes)."""
    del response, credentials
    _log.warning("login_locked", address=client_address(request))
    page = render(
        request,
        "admin/locked.html",
        {"minutes": settings.LOGIN_LOCK_MINUTES},
        status=HTTPStatus.TOO_MANY_REQUESTS,
    )
    page.headers["Retry-After"] = str(settings.LOGIN_LOCK_MINUTES * 60)
    return page


@receiver(user_logged_in, dispatch_uid="config.logged_in")
def _logged_in(sender: Any, request: HttpRequest, user: User, **kwargs: Any) -> None:
    del sender, kwargs
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
