"""The export of the trail beside COPY of the same columns: speed as a ratio, and memory."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Final

import psycopg

from tests.bench import databases
from tests.bench.load import BenchError
from tests.bench.rounds import Rounds, ratio_of

MIX: Final = "exports"
COPY: Final = "copy"
FORMATS: Final = ("jsonl", "csv", "xes")
# What the file holds, read in the same order, and nothing done to it.
STATEMENT: Final = """
COPY (SELECT id, case_id, sequence, event_type, actor_id, occurred_at, recorded_at, request_id,
             details, previous_hash, hash
        FROM audit_events ORDER BY case_id, sequence) TO STDOUT
"""
# What is asked of JSON lines: a share of the speed of COPY, and MB at a million events.
WANTED: Final = 0.40
MEMORY: Final = 150.0
# A command of Django's in a process of its own: events a second without the time that it takes to
# start, and the most memory the program ever had. (What getrusage calls the most is at least what
# the process that started it had at that moment.)
_EXPORT: Final = r"""
import re, sys, time
import django
from django.core.management import call_command
django.setup()
from django.db import connection
connection.ensure_connection()
begun = time.monotonic()
call_command("export_audit", "--format", sys.argv[1], stderr=open("/dev/null", "w"))
seconds = time.monotonic() - begun
most = int(re.search(r"VmHWM:\s+(\d+) kB", open("/proc/self/status").read())[1])
print(seconds, most / 1000, file=sys.stderr)
"""


@dataclass
class Exports:
    """What the rounds brought: events a second by contender, and the most memory of each, in MB."""

    events: int
    rounds: Rounds
    memory: dict[str, float]

    def missed(self) -> list[str]:
        """Return what was asked for and not reached, a sentence each."""
        ratio, memory = self.rounds.ratio("jsonl", COPY), self.memory["jsonl"]
        lacks = []
        if ratio.median < WANTED:
            lacks.append(f"export: {ratio.median:.2f} of COPY, asked {WANTED}")
        if memory >= MEMORY:
            lacks.append(f"export: {memory:.0f} MB, asked less than {MEMORY:.0f}")
        return lacks

    def terminal(self) -> str:
        """Return a table for a person."""
        lines = [f"The trail of {self.events} events, as files", "  format  events/s  MB  of COPY"]
        for name in self.rounds.measured:
            rates, memory = sorted(self.rounds.rates(name)), self.memory.get(name)
            shown = "-" if memory is None else f"{memory:.0f}"
            ratio = ratio_of(self.rounds.rates(name), self.rounds.rates(COPY))
            lines.append(f"  {name:<6} {rates[len(rates) // 2]:9.0f} {shown:>4}  {ratio}")
        return "\n".join(lines)

    def as_json(self) -> dict[str, object]:
        """Return all of it for a file."""
        rates = {name: self.rounds.rates(name) for name in self.rounds.measured}
        return {"events": self.events, "rates": rates, "memory": self.memory}


def measure(url: str, rounds: int, say: Callable[[str], None]) -> Exports:
    """Let COPY and the formats take turns; what they write goes nowhere.

    Raises:
        BenchError: psql is not there, or an export failed.
    """
    psql = databases.program("psql")
    if psql is None:
        message = "psql was not found: COPY is measured with it. Install PostgreSQL's client."
        raise BenchError(message)
    with psycopg.connect(url) as connection:
        row = connection.execute("SELECT count(*) FROM audit_events").fetchone()
    assert row is not None
    brought = Exports(row[0], Rounds(), {})
    contenders = {COPY: partial(_copy, psql, url, row[0])}
    contenders |= {name: partial(_export, url, name, brought) for name in FORMATS}
    brought.rounds.play(contenders, rounds, say)
    return brought


def _copy(psql: str, url: str, events: int) -> float:
    """Return events a second of a bare COPY, psql's start included: some hundredths of a second."""
    begun = time.monotonic()
    done = subprocess.run(
        [psql, "--no-psqlrc", "--quiet", "--dbname", url, "--command", STATEMENT],
        stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, check=False,
    )  # fmt: skip
    if done.returncode:
        message = f"COPY failed: {done.stderr.strip()[-500:]}"
        raise BenchError(message)
    return events / (time.monotonic() - begun)


def _export(url: str, name: str, brought: Exports) -> float:
    """Return events a second of an export, and keep the most memory it took."""
    environment = os.environ | {
        "APP_ENV": "local", "DATABASE_URL": url, "DJANGO_SETTINGS_MODULE": "config.settings",
        "LOG_LEVEL": "WARNING",
    }  # fmt: skip
    done = subprocess.run(
        [sys.executable, "-c", _EXPORT, name], cwd=databases.PROJECT, env=environment,
        stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, check=False,
    )  # fmt: skip
    if done.returncode:
        message = f"The export as {name} failed: {done.stderr.strip()[-500:]}"
        raise BenchError(message)
    seconds, memory = map(float, done.stderr.split()[-2:])
    brought.memory[name] = max(memory, brought.memory.get(name, 0.0))
    return brought.events / seconds
