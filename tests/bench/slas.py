"""How long `check_slas` takes to mark what has become overdue, as a timer runs it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from statistics import median
from typing import Final

import psycopg
from psycopg import sql

from tests.bench.databases import PROJECT, with_database
from tests.bench.load import BenchError
from tests.bench.rounds import Rounds

MIX: Final = "slas"
CASES: Final = 100_000  # that are marked
# What is asked, in seconds, events and audit rows and the start of the command included.
MOST: Final = 60.0
_COPY: Final = "regulatory_bench_slas"
_TOLD: Final = "SELECT count(*) FROM {} WHERE event_type = 'CASE_OVERDUE'"


class Marking:
    """Marks cases in a copy of a database, a new one each time; knows the seconds that it took."""

    def __init__(self, maintenance: str, template: str) -> None:
        self.maintenance, self.template = maintenance, template
        self.seconds: list[float] = []

    def __call__(self) -> float:
        """Mark once; return cases a second.

        Raises:
            BenchError: the command failed, or not every mark has its rows.
        """
        copy, name = sql.Identifier(_COPY), sql.Identifier(self.template)
        with psycopg.connect(self.maintenance, autocommit=True) as connection:
            connection.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(copy))
            statement = "CREATE DATABASE {} TEMPLATE {} STRATEGY file_copy"
            connection.execute(sql.SQL(statement).format(copy, name))
            try:
                self.seconds.append(_mark(with_database(self.maintenance, _COPY)))
            finally:
                connection.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(copy))
        return CASES / self.seconds[-1]

    def terminal(self) -> str:
        """Return the outcome for people."""
        return (
            f"{CASES:,} cases are marked overdue in {median(self.seconds):.1f} s "
            f"({min(self.seconds):.1f}-{max(self.seconds):.1f}; asked: less than {MOST:.0f})"
        )

    def missed(self) -> Sequence[str]:
        """Return what was asked for and not reached, a sentence each."""
        if median(self.seconds) < MOST:
            return []
        return [f"slas: {median(self.seconds):.1f} s, asked less than {MOST:.0f}"]


def measure(maintenance: str, template: str, rounds: int, say: Callable[[str], None]) -> Marking:
    """Mark as often as there are rounds, each time in a copy of the template."""
    marking = Marking(maintenance, template)
    Rounds().play({"check_slas": marking}, rounds, say)
    return marking


def _mark(url: str) -> float:
    environment = os.environ | {"APP_ENV": "local", "DATABASE_URL": url, "LOG_LEVEL": "WARNING"}
    started = time.monotonic()
    done = subprocess.run(
        [sys.executable, "manage.py", "check_slas", "--json", "--limit", str(CASES)],
        cwd=PROJECT, env=environment, capture_output=True, text=True, check=False,
    )  # fmt: skip
    seconds = time.monotonic() - started
    if done.returncode or json.loads(done.stdout)["marked"] != CASES:
        message = f"check_slas ended with {done.returncode}: {done.stdout} {done.stderr[-500:]}"
        raise BenchError(message)
    with psycopg.connect(url) as connection:
        told = [
            connection.execute(_TOLD.format(table)).fetchone()
            for table in ("audit_events", "outbox_events")
        ]
    if told != [(CASES,), (CASES,)]:
        message = f"{CASES} marks, but {told} rows in trail and outbox"
        raise BenchError(message)
    return seconds
