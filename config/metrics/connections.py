"""The connections to the database, as ``config.postgresql`` makes and closes them.

Each thread of a worker keeps one (``CONN_MAX_AGE``), so there are at most as many as threads; many
new ones mean that they do not last.
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
    "Connections to the database that are held.",
    registry=registry,
    multiprocess_mode="livesum",
)


def opened() -> None:
    """Count a connection that was made."""
    _opened.inc()
    _held.inc()


def closed() -> None:
    """Count a connection that is held no longer."""
    _held.dec()
