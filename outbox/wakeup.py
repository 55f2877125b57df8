"""How drainers learn at once that there is something to do: LISTEN and NOTIFY.

A notice only shortens the wait. Drainers also look by themselves twice a second, so nothing
depends on a notice that was lost with its connection, or never sent behind a pooler.
"""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Callable
from typing import Final

import structlog
from django.db import Error, connection, transaction
from psycopg import Connection
from psycopg import Error as DriverError

_log = structlog.get_logger("outbox")

CHANNEL: Final = "outbox_events"
_NOTIFY: Final = f"NOTIFY {CHANNEL}"
# A process that has just sent a notice sends no other for so long. Drainers know: they look once
# more a little later, so what is committed in this time waits for milliseconds, not for the poll.
QUIET_SECONDS: Final = 0.01
LOOK_AGAIN_SECONDS: Final = 0.02
_LOOK_SECONDS: Final = 0.5
_LONGEST_PAUSE: Final = 30.0

_last_notice = float("-inf")


class Wakings:
    """Wakes all lanes of a drainer; a waking that comes while a lane works is not lost on it."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._count = 0

    @property
    def count(self) -> int:
        """How often it was called; remember it before looking for work."""
        return self._count

    def wake(self) -> None:
        """Wake who waits. Safe in a signal handler: the thread that runs it never waits here."""
        with self._changed:
            self._count += 1
            self._changed.notify_all()

    def wait(self, *, since: int, seconds: float) -> bool:
        """Wait for so many seconds or until woken; not at all if woken since that count.

        Returns:
            Whether it was woken.
        """
        with self._changed:
            return self._changed.wait_for(lambda: self._count != since, seconds)


def announce() -> None:
    """Tell waiting drainers that there is work, right after the commit of this transaction.

    After, not in it: PostgreSQL lets transactions that notify commit one at a time, each with its
    own wait for the disk. On its own a notice has nothing to wait for. Between the two a process
    may die; then drainers find the rows when they next look.
    """
    if _notify not in (hook[1] for hook in connection.run_on_commit):
        transaction.on_commit(_notify, robust=True)


def _notify() -> None:
    global _last_notice  # noqa: PLW0603 (of this process; threads that race send one too many)
    now = time.monotonic()
    if now - _last_notice < QUIET_SECONDS:
        return
    _last_notice = now
    with connection.cursor() as cursor:
        cursor.execute(_NOTIFY)


def listen(wakings: Wakings, *, until: Callable[[], bool]) -> None:
    """Pass notices on until told to end; a connection that is lost is made anew, with patience."""
    pause = _LOOK_SECONDS
    while not until():
        try:
            driver = _listening()
            pause = _LOOK_SECONDS
            wakings.wake()  # what came while nobody listened
            while not until():
                for _ in driver.notifies(timeout=_LOOK_SECONDS, stop_after=1):
                    wakings.wake()
        except (Error, DriverError) as error:
            connection.close()
            _log.warning("outbox_not_listening", error=str(error), retry_in_seconds=round(pause, 1))
            _sleep(pause * (0.5 + random.random() / 2), until)  # noqa: S311 (spreads load)
            pause = min(pause * 2, _LONGEST_PAUSE)
    connection.close()


def _listening() -> Connection[tuple[object, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(f"LISTEN {CHANNEL}")
    driver: Connection[tuple[object, ...]] = connection.connection
    return driver


def _sleep(seconds: float, until: Callable[[], bool]) -> None:
    end = time.monotonic() + seconds
    while not until() and (left := end - time.monotonic()) > 0:
        time.sleep(min(left, _LOOK_SECONDS))
