"""The drainers and clients of the drill: real processes, started, stopped and killed."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from tests.bench.databases import PROJECT
from tests.drill.arrivals import Arrival

_END_SECONDS: Final = 90.0


class Drainers:
    """Some drainers side by side. Their standard output, the destination ``log``, is one file."""

    def __init__(self, count: int, environment: Mapping[str, str], folder: Path) -> None:
        self._environment, self._lines = environment, folder / "lines"
        self._log = folder / "drainers.log"
        self._running = [self._start() for _ in range(count)]

    def kill(self, chance: random.Random) -> None:
        """Kill one at this very instant, and start another in its place."""
        place = chance.randrange(len(self._running))
        self._running[place].kill()
        self._running[place].wait()
        self._running[place] = self._start()

    def one(self, chance: random.Random) -> subprocess.Popen[bytes]:
        """Return one of them."""
        return chance.choice(self._running)

    def close(self) -> list[int]:
        """End all by SIGTERM; returns their exit codes."""
        for process in self._running:
            process.send_signal(signal.SIGCONT)
            process.terminate()
        return [_ended(process) for process in self._running]

    def lines(self) -> list[Arrival]:
        """Return what the destination ``log`` got, in order; half a line is none."""
        found = []
        for line in self._lines.read_text().splitlines():
            try:
                found.append(Arrival.of(json.loads(line)))
            except ValueError:
                continue
        return found

    def _start(self) -> subprocess.Popen[bytes]:
        command = [sys.executable, "manage.py", "drain_outbox", "--follow", "--batch-size", "50"]
        with self._lines.open("ab") as lines, self._log.open("ab") as log:
            return subprocess.Popen(
                command, cwd=PROJECT, env=self._environment, stdout=lines, stderr=log
            )


class Clients:
    """Some clients side by side."""

    def __init__(self, count: int, environment: Mapping[str, str], seed: int) -> None:
        self._running = [
            subprocess.Popen(
                [sys.executable, "-m", "tests.drill.client", f"{seed}-{number}"],
                cwd=PROJECT,
                env=environment,
                stdout=subprocess.PIPE,
            )
            for number in range(count)
        ]

    def stop(self) -> Counter[str]:
        """End them; returns what they did, all together.

        Raises:
            RuntimeError: one of them broke.
        """
        counts: Counter[str] = Counter()
        for process in self._running:
            process.terminate()
        for process in self._running:
            out, _ = process.communicate(timeout=_END_SECONDS)
            if process.returncode:
                message = f"A client ended with {process.returncode}."
                raise RuntimeError(message)
            counts += Counter(json.loads(out))
        return counts

    def close(self) -> None:
        """Leave none behind."""
        for process in self._running:
            if process.poll() is None:
                process.kill()
                process.wait()


def _ended(process: subprocess.Popen[bytes]) -> int:
    try:
        return process.wait(_END_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        return process.wait()


def environment(
    database: str, *, port: int, secret: str, broker: str, exchange: str
) -> dict[str, str]:
    """Return the settings of clients and drainers; attempts never run out in a drill."""
    return os.environ | {
        "APP_ENV": "local",
        "DJANGO_SETTINGS_MODULE": "config.settings",
        "DATABASE_URL": database,
        "LOG_LEVEL": "WARNING",
        "OUTBOX_DESTINATIONS": "log,webhook,broker",
        "OUTBOX_MAX_ATTEMPTS": "1000",
        "OUTBOX_WEBHOOK_URL": f"http://127.0.0.1:{port}/",
        "OUTBOX_WEBHOOK_SECRET": secret,
        "OUTBOX_WEBHOOK_ALLOW_PRIVATE": "on",
        "OUTBOX_BROKER_URL": broker,
        "OUTBOX_BROKER_EXCHANGE": exchange,
    }
