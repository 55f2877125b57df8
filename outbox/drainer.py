"""A drainer: threads that deliver batch after batch, until nothing is due or until told to stop.

Each thread is a lane. It has a connection to the database and a destination of its own, so that
a slow or dead destination holds back nobody else. A drainer that follows has, for each destination,
lanes for fresh events and one for those that failed before: what hangs again hangs there.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from outbox import metrics, wakeup
from outbox.destinations.base import Destination
from outbox.lanes import Kind, Lane
from outbox.relay import Batch

_LOOK_SECONDS: Final = 0.2


@dataclass(frozen=True, kw_only=True)
class Plan:
    """What is asked of a drainer. ``limit`` is about how many events; None: no limit.

    Without a ``batch_size`` each destination has its own.
    """

    destinations: Mapping[str, type[Destination]]
    follow: bool = False
    batch_size: int | None = None
    limit: int | None = None


@dataclass
class Tally:
    """What a drainer has done, all lanes together."""

    delivered: int = 0
    failed: int = 0
    dead: int = 0
    away: dict[str, str] = field(default_factory=dict)
    """Destinations that could not be reached, and why; empty where a follower waits for them."""
    database_away: str = ""
    """Why the database could not be used, where nobody waits for it."""
    broken: str = ""
    """An error that is a fault of this program or of how it is set up."""


class Drainer:
    """Runs lanes until the work is done. ``stop`` may be called by a signal handler."""

    def __init__(self, plan: Plan) -> None:
        self.plan, self.tally = plan, Tally()
        self.wakings = wakeup.Wakings()
        self.stopping = False
        self._changed = threading.Condition()
        self._left = plan.limit
        self._reserved = 0

    def run(self) -> Tally:
        """Deliver, and return what was done; with ``follow`` not before ``stop``."""
        lanes = [
            Lane(self, destination, kind)
            for destination in self.plan.destinations.values()
            for kind in self._kinds(destination)
        ]
        for lane in lanes:
            lane.start()
        if self.plan.follow:
            wakeup.listen(self.wakings, until=lambda: self.stopping or not _any_alive(lanes))
        while _any_alive(lanes):
            for lane in lanes:
                lane.join(_LOOK_SECONDS)  # with a time-out: a second signal must get through
        return self.tally

    def stop(self) -> None:
        """Let every lane finish the batch in hand, then end."""
        self.stopping = True
        self.wakings.wake()

    def reserve(self, destination: type[Destination]) -> int:
        """Return how many events the next batch may take; 0 when the limit is reached."""
        size = self.plan.batch_size or destination.batch
        if self._left is None:
            return size
        with self._changed:
            # Others may give back what they do not need.
            while not self._left and self._reserved:
                self._changed.wait(_LOOK_SECONDS)
            taken = min(size, self._left)
            self._left -= taken
            self._reserved += taken
            return taken

    def count(self, name: str, batch: Batch, *, reserved: int) -> None:
        """Add what a batch did; what was reserved for it and not used is free again."""
        metrics.count(name, batch)
        with self._changed:
            if self._left is not None:
                self._reserved -= reserved
                self._left += max(reserved - batch.size, 0)
                self._changed.notify_all()
            self.tally.delivered += batch.delivered
            self.tally.failed += batch.failed
            self.tally.dead += batch.dead

    def _kinds(self, destination: type[Destination]) -> Sequence[Kind]:
        if self.plan.follow:
            return [Kind.FRESH] * destination.lanes + [Kind.RETRIES]
        return [Kind.ALL] * destination.lanes


def _any_alive(lanes: Sequence[threading.Thread]) -> bool:
    return any(lane.is_alive() for lane in lanes)
