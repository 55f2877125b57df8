"""What is waiting: the figures that operators, metrics and checks look at.

Every statement reads partial indexes that hold only rows not dealt with, so a history of millions
of delivered ones costs nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, NamedTuple

from django.conf import settings
from django.db import connection

# The destinations that have rows, by jumping along the index instead of counting what is in it.
DESTINATIONS: Final = """
WITH RECURSIVE known (destination) AS (
    (SELECT destination FROM outbox_events WHERE processed_at IS NULL
      ORDER BY destination LIMIT 1)
    UNION ALL
    SELECT (SELECT later.destination FROM outbox_events later
             WHERE later.processed_at IS NULL AND later.destination > known.destination
             ORDER BY later.destination LIMIT 1)
      FROM known WHERE known.destination IS NOT NULL
)
SELECT destination FROM known WHERE destination IS NOT NULL
"""
FIGURES: Final = """
SELECT asked.destination, fresh.count, retries.count, retries.due, dead.count,
       coalesce(extract(epoch FROM statement_timestamp()
                                   - least(oldest.written_at, retries.written_at)), 0)::float8
  FROM unnest(%s::text[]) WITH ORDINALITY AS asked (destination, place)
 CROSS JOIN LATERAL (
       SELECT count(*) FROM outbox_events
        WHERE destination = asked.destination
          AND processed_at IS NULL AND dead_at IS NULL AND attempts = 0) AS fresh
 CROSS JOIN LATERAL (
       SELECT count(*), count(*) FILTER (WHERE next_attempt_at <= statement_timestamp()) AS due,
              min(written_at) AS written_at
         FROM outbox_events
        WHERE destination = asked.destination
          AND processed_at IS NULL AND dead_at IS NULL AND attempts > 0) AS retries
 CROSS JOIN LATERAL (
       SELECT count(*) FROM outbox_events
        WHERE destination = asked.destination
          AND processed_at IS NULL AND dead_at IS NOT NULL) AS dead
  LEFT JOIN LATERAL (
       SELECT written_at FROM outbox_events
        WHERE destination = asked.destination
          AND processed_at IS NULL AND dead_at IS NULL AND attempts = 0
        ORDER BY id LIMIT 1) AS oldest ON true
 ORDER BY asked.place
"""


class Backlog(NamedTuple):
    """How much one destination has not got yet."""

    destination: str
    fresh: int
    """Never tried; what an earlier one of its case keeps back is in here too."""
    retrying: int
    """Failed at least once, to be tried again."""
    retries_due: int
    """Of these, the time has come."""
    dead: int
    oldest_seconds: float
    """Age of the oldest one that is not dead; 0 without any."""

    @property
    def pending(self) -> int:
        """How many are to be delivered, dead ones apart."""
        return self.fresh + self.retrying

    @property
    def due(self) -> int:
        """How many could go now, as far as order lets them."""
        return self.fresh + self.retries_due

    @property
    def configured(self) -> bool:
        """Whether any drainer with these settings delivers them."""
        return self.destination in settings.OUTBOX_DESTINATIONS


def backlog() -> list[Backlog]:
    """Return the figures of every destination that is configured or has rows.

    Raises:
        OperationalError: the database is away.
    """
    with connection.cursor() as cursor:
        cursor.execute(DESTINATIONS)
        found = [row[0] for row in cursor.fetchall()]
        names = [*settings.OUTBOX_DESTINATIONS, *found]
        cursor.execute(FIGURES, [list(dict.fromkeys(names))])
        return [Backlog(*row) for row in cursor.fetchall()]


def undeliverable() -> Mapping[str, int]:
    """Return how many rows wait for destinations that are not configured, by their names."""
    return {
        own.destination: own.pending + own.dead
        for own in backlog()
        if not own.configured and own.pending + own.dead
    }
