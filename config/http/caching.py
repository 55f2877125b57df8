"""What caches between us and a caller may keep of the API: nothing that one actor was told."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.utils.cache import patch_vary_headers

from config.http.browsers import sends_token

# Everything that can name the actor (RFC 9110, 12.5.5).
_TELLS_WHO_CALLS = ("Authorization", "Cookie", "X-Actor-ID", "X-Actor-Roles")


def private_answers(
    get_response: Callable[[HttpRequest], HttpResponse],
) -> Callable[[HttpRequest], HttpResponse]:
    """Mark the answers of views that ask who calls, refusals included (RFC 9111, 5.2.2).

    A program may keep them and ask with ``If-None-Match`` whether they still hold. A browser with a
    session keeps nothing: its disk outlives the session.
    """

    def middleware(request: HttpRequest) -> HttpResponse:
        response = get_response(request)
        view = getattr(getattr(request.resolver_match, "func", None), "cls", None)
        if getattr(view, "authentication_classes", ()):
            kept = "no-store" if _of_session(request) else "private, no-cache"
            response.headers.setdefault("Cache-Control", kept)
            response.headers["Vary"] = _vary(response.headers.get("Vary", ""))
        return response

    return middleware


def _of_session(request: HttpRequest) -> bool:
    return settings.SESSION_COOKIE_NAME in request.COOKIES and not sends_token(request)


@lru_cache(maxsize=100)
def _vary(already: str) -> str:
    response = HttpResponse(headers={"Vary": already} if already else None)
    patch_vary_headers(response, _TELLS_WHO_CALLS)
    return response["Vary"]
