"""What goes wrong in a drill, at random, from several sides at the same time."""

from __future__ import annotations

import random
import signal
import threading
from collections import Counter
from collections.abc import Callable
from typing import Final

import psycopg

from tests.drill.broker import Node
from tests.drill.processes import Drainers
from tests.drill.receiver import Mood, Receiver

KINDS: Final = (
    "drainer killed",
    "drainer stopped and continued",
    "broker ended and started",
    "broker killed and started",
    "receiver answers 500",
    "receiver hangs",
    "receiver cuts after reading",
    "database connection terminated",
)
_MOODS: Final[tuple[Mood, ...]] = ("answers 500", "hangs", "cuts after reading")
# Longer than the 45 s after which the database takes the rows of who stands still.
_LONG_STANDSTILL: Final = 50.0  # seconds
_TERMINATE: Final = """
SELECT count(pg_terminate_backend(pid))
  FROM (SELECT pid FROM pg_stat_activity
         WHERE datname = current_database() AND pid <> pg_backend_pid()
           AND backend_type = 'client backend'
         ORDER BY md5(pid::text || %s) LIMIT %s) chosen
"""


class Faults:
    """Runs one thread for each part that can fail, until ``end``; then all parts are well again.

    The seed fixes which fault follows which, not what the machine was doing just then.
    """

    def __init__(
        self, seed: int, drainers: Drainers, broker: Node, receiver: Receiver, database: str
    ) -> None:
        self.counts: Counter[str] = Counter()
        self.broken: list[str] = []
        self._drainers, self._broker = drainers, broker
        self._receiver, self._database = receiver, database
        self._ended = threading.Event()
        sides = {
            "drainers": self._drainer,
            "broker": self._broker_away,
            "receiver": self._mood,
            "database": self._connections,
        }
        self._threads = [
            threading.Thread(target=self._side, args=(work, random.Random(f"{seed}-{name}")))
            for name, work in sides.items()
        ]

    def start(self) -> None:
        """Let things go wrong from now on."""
        for thread in self._threads:
            thread.start()

    def end(self) -> None:
        """Let no more go wrong, and wait until all is up again."""
        self._ended.set()
        for thread in self._threads:
            thread.join()

    def _side(self, work: Callable[[random.Random], None], chance: random.Random) -> None:
        try:
            while not self._ended.wait(chance.uniform(0.5, 3)):
                work(chance)
        except Exception as error:  # noqa: BLE001 (a drill without its faults proves nothing)
            self.broken.append(f"{type(error).__name__}: {error}")

    def _drainer(self, chance: random.Random) -> None:
        killed = self.counts["drainer killed"]
        if killed <= self.counts["drainer stopped and continued"] or chance.random() < 0.3:
            self._drainers.kill(chance)
            self.counts["drainer killed"] += 1
            return
        process = self._drainers.one(chance)
        process.send_signal(signal.SIGSTOP)
        self.counts["drainer stopped and continued"] += 1  # `end` continues it at the latest
        self._ended.wait(_LONG_STANDSTILL if chance.random() < 0.1 else chance.uniform(0.2, 5))
        process.send_signal(signal.SIGCONT)

    def _broker_away(self, chance: random.Random) -> None:
        kill = self.counts["broker ended and started"] > self.counts["broker killed and started"]
        self._broker.stop(signal.SIGKILL if kill else signal.SIGTERM)
        self._ended.wait(chance.uniform(0, 3))
        self._broker.start()
        self._broker.wait()
        self.counts[f"broker {'killed' if kill else 'ended'} and started"] += 1
        self._ended.wait(chance.uniform(2, 10))

    def _mood(self, chance: random.Random) -> None:
        mood = _MOODS[self.counts["moods"] % len(_MOODS)]
        self._receiver.mood = mood
        self._ended.wait(chance.uniform(0.2, 2))
        self._receiver.mood = "well"
        self.counts["moods"] += 1
        self.counts[f"receiver {mood}"] += 1

    def _connections(self, chance: random.Random) -> None:
        with psycopg.connect(self._database, autocommit=True) as connection:
            row = connection.execute(
                _TERMINATE, [str(chance.random()), chance.randint(1, 4)]
            ).fetchone()
        self.counts["database connection terminated"] += row[0] if row else 0
