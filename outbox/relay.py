"""Delivers what is pending: claim, hand over, mark, in one transaction per batch.

Order and safety rest on row locks alone, so that any number of drainers can run side by side and
one that is killed leaves nothing behind:

* Only the head of a case's queue at a destination (its earliest pending row) can be claimed. It
  is locked with SKIP LOCKED, and whoever holds the head may take the case's later rows along.
* The rows are marked in the same transaction. A drainer that dies in between loses its locks and
  its marks together, and the rows are delivered again: at least once, never not at all.
* A head that waits for its next attempt, or is dead, keeps back its own case only.
"""

from __future__ import annotations

import random
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

import structlog
from django.db import connection, transaction
from django.db.models import F
from django.db.models.functions import Now

from outbox.destinations import Destination
from outbox.models import OutboxEvent

_log = structlog.get_logger("outbox")

MAX_ATTEMPTS: Final = 12
_FIRST_DELAY: Final = timedelta(seconds=1)
_LONGEST_DELAY: Final = timedelta(hours=1)
_ERROR_MAX: Final = 2_000

_HEADS = """
SELECT head.case_id, now()
  FROM outbox_events head
 WHERE head.destination = %(destination)s
   AND head.processed_at IS NULL AND head.dead_at IS NULL AND head.next_attempt_at <= now()
   AND NOT EXISTS (SELECT FROM outbox_events earlier
                    WHERE earlier.destination = head.destination
                      AND earlier.case_id = head.case_id
                      AND earlier.processed_at IS NULL
                      AND earlier.sequence < head.sequence)
 ORDER BY head.id
 LIMIT %(size)s
   FOR NO KEY UPDATE OF head SKIP LOCKED
"""


@dataclass(frozen=True)
class Batch:
    """What became of the rows of one batch."""

    delivered: int = 0
    failed: int = 0

    @property
    def size(self) -> int:
        """How many rows were claimed."""
        return self.delivered + self.failed

    def __add__(self, other: Batch) -> Batch:
        return Batch(self.delivered + other.delivered, self.failed + other.failed)


def drain_batch(name: str, destination: Destination, *, size: int) -> Batch:
    """Deliver up to ``size`` pending rows of one destination, if any are due.

    Args:
        name: the destination's name in the rows.
        destination: takes the messages.
        size: the most rows, at least 1.

    Returns:
        How many were delivered and how many failed; both 0 when nothing was due.
    """
    with transaction.atomic(durable=True):
        rows = _claim(name, size)
        if not rows:
            return Batch()
        try:
            answers = destination.deliver([row.payload for row in rows])
        except Exception as error:  # noqa: BLE001 (whatever a destination raises, the rows stay)
            answers = [f"{type(error).__name__}: {error}"] * len(rows)
        return _mark(rows, answers)


def pending(name: str) -> int:
    """Count the rows of a destination that are due now, those held back by order included."""
    return OutboxEvent.objects.filter(
        destination=name,
        processed_at__isnull=True,
        dead_at__isnull=True,
        next_attempt_at__lte=Now(),
    ).count()


def _claim(name: str, size: int) -> list[OutboxEvent]:
    with connection.cursor() as cursor:
        cursor.execute(_HEADS, {"destination": name, "size": size})
        heads = cursor.fetchall()
    if not heads:
        return []
    at = heads[0][1]
    # A case's rows are numbered in the order of its events: the lock on the case saw to that.
    rows = OutboxEvent.objects.filter(
        destination=name, case_id__in=[head[0] for head in heads], processed_at__isnull=True
    ).order_by("id")[:size]
    return _up_to_the_first_wait(rows.select_for_update(no_key=True), at)


def _up_to_the_first_wait(rows: Iterable[OutboxEvent], at: datetime) -> list[OutboxEvent]:
    """Leave out what must wait: a row that is dead or not due, and all of its case after it."""
    waiting: set[str] = set()
    ready = []
    for row in rows:
        if row.dead_at is not None or row.next_attempt_at > at:
            waiting.add(row.case_id)
        if row.case_id not in waiting:
            ready.append(row)
    return ready


def _mark(rows: Sequence[OutboxEvent], answers: Sequence[str | None]) -> Batch:
    """Write down what was delivered and what failed; what follows a failure was not tried."""
    done: list[int] = []
    failed: dict[str, tuple[OutboxEvent, str]] = {}
    for row, error in zip(rows, answers, strict=True):
        if row.case_id in failed:
            continue
        if error is None:
            done.append(row.pk)
        else:
            failed[row.case_id] = (row, error)
    if done:
        OutboxEvent.objects.filter(pk__in=done).update(
            processed_at=Now(), attempts=F("attempts") + 1, last_error=""
        )
    for row, error in failed.values():
        _postpone(row, error)
    return Batch(delivered=len(done), failed=len(failed))


def _postpone(row: OutboxEvent, error: str) -> None:
    """Set the next attempt, later each time, or give up and leave the row to a person."""
    attempts = row.attempts + 1
    dead = attempts >= MAX_ATTEMPTS
    OutboxEvent.objects.filter(pk=row.pk).update(
        attempts=attempts,
        last_error=error.replace("\0", "")[:_ERROR_MAX],
        next_attempt_at=Now() + retry_delay(attempts),
        dead_at=Now() if dead else None,
    )
    _log.warning(
        "outbox_event_dead" if dead else "outbox_delivery_failed",
        destination=row.destination,
        event_id=str(row.event_id),
        case_id=row.case_id,
        attempts=attempts,
    )


def retry_delay(attempts: int) -> timedelta:
    """Return how long to wait after so many failures: doubling, capped, half of it by chance."""
    longest: timedelta = min(_FIRST_DELAY * 2 ** min(attempts - 1, 20), _LONGEST_DELAY)
    return longest * (0.5 + random.random() / 2)  # noqa: S311 (spreads load, guards nothing)
