"""The bench's own databases on one PostgreSQL server: made, filled, kept or dropped."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit, urlunsplit

import psycopg
from psycopg import sql

from config import embedded_postgres
from tests.bench.load import BenchError

PROJECT: Final = Path(__file__).parents[2]
SQL: Final = Path(__file__).parent / "sql"
SERVICE_FILES: Final = (SQL / "accounts.sql", SQL / "load.sql")
BATCH: Final = 100_000  # cases
GUARDED: Final = ("cases", "case_notes", "audit_events")
SAMPLE: Final = 20_000  # cases that are read one by one

Say = Callable[[str], None]


def server() -> AbstractContextManager[str]:
    """Return the URL of a maintenance database: BENCH_DATABASE_URL, or the embedded server's."""
    if url := os.environ.get("BENCH_DATABASE_URL"):
        return nullcontext(url)
    return embedded_postgres.running()


def with_database(url: str, name: str, *, scheme: str = "postgresql") -> str:
    """Return the URL of another database of the same server."""
    parts = urlsplit(url)
    return urlunsplit(parts._replace(scheme=scheme, path=f"/{name}"))


def program(name: str) -> str | None:
    """Return the path of one of PostgreSQL's client programs, the embedded server's first."""
    try:
        beside = embedded_postgres.find_programs() / name
    except embedded_postgres.EmbeddedPostgresError:
        return shutil.which(name)
    return str(beside) if beside.is_file() else shutil.which(name)


@contextmanager
def database(
    maintenance: str, name: str, fill: Callable[[str], None], mark: str, *, keep: bool
) -> Iterator[str]:
    """Yield the URL of a filled database; drop it in the end unless it is to be kept.

    Args:
        maintenance: URL of any database of the server, of a user who may create databases.
        name: what the database is called.
        fill: fills a new one, given its URL.
        mark: says what it was filled with; a kept database with another mark is made anew.
        keep: leave it for the next run.
    """
    url = with_database(maintenance, name)
    with psycopg.connect(maintenance, autocommit=True) as connection:
        if _mark(connection, name) != mark:
            _drop(connection, name)
            connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
            fill(url)
            # Only now: a run that was interrupted leaves a database without a mark.
            comment = sql.SQL("COMMENT ON DATABASE {} IS {}")
            connection.execute(comment.format(sql.Identifier(name), sql.Literal(mark)))
    try:
        yield url
    finally:
        if not keep:
            with psycopg.connect(maintenance, autocommit=True) as connection:
                _drop(connection, name)


def _mark(connection: psycopg.Connection, name: str) -> str | None:
    query = "SELECT shobj_description(oid, 'pg_database') FROM pg_database WHERE datname = %s"
    row = connection.execute(query, [name]).fetchone()
    return row[0] if row else None


def _drop(connection: psycopg.Connection, name: str) -> None:
    statement = sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)")
    connection.execute(statement.format(sql.Identifier(name)))


def mark_of(count: int, *files: Path) -> str:
    """Return a text that changes with the number of cases and with what fills the database."""
    digest = hashlib.sha256(b"".join(path.read_bytes() for path in files))
    return f"{count} cases, {digest.hexdigest()[:16]}"


def migrate(url: str) -> None:
    """Bring the schema of the service up to date, as an operator does."""
    environment = os.environ | {"APP_ENV": "local", "DATABASE_URL": url}
    command = [sys.executable, "manage.py", "migrate", "--verbosity", "0"]
    subprocess.run(command, cwd=PROJECT, env=environment, check=True)


def fill_with_cases(url: str, count: int, say: Say) -> None:
    """Load as many cases into a migrated database and commit them."""
    with psycopg.connect(url) as connection:
        connection.execute("SET LOCAL synchronous_commit = off; SET LOCAL work_mem = '256MB'")
        load_cases(connection, count, say)
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("VACUUM ANALYZE")
        connection.execute("CHECKPOINT")


def load_cases(connection: psycopg.Connection, count: int, say: Say) -> None:
    """Load as many cases with their trails, in the transaction under way.

    The guards are off only inside this transaction, and come back as they were: enabled ALWAYS
    stays ALWAYS. So neither a failure nor a second session ever sees the tables without them.
    """
    cursor = psycopg.ClientCursor(connection)  # a batch is several statements with parameters
    cursor.execute("SELECT setseed(0.5)")
    cursor.execute((SQL / "accounts.sql").read_text())
    batch = (SQL / "load.sql").read_text()
    with _guards_off(connection):
        for first in range(1, count + 1, BATCH):
            started, last = time.monotonic(), min(first + BATCH - 1, count)
            cursor.execute(batch, {"first": first, "last": last, "total": count})
            say(f"loaded cases {first} to {last} in {time.monotonic() - started:.0f} s")
    cursor.execute("SELECT setval('case_number', %s)", [count])


@contextmanager
def _guards_off(connection: psycopg.Connection) -> Iterator[None]:
    query = """
        SELECT tgrelid::regclass::text, tgname, tgenabled FROM pg_trigger
         WHERE tgrelid = ANY (%s::regclass[]) AND NOT tgisinternal AND tgenabled <> 'D'
    """
    triggers = connection.execute(query, [list(GUARDED)]).fetchall()
    _switch(connection, [(table, name, "D") for table, name, _ in triggers])
    yield
    _switch(connection, triggers)


def _switch(connection: psycopg.Connection, triggers: list[tuple[str, str, str]]) -> None:
    words = {"D": "DISABLE", "O": "ENABLE", "A": "ENABLE ALWAYS", "R": "ENABLE REPLICA"}
    for table, name, state in triggers:
        statement = sql.SQL("ALTER TABLE {} {} TRIGGER {}").format(
            sql.Identifier(table), sql.SQL(words[state]), sql.Identifier(name)
        )
        connection.execute(statement)


def readable_ids(url: str, condition: str) -> tuple[str, ...]:
    """Return a sample of case ids, those that fulfil an SQL condition."""
    query = f"SELECT id FROM cases WHERE {condition} ORDER BY random() LIMIT {SAMPLE}"
    with psycopg.connect(url) as connection:
        return tuple(row[0] for row in connection.execute(query))


def play_sql(url: str, *files: Path, **variables: int) -> None:
    """Run SQL files by psql; raises BenchError when psql is absent or a statement fails."""
    psql = program("psql")
    if psql is None:
        message = "psql was not found: it loads the peer's database. Install PostgreSQL's client."
        raise BenchError(message)
    command = [psql, "--quiet", "--no-psqlrc", "--set", "ON_ERROR_STOP=1", "--dbname", url]
    for name, value in variables.items():
        command += ["--set", f"{name}={value}"]
    for path in files:
        command += ["--file", str(path)]
    done = subprocess.run(
        command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False
    )
    if done.returncode:
        message = f"psql failed: {done.stdout.strip()[-500:]}"
        raise BenchError(message)
