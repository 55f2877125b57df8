"""The pools of connections that the threads of a worker share, where there are any.

A pool counts for itself, in its own process. So each worker hands on what its pools say, again and
again while it runs (``config.server``), and whoever is scraped adds all of them up.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from prometheus_client import Counter, Gauge
from psycopg_pool import ConnectionPool

from config.metrics import registry


def _gauge(name: str, meaning: str) -> Gauge:
    return Gauge(name, meaning, ("database",), registry=registry, multiprocess_mode="livesum")


def _counter(name: str, meaning: str) -> Counter:
    return Counter(name, meaning, ("database",), registry=registry)


# By what psycopg_pool calls them.
_NOW: Final[Mapping[str, Gauge]] = {
    "pool_max": _gauge("database_pool_limit", "Connections that pools may hold."),
    "pool_size": _gauge("database_pool_size", "Connections that pools hold, in use or not."),
    "pool_available": _gauge("database_pool_idle", "Of these, connections that nobody uses."),
    "requests_waiting": _gauge("database_pool_waiting", "Requests that wait for a connection."),
}
_SO_FAR: Final[Mapping[str, Counter]] = {
    "requests_queued": _counter("database_pool_waits", "Requests that had to wait for one."),
    "requests_errors": _counter("database_pool_timeouts", "Requests that got none in time."),
}
_WAITED_MS: Final = "requests_wait_ms"
_waited: Final = _counter("database_pool_wait_seconds", "Time that requests have waited for one.")

_pools: Final[dict[str, ConnectionPool[Any]]] = {}
_told: Final[dict[tuple[str, str], int]] = {}


def watch(database: str, pool: ConnectionPool[Any]) -> None:
    """Hand on from now on what this pool says, which counts from zero."""
    for name in (*_SO_FAR, _WAITED_MS):
        _told[database, name] = 0
    _pools[database] = pool


def publish() -> None:
    """Hand on what the pools of this process say; by one thread only."""
    for database, pool in [*_pools.items()]:
        said = pool.get_stats()
        for name, gauge in _NOW.items():
            gauge.labels(database).set(said.get(name, 0))
        for name, counter in _SO_FAR.items():
            counter.labels(database).inc(_more(database, name, said))
        _waited.labels(database).inc(_more(database, _WAITED_MS, said) / 1000)


def _more(database: str, name: str, said: Mapping[str, int]) -> int:
    """Return by how much this has grown since it was told."""
    before, now = _told[database, name], said.get(name, 0)
    _told[database, name] = now
    return now - before
