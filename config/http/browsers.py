"""Django's middleware for people at a browser, passed by for programs that send a bearer token.

Such a request has no session, so sessions, log-ins and messages have nothing to do; together they
would take a tenth of its time. The back office is always for browsers, since a proxy before it may
send tokens of its own.
"""

from __future__ import annotations

from django.contrib.auth.middleware import AuthenticationMiddleware
from django.contrib.messages.middleware import MessageMiddleware
from django.contrib.sessions.middleware import SessionMiddleware
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django_otp.middleware import OTPMiddleware


class _ForBrowsers:
    """Goes before a middleware of Django's and decides whether it is asked."""

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        """Pass the request on, past the middleware where a token was sent."""
        if sends_token(request):
            return self.get_response(request)  # type: ignore[attr-defined,no-any-return] # of Django's class beside
        return super().__call__(request)  # type: ignore[misc,no-any-return] # of Django's class beside


def sends_token(request: HttpRequest) -> bool:
    """Tell whether a request is a program's, by bearer token (RFC 6750)."""
    given: str | None = request.META.get("HTTP_AUTHORIZATION")
    if given is None or given[:7].lower() != "bearer ":
        return False
    return not request.path_info.startswith("/admin")


class Sessions(_ForBrowsers, SessionMiddleware):
    """See the module."""


class Authentication(_ForBrowsers, AuthenticationMiddleware):
    """See the module."""


class SecondFactor(_ForBrowsers, OTPMiddleware):  # type: ignore[misc] # its library has no types
    """See the module."""


class Messages(_ForBrowsers, MessageMiddleware):
    """See the module."""
