"""GET /metrics: figures for Prometheus. Numbers and names of ours, nothing of any case."""

from __future__ import annotations

import os
import secrets
from collections.abc import Iterable, Iterator
from pathlib import Path

import structlog
from django.conf import settings
from django.db import Error
from django.http import HttpRequest, HttpResponse
from django.utils.timezone import now
from django.views.decorators.csrf import csrf_exempt
from prometheus_client import CollectorRegistry
from prometheus_client.exposition import CONTENT_TYPE_LATEST, generate_latest
from prometheus_client.metrics_core import GaugeMetricFamily, Metric
from prometheus_client.multiprocess import MultiProcessCollector
from prometheus_client.registry import Collector
from rest_framework.exceptions import MethodNotAllowed, NotAuthenticated

from cases import selectors
from config import metrics as counted
from config.counting import FOLDER
from config.http.errors import answer
from outbox.metrics import BacklogCollector

_log = structlog.get_logger("metrics")


class DatabaseCollector(Collector):
    """Asks the database each time somebody scrapes.

    Where it does not answer, that is told, and what the processes have counted is told all the
    same: an outage is when one looks at errors and times.
    """

    def describe(self) -> Iterator[Metric]:
        """Name no metric beforehand: the database may be away."""
        return iter(())

    def collect(self) -> Iterator[Metric]:
        """Yield whether the database answers, the overdue cases and the backlog of the outbox."""
        found: list[Metric] = []
        try:
            found.append(
                GaugeMetricFamily(
                    "cases_overdue",
                    "Open cases that are past their due date, on a running clock.",
                    value=selectors.count_overdue(at=now()),
                )
            )
            found.extend(BacklogCollector().collect())
        except Error as error:
            _log.warning("metrics_without_database", cause=type(error.__cause__ or error).__name__)
            found.clear()
        yield GaugeMetricFamily(
            "database_answers",
            "1 where the database answered this scrape, 0 where it did not.",
            value=bool(found),
        )
        yield from found


class WorkersCollector(Collector):
    """Adds up what the workers of this server have counted, each in files of its own."""

    def describe(self) -> Iterator[Metric]:
        """Name no metric beforehand: what is counted is what has happened."""
        return iter(())

    def collect(self) -> Iterable[Metric]:
        """Return the figures of all workers, those that have ended included."""
        files = [str(file) for file in Path(os.environ[FOLDER]).glob("*.db") if _has_begun(file)]
        merged: Iterable[Metric] = MultiProcessCollector.merge(files)  # type: ignore[no-untyped-call] # the library's
        return merged


def _has_begun(file: Path) -> bool:
    """Say whether there are figures in it.

    A worker opens its file a moment before it gives it a size, and the library fails on a file
    without one; connections of a worker that has ended go away with their file.
    """
    try:
        return file.stat().st_size > 0
    except FileNotFoundError:
        return False


@csrf_exempt  # nothing is written here, and its refusal would be a page
def metrics(request: HttpRequest) -> HttpResponse:
    """Answer with all figures, those of the database where it gives them.

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
    return HttpResponse(generate_latest(_everything()), content_type=CONTENT_TYPE_LATEST)


def _everything() -> CollectorRegistry:
    """Return what all processes of this server have counted, and what the database knows."""
    found = CollectorRegistry()
    found.register(DatabaseCollector())  # first: it may make a connection, which counts
    if os.environ.get(FOLDER):
        found.register(WorkersCollector())
    else:
        found.register(counted.registry)
    return found


def _bears_the_token(request: HttpRequest) -> bool:
    given = request.headers.get("Authorization", "").encode()
    return secrets.compare_digest(given, f"Bearer {settings.METRICS_TOKEN}".encode())
