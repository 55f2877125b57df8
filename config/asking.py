"""The request that is being answered, for what happens deep below it and has to say who asked."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

from django.http import HttpRequest

_request: ContextVar[HttpRequest | None] = ContextVar("request", default=None)


@contextmanager
def asking(request: HttpRequest) -> Iterator[None]:
    """Let ``current`` return this request within."""
    token = _request.set(request)
    try:
        yield
    finally:
        _request.reset(token)


def who() -> str:
    """Return the name of the account that asks; empty for a stranger and in a command."""
    user = getattr(current(), "user", None)
    return str(user.get_username()) if user is not None and user.is_authenticated else ""


def current() -> HttpRequest | None:
    """Return the request; None in a command."""
    return _request.get()
