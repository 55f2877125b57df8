"""What the outbox tells Prometheus: how much is waiting, for how long, and what became of it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import structlog
from django.db import Error, connection
from prometheus_client import CollectorRegistry, Counter, start_http_server
from prometheus_client.metrics_core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from outbox.backlog import backlog
from outbox.relay import Batch

_log = structlog.get_logger("outbox")

# Counted in the process of a drainer; the backlog is read from the database by whoever asks.
drainer_registry: Final = CollectorRegistry()
_delivered: Final = Counter(
    "outbox_delivered",
    "Messages that this drainer has delivered.",
    ("destination",),
    registry=drainer_registry,
)
_failed: Final = Counter(
    "outbox_failed",
    "Attempts of this drainer that failed.",
    ("destination",),
    registry=drainer_registry,
)
_died: Final = Counter(
    "outbox_died",
    "Messages that this drainer gave up.",
    ("destination",),
    registry=drainer_registry,
)
_away: Final = Counter(
    "outbox_destination_away",
    "Batches that this drainer could not hand over, since the destination was away.",
    ("destination",),
    registry=drainer_registry,
)


def count(destination: str, batch: Batch) -> None:
    """Add what became of a batch."""
    _delivered.labels(destination).inc(batch.delivered)
    _failed.labels(destination).inc(batch.failed)
    _died.labels(destination).inc(batch.dead)
    _away.labels(destination).inc(batch.untried > 0)


class BacklogCollector(Collector):
    """Reads the backlog from the database each time somebody asks."""

    def describe(self) -> Iterator[Metric]:
        """Name the metrics without asking the database: it may be away when this is registered."""
        return iter(())

    def collect(self) -> Iterator[Metric]:
        """Yield the gauges, one value for each destination that has or wants any rows."""
        labels = ("destination",)
        pending = GaugeMetricFamily(
            "outbox_pending", "Messages that are not delivered and not dead.", labels=labels
        )
        oldest = GaugeMetricFamily(
            "outbox_oldest_pending_seconds",
            "Age of the oldest message that is not delivered and not dead; 0 when there is none.",
            labels=labels,
        )
        retrying = GaugeMetricFamily(
            "outbox_retrying", "Pending messages that failed at least once.", labels=labels
        )
        dead = GaugeMetricFamily(
            "outbox_dead", "Messages that were given up and wait for a person.", labels=labels
        )
        for own in backlog():
            name = [own.destination]
            pending.add_metric(name, own.pending)
            oldest.add_metric(name, own.oldest_seconds)
            retrying.add_metric(name, own.retrying)
            dead.add_metric(name, own.dead)
        yield from (pending, oldest, retrying, dead)


def serve(port: int, host: str) -> None:
    """Answer GET /metrics in threads: the counters of this process, and the backlog.

    Raises:
        OSError: the port is taken, or is not ours to take.
    """
    registry = CollectorRegistry()
    registry.register(drainer_registry)
    registry.register(_BacklogOfOneAnswer())
    start_http_server(port, host, registry)


class _BacklogOfOneAnswer(BacklogCollector):
    """The backlog where each answer is a thread of its own: its connection ends with it."""

    def collect(self) -> Iterator[Metric]:
        try:
            yield from super().collect()
        except Error as error:
            # The counters are worth having without a database, which others watch.
            _log.warning("outbox_backlog_unknown", error=str(error))
        finally:
            connection.close()
