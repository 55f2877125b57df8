"""Delivers what is pending: claim, hand over, mark, in one transaction per batch.

Order and safety rest on row locks alone, so that any number of drainers can run side by side and
one that is killed leaves nothing behind:

* Only the head of a case's queue at a destination (its earliest pending row) can be claimed. It
  is locked with SKIP LOCKED, and whoever holds the head may take the case's later rows along.
* The rows are marked in the same transaction. A drainer that dies in between loses its locks and
  its marks together, and the rows are delivered again: at least once, never not at all.
* A head that waits for its next attempt, or is dead, keeps back its own case only.
* Heads that failed before are claimed apart from fresh ones: what hangs for the second time does
  not hang a batch of others with it.
"""

from __future__ import annotations

import random
import time
from collections.abc import Iterable, Sequence
from datetime import timedelta
from typing import Final, NamedTuple

import structlog
from django.conf import settings
from django.db import transaction

from outbox import queue
from outbox.destinations.base import (
    Destination,
    Message,
    Outcome,
    Result,
    Unavailable,
    failed,
    untried,
)
from outbox.discretion import withhold
from outbox.queue import Claimed, Failure
from outbox.signals import handed_over

_log = structlog.get_logger("outbox")

_FIRST_DELAY: Final = timedelta(seconds=1)
LONGEST_DELAY: Final = timedelta(hours=1)
_ERROR_MAX: Final = 2_000


class Batch(NamedTuple):
    """What became of the rows of one batch."""

    delivered: int = 0
    failed: int = 0
    """Attempts that failed; ``dead`` of them were the last."""
    dead: int = 0
    untried: int = 0
    """Rows whose destination is away; ``away`` says why."""
    away: str = ""
    retry_after: float | None = None
    last_id: int = 0
    """The last row of the batch: the next batch may begin behind it."""

    @property
    def size(self) -> int:
        """How many rows were tried."""
        return self.delivered + self.failed


def drain_batch(
    destination: Destination, *, size: int, retries: bool = False, after: int = 0
) -> Batch:
    """Deliver up to ``size`` pending rows of one destination, if any are due.

    Args:
        destination: takes the messages; its name is that in the rows.
        size: the most rows, at least 1.
        retries: take cases whose head failed before and is due again, instead of fresh heads.
        after: begin behind this row; for fresh heads, so that a pass through a long queue does
            not look at the same kept back rows with every batch.

    Returns:
        What became of the rows; an empty batch when nothing was due.

    Raises:
        OperationalError: the database is away; nothing is marked.
    """
    with transaction.atomic(durable=True):
        rows = _ready(queue.claim(destination.name, size=size, retries=retries, after=after))
        if not rows:
            return Batch()
        messages = [row.message for row in rows]
        began = time.time_ns()
        outcomes = _hand_over(
            destination, withhold(messages) if destination.passes_on else messages
        )
        handed_over.send_robust(
            sender=Destination,
            destination=destination.name,
            messages=messages,
            outcomes=outcomes,
            began=began,
            ended=time.time_ns(),
        )
        return _mark(destination.name, rows, outcomes)


def _ready(rows: Iterable[Claimed]) -> list[Claimed]:
    """Leave out what must wait: a row that is dead or not due, and all of its case after it."""
    waiting: set[str] = set()
    ready = []
    for row in rows:
        if row.waits:
            waiting.add(row.message.subject)
        if row.message.subject not in waiting:
            ready.append(row)
    return ready


def _hand_over(destination: Destination, messages: Sequence[Message]) -> Sequence[Outcome]:
    """Deliver; what raises is tried case by case, so that the one that breaks it is found."""
    began = time.monotonic()
    try:
        return _deliver(destination, messages)
    except Unavailable as error:
        return [untried(_words(error))] * len(messages)
    except Exception as error:  # noqa: BLE001 (whatever a destination raises, the rows stay)
        subjects = dict.fromkeys(message.subject for message in messages)
        if len(subjects) == 1:
            return [failed(_words(error))] * len(messages)
        _log.warning("outbox_batch_raised", destination=destination.name, error=_words(error))
    found: dict[str, Outcome] = {}
    for subject in subjects:
        own = [message for message in messages if message.subject == subject]
        if time.monotonic() - began > destination.time_limit:
            outcomes: Sequence[Outcome] = [untried("There was no time left for it.")] * len(own)
        else:
            outcomes = _hand_over(destination, own)
        found |= {message.id: outcome for message, outcome in zip(own, outcomes, strict=True)}
    return [found[message.id] for message in messages]


def _deliver(destination: Destination, messages: Sequence[Message]) -> Sequence[Outcome]:
    outcomes = destination.deliver(messages)
    if len(outcomes) != len(messages):
        message = f"{len(messages)} messages, {len(outcomes)} outcomes"
        raise ValueError(message)
    return outcomes


def _mark(name: str, rows: Sequence[Claimed], outcomes: Sequence[Outcome]) -> Batch:
    """Write down what was delivered and what failed; what follows a failure was not tried."""
    done: list[int] = []
    failures: dict[int, Failure] = {}
    waiting: dict[int, str] = {}
    kept_back: set[str] = set()
    pause: float | None = None
    for row, outcome in zip(rows, outcomes, strict=True):
        if row.message.subject in kept_back:
            continue
        if outcome.result is Result.DELIVERED:
            done.append(row.pk)
            continue
        kept_back.add(row.message.subject)
        if outcome.result is Result.UNTRIED:
            waiting[row.pk] = _clean(outcome.error)
            pause = max(pause or 0.0, outcome.retry_after or 0.0) or None
        else:
            failures[row.pk] = _failure(row, outcome)
    queue.mark_delivered(done)
    queue.mark_failed(list(failures.values()))
    queue.mark_untried(waiting)
    for row in rows:
        if row.pk in failures:
            _report(name, row, dead=failures[row.pk].dead)
    return Batch(
        delivered=len(done),
        failed=len(failures),
        dead=sum(failure.dead for failure in failures.values()),
        untried=len(waiting),
        away=next(iter(waiting.values()), ""),
        retry_after=pause,
        last_id=rows[-1].pk,
    )


def _failure(row: Claimed, outcome: Outcome) -> Failure:
    """Set the next attempt, later each time, or give up and leave the row to a person."""
    attempts = row.message.attempt
    dead = outcome.result is Result.REFUSED or attempts >= settings.OUTBOX_MAX_ATTEMPTS
    delay = retry_delay(attempts).total_seconds()
    if outcome.retry_after is not None:
        delay = min(max(delay, outcome.retry_after), LONGEST_DELAY.total_seconds())
    return Failure(pk=row.pk, error=_clean(outcome.error), delay=delay, dead=dead)


def _report(name: str, row: Claimed, *, dead: bool) -> None:
    _log.warning(
        "outbox_event_dead" if dead else "outbox_delivery_failed",
        destination=name,
        event_id=row.message.id,
        case_id=row.message.subject,
        attempts=row.message.attempt,
    )


def _words(error: Exception) -> str:
    return f"{type(error).__name__}: {error}"


def _clean(error: str) -> str:
    """Return a text that PostgreSQL can store, whatever the other side answered."""
    return error.replace("\0", "").encode(errors="replace").decode()[:_ERROR_MAX]


def retry_delay(attempts: int) -> timedelta:
    """Return how long to wait after so many failures: doubling, capped, half of it by chance."""
    longest: timedelta = min(_FIRST_DELAY * 2 ** min(attempts - 1, 20), LONGEST_DELAY)
    return longest * (0.5 + random.random() / 2)  # noqa: S311 (spreads load, guards nothing)
