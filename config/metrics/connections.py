"""The connections to the database, as ``config.postgresql`` makes and closes them.

Each thread of a worker keeps one (``CONN_MAX_AGE``), or takes one out of the pool for each request,
so at most as many are held as there are threads; many new ones mean that they do not last.
"""

from __future__ import annotations

from typing import Final

from prometheus_client import Counter, Gauge

from config.metrics import registry

_opened: Final = Counter(
    "database_connections_opened",
    "Connections to the database that were made.",
    registry=registry,
)
_held: Final = Gauge(
    "database_connections",
    "Connections to the database that threads hold.",
    registry=registry,
    multiprocess_mode="livesum",
)


def opened() -> None:
    """Count a connection that was made."""
    _opened.inc()


def taken() -> None:
    """Count a connection that a thread holds from now on."""
    _held.inc()


def let_go() -> None:
    """Count a connection that its thread holds no longer."""
    _held.dec()
