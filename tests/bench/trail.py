"""How fast the whole trail is verified, and in how much memory, as operators do it."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from statistics import median
from typing import Final

from tests.bench.databases import PROJECT
from tests.bench.load import BenchError

MIX: Final = "verify"
# What is asked: events a second on two cores, and MB of all processes together.
WANTED: Final = 100_000
MOST_MB: Final = 300
CASES: Final = 270_000  # with about a million events
_LOOK: Final = 0.05  # seconds


class Verification:
    """Verifies a database as often as it is called, in processes of their own."""

    def __init__(self, environment: Mapping[str, str]) -> None:
        self.environment = environment
        self.rates: list[float] = []
        self.peaks: list[float] = []

    def __call__(self) -> float:
        """Verify once; return events a second, start of the command and all included.

        Raises:
            BenchError: the command failed, or found something.
        """
        started = time.monotonic()
        command = [sys.executable, "manage.py", "verify_audit", "--json"]
        with subprocess.Popen(
            command, cwd=PROJECT, env=dict(self.environment), stdout=subprocess.PIPE, text=True
        ) as process:
            most: dict[int, int] = {}
            while process.poll() is None:
                for pid, size in _resident(process.pid):
                    most[pid] = max(size, most.get(pid, 0))
                time.sleep(_LOOK)
            assert process.stdout is not None
            said = process.stdout.read()
        if process.returncode:
            message = f"verify_audit ended with {process.returncode}: {said[:500]}"
            raise BenchError(message)
        self.rates.append(json.loads(said)["events"] / (time.monotonic() - started))
        self.peaks.append(sum(most.values()) / 1024)
        return self.rates[-1]

    def sentence(self) -> str:
        """Return the outcome for people."""
        return (
            f"The trail is verified at {median(self.rates):,.0f} events a second "
            f"({min(self.rates):,.0f}-{max(self.rates):,.0f}; asked: {WANTED:,}) "
            f"in {max(self.peaks):.0f} MB (asked: less than {MOST_MB})"
        )

    def missed(self) -> Sequence[str]:
        """Return what was asked for and not reached, a sentence each."""
        lacks = []
        if median(self.rates) < WANTED:
            lacks.append(f"verify: {median(self.rates):,.0f} events a second, asked {WANTED:,}")
        if max(self.peaks) >= MOST_MB:
            lacks.append(f"verify: {max(self.peaks):.0f} MB, asked less than {MOST_MB}")
        return lacks


def _resident(pid: int) -> Iterator[tuple[int, int]]:
    """Yield a process and those it started, each with its peak of resident memory in KiB."""
    try:
        status = Path(f"/proc/{pid}/status").read_text()
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    except OSError:  # it ended just now
        return
    for line in status.splitlines():
        if line.startswith("VmHWM:"):
            yield pid, int(line.split()[1])
    for child in children:
        yield from _resident(int(child))
