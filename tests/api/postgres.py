"""A PostgreSQL server of a test's own: to be stopped, killed and made a standby."""

from __future__ import annotations

import fcntl
import os
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from hashlib import sha256
from pathlib import Path
from typing import Any

import psycopg

from config.embedded_postgres.place import PORT, SUPERUSER, Place, locate, prepare, url_of
from config.embedded_postgres.programs import run, usable_programs
from config.embedded_postgres.server import ensure_server, stop_server
from tests.starts import PROJECT, in_test, start

PATIENCE = 30  # seconds
# No superuser, no owner, and no more connections than it may have.
SERVICE = """
CREATE ROLE service LOGIN;
GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO service;
GRANT USAGE ON ALL SEQUENCES IN SCHEMA public TO service
"""


class Postgres:
    """One server with one migrated database; the embedded server's own code runs it."""

    def __init__(self, place: Place) -> None:
        self.place = place
        self.url = url_of(place)

    def start(self) -> None:
        ensure_server(self.place)

    def stop(self) -> None:
        stop_server(self.place)

    def kill(self) -> None:
        """Kill -9 the postmaster; its children notice and follow."""
        os.kill(int((self.place.data / "postmaster.pid").read_text().split()[0]), signal.SIGKILL)

    def as_standby(self) -> None:
        """Start again as a standby that no primary feeds: it reads, and writes nothing."""
        self.stop()
        (self.place.data / "standby.signal").touch()
        self.start()

    def as_primary(self) -> None:
        """Start again as what it was."""
        self.stop()
        (self.place.data / "standby.signal").unlink(missing_ok=True)
        self.start()

    def run_ahead(self) -> None:
        """Let its log of writes go on where hardly any other server's has come to."""
        self.stop()
        reset = usable_programs(self.place) / "pg_resetwal"
        run(self.place, reset, "-l", "000000010000FFFF00000001", "-D", str(self.place.data))
        self.start()

    def logged(self) -> str:
        return self.place.log.read_text()

    def session(self) -> psycopg.Connection:
        """Return a session of the superuser, each statement of which is a transaction."""
        return psycopg.connect(self.url, autocommit=True)

    def execute(self, statement: str) -> None:
        with self.session() as session:
            session.execute(statement)

    def end_sessions(self, which: str = "true") -> int:
        """Terminate the other sessions, as an operator or a fail-over does; tells how many."""
        with self.session() as session:
            told = session.execute(
                "SELECT pid, pg_terminate_backend(pid) FROM pg_stat_activity WHERE"
                f" pid <> pg_backend_pid() AND backend_type = 'client backend' AND {which}"
            ).fetchall()
        # All at once: given a time, PostgreSQL waits a tenth of a second for each.
        self.wait_until("pid = ANY(%s)", [[pid for pid, _ in told]], holds=False)
        return len(told)

    def wait_until(self, condition: str, values: Sequence[Any] = (), *, holds: bool = True) -> None:
        """Wait until some session, or none, is as the condition on pg_stat_activity says."""
        end = time.monotonic() + PATIENCE
        query = f"SELECT FROM pg_stat_activity WHERE pid <> pg_backend_pid() AND {condition}"
        with self.session() as session:
            while bool(session.execute(query, values or None).rowcount) is not holds:
                assert time.monotonic() < end, condition
                time.sleep(0.02)


@contextmanager
def own_postgres(*, migrated: bool = True) -> Iterator[Postgres]:
    """Run a server in a folder of its own until the block ends; its database is migrated."""
    base = Path(tempfile.mkdtemp(prefix="rc-", dir="/tmp"))
    base.chmod(0o755)  # the server's account has to pass
    # The durable kind: what was answered must be there after a kill.
    place = replace(locate("local"), base=base, socket=base / "s")
    postgres = Postgres(place)
    try:
        prepare(place)
        if migrated:
            subprocess.run(["cp", "-a", _migrated(), place.data], check=True)
        postgres.start()
        yield postgres
    finally:
        postgres.stop()
        shutil.rmtree(base)


def _migrated() -> Path:
    """Return the data folder of a stopped, migrated server, to be copied; made where it is missing.

    It is kept beside the data of the tests' own server for as long as the migrations are these.
    """
    kept = locate("test").base.with_name("postgres-migrated")
    kept.parent.mkdir(exist_ok=True)
    with kept.with_suffix(".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # several processes test at once
        mark = kept / "migrations"
        if not mark.exists() or mark.read_text() != _migrations():
            shutil.rmtree(kept, ignore_errors=True)
            kept.mkdir(mode=0o755)
            with own_postgres(migrated=False) as made:
                done = start("manage.py", "migrate", "-v", "0", environment=in_test(made.url))
                assert done.wait() == 0
                made.stop()
                subprocess.run(["cp", "-a", made.place.data, kept / "data"], check=True)
            mark.write_text(_migrations())
    return kept / "data"


def _migrations() -> str:
    """Return what tells these migrations, and the server's programs, from others."""
    digest = sha256(str(usable_programs(locate("test"))).encode())
    for file in sorted(PROJECT.glob("*/migrations/*")):
        if file.is_file():
            digest.update(file.read_bytes())
    digest.update((PROJECT / "requirements.txt").read_bytes())  # other packages bring tables, too
    return digest.hexdigest()


@contextmanager
def streaming_replica(primary: Postgres, *, log_statement: str = "all") -> Iterator[Postgres]:
    """Run a standby that the primary feeds until the block ends; it logs its statements."""
    base = Path(tempfile.mkdtemp(prefix="rc-", dir="/tmp"))
    base.chmod(0o755)
    place = replace(primary.place, base=base, socket=base / "s")
    standby = Postgres(place)
    try:
        prepare(place)
        if place.account is not None:
            os.chown(base, place.account.pw_uid, -1)  # it makes the folder of the copy
        source = f"host={primary.place.socket} port={PORT} user={SUPERUSER}"
        copy = usable_programs(primary.place) / "pg_basebackup"
        run(
            primary.place,
            copy,
            "-D",
            str(place.data),
            "-R",
            "-X",
            "stream",
            "-c",
            "fast",
            "--no-sync",
            "-d",
            source,
        )
        with (place.data / "postgresql.auto.conf").open("a") as settings:
            settings.write(f"log_statement = '{log_statement}'\n")
        standby.start()
        yield standby
    finally:
        standby.stop()
        shutil.rmtree(base)
