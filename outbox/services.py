"""What people decide about events: send again, discard, forget. Admin and commands come here.

Rows that a drainer has in its hands are left to it: nothing here waits for a delivery, and no
delivery waits for anything here for longer than one short transaction.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass
from datetime import timedelta
from enum import Enum
from typing import Any, Final
from uuid import UUID

import structlog
from django.db import connection, transaction
from django.db.models import Q, QuerySet
from django.db.models.functions import Now

from outbox.models import OutboxEvent
from outbox.wakeup import announce

_log = structlog.get_logger("outbox")

REASON_MAX: Final = 1_000
_BATCH: Final = 1_000
_PURGE_BATCH: Final = 5_000


class State(Enum):
    """Where an event stands at its destination; each is in exactly one."""

    PENDING = "pending"
    """Never tried; an earlier one of its case may keep it back."""
    WAITING = "waiting"
    """Failed, to be tried again."""
    DEAD = "dead"
    """Given up; a person decides."""
    DELIVERED = "delivered"
    DISCARDED = "discarded"


UNDECIDED: Final = (State.PENDING, State.WAITING, State.DEAD)
# As indexes know them: each list by state reads only rows of that state.
IN_STATE: Final = {
    State.PENDING: Q(processed_at__isnull=True, dead_at__isnull=True, attempts=0),
    State.WAITING: Q(processed_at__isnull=True, dead_at__isnull=True, attempts__gt=0),
    State.DEAD: Q(processed_at__isnull=True, dead_at__isnull=False),
    State.DELIVERED: Q(processed_at__isnull=False, discarded_at__isnull=True),
    State.DISCARDED: Q(discarded_at__isnull=False),
}


class DecisionRefused(Exception):
    """The decision cannot be carried out; the message says why."""


@dataclass(frozen=True, kw_only=True)
class Choice:
    """Which events a decision is about: those for which all that is given holds."""

    states: Collection[State] = (State.DEAD,)
    destination: str | None = None
    event_id: UUID | None = None
    case_id: str | None = None
    rows: Collection[int] | None = None
    """Primary keys, as the admin knows them."""

    def events(self) -> QuerySet[OutboxEvent]:
        """Return the chosen events as they are now, in the order of writing.

        Raises:
            DecisionRefused: a state is among them in which there is nothing to decide.
        """
        if not self.states or set(self.states) - set(UNDECIDED):
            message = "Only events that are neither delivered nor discarded can be decided about."
            raise DecisionRefused(message)
        wanted = Q()
        for state in self.states:
            wanted |= IN_STATE[state]
        given: dict[str, Any] = {
            "destination": self.destination,
            "event_id": self.event_id,
            "case_id": self.case_id,
            "pk__in": None if self.rows is None else list(self.rows),
        }
        only = {name: value for name, value in given.items() if value is not None}
        return OutboxEvent.objects.filter(wanted, **only).order_by("id")


@dataclass(frozen=True)
class Decision:
    """What a decision did."""

    changed: int
    held: int
    """Chosen, but in a drainer's hands just now: left alone."""


def state_of(event: OutboxEvent) -> State:
    """Return where an event stands."""
    if event.discarded_at is not None:
        return State.DISCARDED
    if event.processed_at is not None:
        return State.DELIVERED
    if event.dead_at is not None:
        return State.DEAD
    return State.WAITING if event.attempts else State.PENDING


def requeue(*, choice: Choice, actor: str) -> Decision:
    """Make events due now, with all attempts before them again, and wake the drainers.

    Order stays: what is later in the same case still comes after them.

    Args:
        choice: which ones, waiting or dead.
        actor: who decided, for the log.

    Raises:
        DecisionRefused: the choice names a state in which there is nothing to decide.
    """
    if State.PENDING in choice.states:
        message = "What was never tried needs no second try."
        raise DecisionRefused(message)

    def again(events: list[OutboxEvent]) -> None:
        _update(events, attempts=0, dead_at=None, next_attempt_at=Now())
        _tell("outbox_event_requeued", events, actor=actor)

    return _decide(choice, again)


def discard(*, choice: Choice, reason: str, actor: str) -> Decision:
    """Let events never be delivered: what follows them in their cases may go.

    Args:
        choice: which ones.
        reason: why, for the row and the log; 1 to 1,000 characters, trimmed.
        actor: who decided, for the row and the log.

    Raises:
        DecisionRefused: the reason is blank or too long, or the choice names a state in which
            there is nothing to decide.
    """
    why = " ".join(reason.replace("\0", "").encode(errors="replace").decode().split())
    if not why or len(why) > REASON_MAX:
        message = f"A reason is needed, of up to {REASON_MAX} characters."
        raise DecisionRefused(message)

    def away(events: list[OutboxEvent]) -> None:
        _update(
            events,
            processed_at=Now(),
            discarded_at=Now(),
            discarded_by=actor[:255],
            discard_reason=why,
        )
        _tell("outbox_event_discarded", events, actor=actor, reason=why)

    return _decide(choice, away)


def purge(*, older_than: timedelta) -> Iterator[int]:
    """Delete what was delivered or discarded longer ago than that, in transactions of their own.

    Yields:
        After each batch how many rows it deleted. Rows that another purge holds are its to delete.
    """
    last = 0
    while True:
        with transaction.atomic(durable=True), connection.cursor() as cursor:
            cursor.execute(
                _PURGE, {"age": older_than.total_seconds(), "after": last, "size": _PURGE_BATCH}
            )
            found, deleted, last = cursor.fetchone()
        if not found:
            return
        yield deleted


def purgeable(*, older_than: timedelta) -> int:
    """Count what ``purge`` would delete."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM outbox_events"
            " WHERE processed_at < statement_timestamp() - make_interval(secs => %s)",
            [older_than.total_seconds()],
        )
        return int(cursor.fetchone()[0])


# One pass along the primary key: no index by age is needed, which every delivery would pay for.
_PURGE: Final = """
WITH old AS MATERIALIZED (
    SELECT id FROM outbox_events
     WHERE id > %(after)s AND processed_at < statement_timestamp() - make_interval(secs => %(age)s)
     ORDER BY id LIMIT %(size)s
), mine AS MATERIALIZED (
    SELECT event.id FROM outbox_events event JOIN old USING (id)
       FOR UPDATE OF event SKIP LOCKED
), deleted AS (
    DELETE FROM outbox_events event USING mine WHERE event.id = mine.id RETURNING event.id
)
SELECT (SELECT count(*) FROM old), (SELECT count(*) FROM deleted), (SELECT max(id) FROM old)
"""


def _decide(choice: Choice, act: Callable[[list[OutboxEvent]], None]) -> Decision:
    """Lock the chosen events batch by batch and act on them, each batch in its own transaction."""
    changed = last = 0
    while True:
        with transaction.atomic():
            events = list(
                choice.events()
                .filter(pk__gt=last)
                .defer("payload")
                .select_for_update(no_key=True, skip_locked=True)[:_BATCH]
            )
            if not events:
                break
            act(events)
            announce()  # also of what was kept back by them
        changed, last = changed + len(events), events[-1].pk
    return Decision(changed, held=choice.events().count())


def _update(events: list[OutboxEvent], **values: Any) -> None:
    OutboxEvent.objects.filter(pk__in=[event.pk for event in events]).update(**values)


def _tell(event_name: str, events: list[OutboxEvent], **facts: str) -> None:
    """Log each decision once it is committed."""
    for event in events:
        told = {
            "destination": event.destination,
            "event_id": str(event.event_id),
            "case_id": event.case_id,
            "attempts": event.attempts,
            **facts,
        }
        transaction.on_commit(lambda told=told: _log.warning(event_name, **told))  # type: ignore[misc] # bound now
