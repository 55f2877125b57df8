"""What caches between us and a caller may keep of the API: nothing that one actor was told."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache

from django.http import HttpRequest, HttpResponse
from django.utils.cache import patch_vary_headers

# Everything that can name the actor (RFC 9110, 12.5.5).
_TELLS_WHO_CALLS = ("Authorization", "Cookie", "X-Actor-ID", "X-Actor-Roles")


def private_answers(
    get_response: Callable[[HttpRequest], HttpResponse],
) -> Callable[[HttpRequest], HttpResponse]:
    """Mark the answers of views that ask who calls, refusals included (RFC 9111, 5.2.2).

    A caller may keep them and ask with ``If-None-Match`` whether they still hold.
    """

    def middleware(request: HttpRequest) -> HttpResponse:
        response = get_response(request)
        view = getattr(getattr(request.resolver_match, "func", None), "cls", None)
        if getattr(view, "authentication_classes", ()):
            response.headers.setdefault("Cache-Control", "private, no-cache")
            response.headers["Vary"] = _vary(response.headers.get("Vary", ""))
        return response

    return middleware


@lru_cache(maxsize=100)
def _vary(already: str) -> str:
    response = HttpResponse(headers={"Vary": already} if already else None)
    patch_vary_headers(response, _TELLS_WHO_CALLS)
    return response["Vary"]
