"""GET /metrics: figures for Prometheus. Numbers and names of destinations, nothing of any case."""

from __future__ import annotations

import secrets
from typing import Final

from django.conf import settings
from django.db import Error
from django.http import HttpRequest, HttpResponse
from django.views.decorators.csrf import csrf_exempt
from prometheus_client import CollectorRegistry
from prometheus_client.exposition import CONTENT_TYPE_LATEST, generate_latest
from rest_framework.exceptions import MethodNotAllowed, NotAuthenticated

from config.http.errors import answer
from outbox.metrics import BacklogCollector

registry: Final = CollectorRegistry()
registry.register(BacklogCollector())


@csrf_exempt  # nothing is written here, and its refusal would be a page
def metrics(request: HttpRequest) -> HttpResponse:
    """Answer with all figures; 503 where the database does not give them.

    Where METRICS_TOKEN is set, only who sends it as a bearer token is answered.
    """
    if request.method not in ("GET", "HEAD"):
        refusal = answer(MethodNotAllowed(request.method or ""))
        refusal["Allow"] = "GET, HEAD"
        return refusal
    if settings.METRICS_TOKEN and not _bears_the_token(request):
        refusal = answer(NotAuthenticated())
        refusal["WWW-Authenticate"] = "Bearer"
        return refusal
    try:
        figures = generate_latest(registry)
    except Error as error:
        return answer(error)
    return HttpResponse(figures, content_type=CONTENT_TYPE_LATEST)


def _bears_the_token(request: HttpRequest) -> bool:
    given = request.headers.get("Authorization", "").encode()
    return secrets.compare_digest(given, f"Bearer {settings.METRICS_TOKEN}".encode())
