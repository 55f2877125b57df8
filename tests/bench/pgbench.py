"""The database without any service: pgbench with the statements that the service sends."""

from __future__ import annotations

import re
import subprocess
from typing import Final

import psycopg

from tests.bench.databases import SQL, program
from tests.bench.load import BenchError

# How many HTTP requests one run of the script stands for.
SCRIPTS: Final = {"lifecycle": 4, "detail": 1, "list": 1}
WHO: Final = ("writer", "reviewer")
ABSENT: Final = "pgbench was not found (Debian: postgresql-contrib): no share of it is measured."


def find() -> str | None:
    """Return the path of pgbench, or None where there is none."""
    return program("pgbench")


def keys(url: str) -> dict[str, str]:
    """Return the public part of the latest API token of each who acts, and what rights rest on."""
    query = (
        "SELECT t.token_key FROM api_tokens t JOIN auth_user u ON u.id = t.user_id"
        " WHERE u.username = %s ORDER BY t.created DESC LIMIT 1"
    )
    with psycopg.connect(url) as connection:
        version = connection.execute("SELECT value::text FROM rights_version").fetchone()
        rows = {who: connection.execute(query, [f"{who}-1"]).fetchone() for who in WHO}
    known = {f"{who}_key": row[0] if row else "" for who, row in rows.items()}
    return known | {"rights_version": version[0] if version else ""}


def rate(path: str, url: str, mix: str, *, cases: int, clients: int, seconds: float) -> float:
    """Return for how many requests a second pgbench carries out the statements of a mix.

    Args:
        path: the program.
        url: the service's database.
        mix: one of ``SCRIPTS``.
        cases: how many cases are loaded.
        clients: connections, each with one statement under way.
        seconds: how long is measured, rounded to whole seconds.

    Raises:
        BenchError: a statement failed.
    """
    # Only by the simple protocol are variables written into quoted texts. So pgbench lets each
    # statement be planned anew, which the service does not.
    command = [path, "--no-vacuum", "--protocol", "simple", "--client", str(clients)]
    command += ["--jobs", "2", "--time", str(max(1, round(seconds)))]
    for name, value in (ids(cases) | keys(url)).items():
        command += ["--define", f"{name}={value}"]
    command += ["--file", str(SQL / f"{mix}.sql"), url]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    found = re.search(r"^tps = ([0-9.]+)", done.stdout, re.MULTILINE)
    # Since PostgreSQL 15 a failed transaction does not always fail the program.
    failed = re.search(r"^number of failed transactions: ([0-9]+)", done.stdout, re.MULTILINE)
    if done.returncode or found is None or (failed and failed[1] != "0"):
        message = f"pgbench failed on {mix}: {done.stderr.strip()[-500:]}"
        raise BenchError(message)
    return float(found[1]) * SCRIPTS[mix]


def ids(cases: int) -> dict[str, int | str]:
    """Return the largest range of case numbers that have one length: pgbench pads nothing."""
    high = cases - 1
    digits = len(str(high))
    return {"low": 10 ** (digits - 1), "high": high, "dash": "-" + "0" * (6 - digits)}
