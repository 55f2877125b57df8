"""One lane of a drainer: a thread with a connection and a destination of its own."""

from __future__ import annotations

import random
import threading
import time
from enum import Enum
from typing import TYPE_CHECKING, Final

import structlog
from django.db import DataError, Error, IntegrityError, ProgrammingError, connection

from cases.signals import request_id
from outbox import queue
from outbox.destinations.base import Destination
from outbox.relay import Batch, drain_batch
from outbox.wakeup import LOOK_AGAIN_SECONDS

if TYPE_CHECKING:
    from outbox.drainer import Drainer

_log = structlog.get_logger("outbox")

POLL_SECONDS: Final = 0.5
_FIRST_PAUSE: Final = 0.5  # seconds, doubling
LONGEST_PAUSE: Final = 30.0
_CLOCK_CHECK_SECONDS: Final = 60.0
# How long beyond the time limit of a destination the database waits for a drainer that hangs.
_GRACE_SECONDS: Final = 15.0
# These are faults of ours or a missing migration; whatever else the database says may pass.
_FAULTS: Final = (ProgrammingError, DataError, IntegrityError)


class Kind(Enum):
    """Which events a lane takes."""

    FRESH = "fresh"
    RETRIES = "retries"
    ALL = "all"


class Lane(threading.Thread):
    """Takes batches of one destination until nothing is due, or until the drainer stops."""

    def __init__(self, drainer: Drainer, destination: type[Destination], kind: Kind) -> None:
        # A daemon: a second signal ends the process whatever a destination does.
        super().__init__(name=f"outbox-{destination.name}-{kind.value}", daemon=True)
        self._drainer, self._class, self._kind = drainer, destination, kind
        self._follows = drainer.plan.follow
        self._destination: Destination | None = None
        self._driver: object = None  # the connection that was set up for this work
        self._after = 0
        self._wakings = 0  # of which it knows
        self._look_again = False  # soon: see wakeup.QUIET_SECONDS
        self._troubles = 0  # in a row
        self._clock_checked = 0.0
        self._identity = request_id.get()  # of the command; a thread begins without it

    def run(self) -> None:
        """Work, and let go of everything in the end."""
        request_id.set(self._identity)
        try:
            while not self._drainer.stopping and self._guarded_turn():
                pass
            if self._destination is not None:
                self._destination.close()
        except Exception:  # noqa: BLE001 (what could not be closed ends with the process)
            _log.exception("outbox_destination_not_closed", destination=self._class.name)
        finally:
            connection.close()

    def _guarded_turn(self) -> bool:
        """Take a turn; no mistake of a destination, or of ours, ends a lane that is to follow."""
        try:
            return self._turn()
        except Exception as error:  # noqa: BLE001 (such as a destination that cannot be made)
            _log.exception("outbox_lane_failed", destination=self._class.name)
            if not self._follows:
                self._drainer.tally.broken = f"{type(error).__name__}: {error}"
            return self._follows and self._pause()

    def _turn(self) -> bool:
        """Take one batch and whatever wait follows it; returns whether to go on."""
        woken = self._drainer.wakings.count
        if woken != self._wakings:  # while it waited, or while it delivered
            self._wakings, self._look_again = woken, True
        reserved = self._drainer.reserve(self._class)
        if not reserved:
            return False
        batch = Batch()
        try:
            batch = self._batch(reserved)
        except Error as error:
            connection.close()
            return self._after_database_error(error)
        finally:
            self._drainer.count(self._class.name, batch, reserved=reserved)
        if batch.untried:
            return self._after_outage(batch)
        self._troubles = 0
        if batch.size:
            if self._kind is Kind.RETRIES and batch.delivered:
                self._drainer.wakings.wake()  # what follows in these cases is fresh
            return True
        if self._follows:
            seconds = LOOK_AGAIN_SECONDS if self._look_again else POLL_SECONDS
            self._look_again = False
            self._drainer.wakings.wait(since=woken, seconds=seconds)
        return self._follows

    def _batch(self, size: int) -> Batch:
        """Deliver the next batch, an empty one when there is none."""
        self._set_up()
        destination = self._destination = self._destination or self._class()
        batch = Batch()
        if self._kind is not Kind.RETRIES:
            batch = drain_batch(destination, size=size, after=self._after)
            if not batch.last_id and self._after:
                # The end of the queue: once more from the front, where something may be free now.
                batch = drain_batch(destination, size=size)
            self._after = 0 if batch.untried else batch.last_id
        if not batch.last_id and self._kind is not Kind.FRESH:
            batch = drain_batch(destination, size=size, retries=True)
            if not batch.last_id:
                self._mind_the_clock()
        return batch

    def _set_up(self) -> None:
        """Make a new connection ready.

        A drainer that hangs, or whose machine is gone, loses its locks when its time is over. The
        queue is read by its indexes, whatever the statistics of a table say that was empty or
        full a moment ago.
        """
        connection.ensure_connection()
        if connection.connection is self._driver:
            return
        patience = round((self._class.time_limit + _GRACE_SECONDS) * 1000)
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT set_config('idle_in_transaction_session_timeout', %s, false),"
                " set_config('application_name', %s, false),"
                " set_config('enable_seqscan', 'off', false),"
                " set_config('enable_hashjoin', 'off', false),"
                " set_config('enable_mergejoin', 'off', false),"
                " set_config('jit', 'off', false)",
                [str(patience), self.name],
            )
        self._driver = connection.connection

    def _mind_the_clock(self) -> None:
        if time.monotonic() - self._clock_checked < _CLOCK_CHECK_SECONDS:
            return
        self._clock_checked = time.monotonic()
        if count := queue.forgive_a_clock_put_back(self._class.name):
            _log.warning("outbox_clock_put_back", destination=self._class.name, events=count)

    def _after_database_error(self, error: Error) -> bool:
        """Connect anew; who does not follow tries once more and then gives up."""
        fault = isinstance(error, _FAULTS)
        text = f"{type(error).__name__}: {error}".strip()
        if not self._follows and (fault or self._troubles):
            if fault:
                self._drainer.tally.broken = text
            else:
                self._drainer.tally.database_away = text
            return False
        _log.warning(
            "outbox_database_error" if fault else "outbox_database_away",
            destination=self._class.name,
            error=text,
        )
        return self._pause()

    def _after_outage(self, batch: Batch) -> bool:
        """Wait until the destination may be back; who does not follow leaves it."""
        if not self._follows:
            self._drainer.tally.away[self._class.name] = batch.away
            return False
        if not self._troubles:
            _log.warning("outbox_destination_away", destination=self._class.name, error=batch.away)
        return self._pause(at_least=batch.retry_after or 0.0)

    def _pause(self, *, at_least: float = 0.0) -> bool:
        """Wait, longer each time; half of it is chance, so that drainers do not come in step."""
        longest = min(_FIRST_PAUSE * 2 ** min(self._troubles, 10), LONGEST_PAUSE)
        self._troubles += 1
        seconds = max(longest * (0.5 + random.random() / 2), min(at_least, LONGEST_PAUSE))  # noqa: S311 (spreads load, guards nothing)
        end = time.monotonic() + seconds
        while not self._drainer.stopping and (left := end - time.monotonic()) > 0:
            time.sleep(min(left, 0.1))
        return True
