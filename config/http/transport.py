"""Callers without TLS: a person is led to it, a program is refused.

A redirect would hide the mistake: the program goes on sending its token in the clear each time,
and is answered. A refusal is seen at the first try.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from django.conf import settings
from django.http import HttpRequest, HttpResponse, HttpResponsePermanentRedirect

from config.http.errors import HttpsRequired, answer

# Probes and scrapes come past the proxy that ends TLS, and are told nothing of any case.
_PAST_THE_PROXY: Final = ("/health/live", "/health/ready", "/metrics")
_OF_PEOPLE: Final = ("/admin", "/docs", "/static/")


def encrypted_only(
    get_response: Callable[[HttpRequest], HttpResponse],
) -> Callable[[HttpRequest], HttpResponse]:
    """Let through what came by TLS, where ``SECURE_SSL_REDIRECT`` is on (middleware).

    Raises:
        DisallowedHost: somebody was to be led to a host that is not ours.
    """

    def middleware(request: HttpRequest) -> HttpResponse:
        if (
            not settings.SECURE_SSL_REDIRECT
            or request.is_secure()
            or request.path_info in _PAST_THE_PROXY
        ):
            return get_response(request)
        host = request.get_host()
        if _is_a_persons(request):
            return HttpResponsePermanentRedirect(f"https://{host}{request.get_full_path()}")
        return answer(HttpsRequired())

    return middleware


def _is_a_persons(request: HttpRequest) -> bool:
    """Tell whether a browser asks for a page, with nothing that nobody else should have read."""
    if request.method not in ("GET", "HEAD") or "HTTP_AUTHORIZATION" in request.META:
        return False
    path = request.path_info
    asks_for_page = "text/html" in request.META.get("HTTP_ACCEPT", "")
    return path == "/" or path.startswith(_OF_PEOPLE) or asks_for_page
