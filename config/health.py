"""Liveness and readiness, for whoever starts, watches and balances the processes."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from concurrent.futures import Future
from functools import wraps
from typing import Final

import structlog
from django.db import DatabaseError, InterfaceError
from django.db.backends.base.base import BaseDatabaseWrapper
from django.http import HttpRequest, JsonResponse
from django.views.decorators.csrf import csrf_exempt
from rest_framework.exceptions import MethodNotAllowed

from config import handover
from config.http.errors import NotReady, answer
from config.migrated import MISSING, is_migrated
from config.postgresql.base import unpooled

_log = structlog.get_logger("health")
_known_migrated = False
_PATIENCE: Final = 2.0  # seconds for the database to answer, less than any probe has
# A question that hangs for longer, in seconds, hangs by itself: it is asked anew, so often at most.
_HANGS: Final = 10.0
_MOST: Final = 4

View = Callable[[HttpRequest], JsonResponse]


def _safe(view: View) -> View:
    """Answer GET and HEAD; refuse the rest as the API refuses it."""

    @csrf_exempt  # nothing is written here, and its refusal would be a page
    @wraps(view)
    def wrapped(request: HttpRequest) -> JsonResponse:
        if request.method in ("GET", "HEAD"):
            return view(request)
        response = answer(MethodNotAllowed(request.method or ""))
        response["Allow"] = "GET, HEAD"
        return response

    return wrapped


@_safe
def live(request: HttpRequest) -> JsonResponse:
    """Answer while the process can answer at all."""
    del request
    return JsonResponse({"status": "ok"})


@_safe
def ready(request: HttpRequest) -> JsonResponse:
    """Answer 200 when this process can do its work, else 503 and why, within a few seconds."""
    del request
    if reason := "This process is being stopped." if handover.stopping() else _database.reason():
        _log.warning("not_ready", cause=reason)
        return answer(NotReady(reason))
    return JsonResponse({"status": "ok"})


class _Database:
    """Asks the database on a connection of its own, made for the question, in a thread of its own.

    So a database that hangs keeps few threads waiting, however often this is asked; and whether
    connections are to be had is part of the answer.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._asked: Future[str | None] | None = None
        self._since = 0.0
        self._hanging: list[Future[str | None]] = []

    def reason(self) -> str | None:
        """Return what is wrong, if anything is; who asks meanwhile gets the same answer."""
        with self._lock:
            now = time.monotonic()
            self._hanging = [asked for asked in self._hanging if not asked.done()]
            hangs = now > self._since + _HANGS and len(self._hanging) < _MOST
            if self._asked is None or self._asked.done() or hangs:
                self._asked = _asking()
                self._hanging.append(self._asked)
                self._since = now
            asked, left = self._asked, self._since + _PATIENCE - now
        try:
            return asked.result(max(left, 0))
        except TimeoutError:
            return f"The database does not answer within {_PATIENCE:.0f} seconds."


_database = _Database()


def _asking() -> Future[str | None]:
    asked: Future[str | None] = Future()
    # A daemon: the process ends, whatever the database does.
    threading.Thread(target=_ask, args=(asked,), daemon=True).start()
    return asked


def _ask(asked: Future[str | None]) -> None:
    reason: str | None = "The database does not answer."
    try:
        own = unpooled()
        try:
            reason = _missing(own)
        finally:
            own.close()
    except (DatabaseError, InterfaceError) as error:
        # In the server's words: nothing of a user's is in what is asked here.
        cause = type(error.__cause__ or error).__name__
        _log.warning("database_away", cause=cause, error=str(error).strip())
    finally:
        asked.set_result(reason)


def _missing(own: BaseDatabaseWrapper) -> str | None:
    global _known_migrated  # noqa: PLW0603 (asked once: migrations of this code do not vanish)
    if _known_migrated:
        with own.cursor() as cursor:
            cursor.execute("SELECT 1")
        return None
    if not is_migrated(own):
        return MISSING
    _known_migrated = True
    return None
