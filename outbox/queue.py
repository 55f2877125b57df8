"""The statements of the relay: which rows are next, and what is written on them.

They name only columns that are there since the first version, so drainers of several versions can
run on one database while a new one is rolled out. Payloads are passed on as text: nobody parses
what is only carried.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Final, NamedTuple

from django.db import connection

from cases.prepared import Prepared
from outbox.destinations.base import Message

# How many rows of one case a batch takes at least, as far as there are any.
_DEPTH: Final = 10

# Heads by one of the two partial indexes, in its order. They are locked first; what follows them
# in their cases is fetched then, and locked only as far as the batch goes.
_CLAIM: Final = """
WITH heads AS MATERIALIZED (
    SELECT head.case_id
      FROM outbox_events head
     WHERE head.destination = %(destination)s
       AND head.processed_at IS NULL AND head.dead_at IS NULL
       AND {due}
       AND NOT EXISTS (SELECT FROM outbox_events earlier
                        WHERE earlier.destination = %(destination)s
                          AND earlier.case_id = head.case_id
                          AND earlier.processed_at IS NULL
                          AND earlier.sequence < head.sequence)
     ORDER BY {order}
     LIMIT %(size)s
       FOR NO KEY UPDATE OF head SKIP LOCKED
)
SELECT own.id, own.event_id::text, own.payload ->> 'type', own.case_id, own.sequence,
       own.payload::text, own.attempts + 1,
       own.dead_at IS NOT NULL OR (own.attempts > 0 AND own.next_attempt_at > now())
  FROM heads
 CROSS JOIN LATERAL (
       SELECT queued.id FROM outbox_events queued
        WHERE queued.destination = %(destination)s
          AND queued.case_id = heads.case_id AND queued.processed_at IS NULL
        ORDER BY queued.sequence
        LIMIT greatest(%(depth)s, %(size)s / (SELECT count(*) FROM heads))) AS next
  JOIN outbox_events own ON own.id = next.id AND own.processed_at IS NULL
 ORDER BY own.id
 LIMIT %(size)s
   FOR NO KEY UPDATE OF own
"""
FRESH: Final = Prepared(
    _CLAIM.format(due="head.attempts = 0 AND head.id > %(after)s", order="head.id")
)
RETRIES: Final = Prepared(
    _CLAIM.format(
        due="head.attempts > 0 AND head.next_attempt_at <= now()", order="head.next_attempt_at"
    )
)

# The longest wait there is ends within an hour. What waits for longer was given its time by a
# clock that has been put back since.
_CLOCK_WENT_BACK: Final = Prepared("""
UPDATE outbox_events SET next_attempt_at = statement_timestamp()
 WHERE id IN (SELECT id FROM outbox_events
               WHERE destination = %s AND processed_at IS NULL AND dead_at IS NULL
                 AND attempts > 0
                 AND next_attempt_at > statement_timestamp() + interval '61 minutes'
               ORDER BY next_attempt_at LIMIT 1000
                 FOR NO KEY UPDATE SKIP LOCKED)
""")

_DELIVERED: Final = Prepared("""
UPDATE outbox_events
   SET processed_at = statement_timestamp(), attempts = attempts + 1, last_error = ''
 WHERE id = ANY (%s)
""")
_FAILED: Final = """
UPDATE outbox_events own
   SET attempts = own.attempts + 1, last_error = new.error,
       next_attempt_at = statement_timestamp() + make_interval(secs => new.delay),
       dead_at = CASE WHEN new.dead THEN statement_timestamp() END
  FROM unnest(%s::bigint[], %s::text[], %s::float8[], %s::bool[]) AS new (id, error, delay, dead)
 WHERE own.id = new.id
"""
# An outage that lasts writes its rows once, not with every look.
_UNTRIED: Final = """
UPDATE outbox_events own SET last_error = new.error
  FROM unnest(%s::bigint[], %s::text[]) AS new (id, error)
 WHERE own.id = new.id AND own.last_error <> new.error
"""
_DUE: Final = """
SELECT count(*) FROM outbox_events
 WHERE destination = %s AND processed_at IS NULL AND dead_at IS NULL
   AND (attempts = 0 OR next_attempt_at <= statement_timestamp())
"""


class Claimed(NamedTuple):
    """A row that this transaction holds."""

    pk: int
    message: Message
    waits: bool
    """It is dead or not due: neither it nor what follows it in its case may go."""


class Failure(NamedTuple):
    """What a failed attempt leaves on its row."""

    pk: int
    error: str
    delay: float
    """Seconds until the next attempt, by the database's clock."""
    dead: bool


def claim(destination: str, *, size: int, retries: bool, after: int) -> Iterator[Claimed]:
    """Lock the next rows of a destination and yield them, in the order of writing.

    Raises:
        OperationalError: the database is away.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            RETRIES if retries else FRESH,
            {"destination": destination, "size": size, "depth": _DEPTH, "after": after},
        )
        rows = cursor.fetchall()
    for pk, *facts, waits in rows:
        yield Claimed(pk, Message(*facts), waits)


def mark_delivered(rows: Sequence[int]) -> None:
    """Write down that the destination has these."""
    if rows:
        with connection.cursor() as cursor:
            cursor.execute(_DELIVERED, [list(rows)])


def mark_failed(failures: Sequence[Failure]) -> None:
    """Write down failed attempts, and when the next ones are due."""
    if failures:
        with connection.cursor() as cursor:
            columns = zip(*failures, strict=True)
            cursor.execute(_FAILED, [list(column) for column in columns])


def mark_untried(errors: Mapping[int, str]) -> None:
    """Write down why rows were not tried, for who looks at them; nothing else changes."""
    if errors:
        with connection.cursor() as cursor:
            cursor.execute(_UNTRIED, [list(errors), list(errors.values())])


def due(destination: str) -> int:
    """Count the rows of a destination that are due now, those held back by order included."""
    with connection.cursor() as cursor:
        cursor.execute(_DUE, [destination])
        return int(cursor.fetchone()[0])


def forgive_a_clock_put_back(destination: str) -> int:
    """Make due what would wait for longer than the longest wait; returns how many rows."""
    with connection.cursor() as cursor:
        cursor.execute(_CLOCK_WENT_BACK, [destination])
        return int(cursor.rowcount)
