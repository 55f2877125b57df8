"""Running the import commands as an operator does: files in, exit code, output and rejects out."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from io import StringIO
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from django.conf import settings
from django.core.management import call_command
from django.core.management.base import CommandError
from django.db import connection

PROJECT = Path(__file__).resolve().parents[2]
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


def start(command: str, *args: object) -> subprocess.Popen[bytes]:
    """Start the command as a process of its own on the test's database."""
    url = urlsplit(settings.DATABASE_URL)._replace(path=f"/{connection.settings_dict['NAME']}")
    return subprocess.Popen(
        [sys.executable, str(PROJECT / "manage.py"), command, *map(str, args)],
        env={**os.environ, "APP_ENV": "test", "DATABASE_URL": url.geturl()},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )


@contextmanager
def killed_after(process: subprocess.Popen[bytes]) -> Iterator[None]:
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
