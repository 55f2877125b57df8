"""Liveness and readiness, for whoever starts, watches and balances the processes."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps

import structlog
from django.db import DatabaseError, InterfaceError, connection
from django.db.migrations.executor import MigrationExecutor
from django.http import HttpRequest, JsonResponse
from django.views.decorators.csrf import csrf_exempt
from rest_framework.exceptions import MethodNotAllowed

from config.http.errors import answer

_log = structlog.get_logger("health")
_known_migrated = False

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
    """Answer 200 when the database answers and no migration is missing, else 503 and why."""
    del request
    try:
        reason = _not_ready()
    except (DatabaseError, InterfaceError) as error:
        _log.warning("not_ready", cause=str(error))
        reason = "The database does not answer."
    if reason:
        return JsonResponse({"status": "unavailable", "reason": reason}, status=503)
    return JsonResponse({"status": "ok"})


def _not_ready() -> str | None:
    global _known_migrated  # noqa: PLW0603 (asked once: migrations of this code do not vanish)
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")
    if not _known_migrated:
        executor = MigrationExecutor(connection)
        if executor.migration_plan(executor.loader.graph.leaf_nodes()):
            return "Migrations are missing: run manage.py migrate."
        _known_migrated = True
    return None
