"""Running the import commands as an operator does: files in, exit code, output and rejects out."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError
from django.db import connection

from tests import starts
from tests.starts import PROJECT, Process, in_test

REAL_DATA = PROJECT.parent / "shared" / "data"


@dataclass(frozen=True)
class Run:
    """What came of a command."""

    exit: int
    out: str
    error: str
    rejects: list[dict[str, Any]]

    @property
    def report(self) -> dict[str, Any]:
        return json.loads(self.out)

    @property
    def counts(self) -> dict[str, int]:
        """The figures of the report that are not nothing."""
        return {k: v for k, v in self.report.items() if v and type(v) is int}

    def reasons(self) -> dict[int, str]:
        return {reject["line"]: reject["reason"] for reject in self.rejects}


def run(command: str, *args: object) -> Run:
    """Run in the working directory, which should be the test's own: rejects are written there."""
    out, code, error = StringIO(), 0, ""
    before = set(Path().glob("*.rejects.jsonl"))
    for old in before:
        old.unlink()
    try:
        call_command(command, *map(str, args), stdout=out)
    except CommandError as failure:
        code, error = failure.returncode, str(failure)
    rejects = [
        json.loads(line)
        for path in Path().glob("*.rejects.jsonl")
        for line in path.read_text(encoding="utf-8").splitlines()
    ]
    return Run(code, out.getvalue(), error, rejects)


def start(command: str, *args: object) -> Process:
    """Start the command as a process of its own on the test's database, in the test's folder."""
    with Path(os.devnull).open("w") as nowhere:
        return starts.start(
            str(PROJECT / "manage.py"), command, *map(str, args), environment=in_test(),
            folder=Path.cwd(), out=nowhere.fileno(), err=nowhere.fileno(),
        )  # fmt: skip


@contextmanager
def killed_after(process: Process) -> Iterator[None]:
    """Kill the process, as kill -9 does, at the end of the block."""
    try:
        yield
    finally:
        process.kill()
        process.wait()


def real_file(name: str) -> Path:
    """Return a file of real data; without the folder the test is skipped, but never under CI."""
    path = REAL_DATA / name
    if not path.exists():
        if os.environ.get("CI") == "true":
            pytest.fail(f"{path} is missing, and CI skips nothing")
        pytest.skip(f"{path} is not on this machine")
    return path


def assert_gapless(*, announced: bool = True) -> None:
    """Every case has the events 0, 1, 2 … up to its version, and the outbox the same ones."""
    with connection.cursor() as cursor:
        for table in ("audit_events", "outbox_events") if announced else ("audit_events",):
            cursor.execute(
                f"SELECT c.id FROM cases c LEFT JOIN {table} e ON e.case_id = c.id "
                "GROUP BY c.id, c.version "
                "HAVING array_agg(e.sequence::int ORDER BY e.sequence) "
                "IS DISTINCT FROM ARRAY(SELECT generate_series(0, c.version))"
            )
            assert cursor.fetchall() == [], table
        if not announced:
            cursor.execute("SELECT count(*) FROM outbox_events")
            assert cursor.fetchone() == (0,)
