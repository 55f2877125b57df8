"""Start the server, see whether it answers, stop it."""

import fcntl
import os
import shlex
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import psycopg
from psycopg import sql

from config.embedded_postgres.place import (
    DATABASE,
    PORT,
    SUPERUSER,
    EmbeddedPostgresError,
    Place,
    failure,
    make_folder,
)
from config.embedded_postgres.programs import major_version, run, usable_programs

PATIENCE: Final = 15.0  # seconds for a dying or starting server to get there
START_TIMEOUT: Final = 90  # seconds, crash recovery included
STOP_TIMEOUT: Final = 30  # seconds
# A test run that loses its data at a power cut starts anew: durability would only cost time. And
# tests undo what they write: once autovacuum has seen a table empty, plans that read all of it stay
# for as long as a connection does, however many rows the next test writes.
FAST_SETTINGS: Final = (
    "fsync=off", "synchronous_commit=off", "full_page_writes=off", "autovacuum=off",
)  # fmt: skip


@contextmanager
def open_lock(place: Place, name: str) -> Iterator[int]:
    """Open one of the three lock files; to close it is to let go of it."""
    handle = os.open(place.base / f"{name}.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        yield handle
    finally:
        os.close(handle)


def try_lock(handle: int) -> bool:
    """Take the lock exclusively if nobody holds it; tells whether that worked."""
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


@contextmanager
def mutex(place: Place) -> Iterator[None]:
    """Be the only one who starts or stops; raises EmbeddedPostgresError after a long wait."""
    with open_lock(place, "mutex") as handle:
        deadline = time.monotonic() + START_TIMEOUT + STOP_TIMEOUT
        while not try_lock(handle):
            if time.monotonic() > deadline:
                text = f"Another process has held {place.base}/mutex.lock for too long. End it."
                raise EmbeddedPostgresError(text)
            time.sleep(0.05)
        yield


def ensure_server(place: Place) -> None:
    """Use the server that answers; start one when none lives; wait for one in between."""
    deadline = time.monotonic() + PATIENCE
    while (refusal := _connect(place)) is not None:
        with open_lock(place, "server") as server:
            if try_lock(server):
                _start_server(place, server)
            elif time.monotonic() > deadline:
                raise failure(place, f"The server runs, but refuses: {refusal}")
        time.sleep(0.05)


def stop_server(place: Place) -> None:
    """Stop the server if one lives; its clients are cut off, their transactions undone."""
    with open_lock(place, "server") as server:
        if try_lock(server):
            return
        arguments = ("stop", "-m", "fast", "-w", "-t", str(STOP_TIMEOUT), "-D", "data")
        run(place, usable_programs(place) / "pg_ctl", *arguments, check=False)
        deadline = time.monotonic() + PATIENCE
        while not try_lock(server):
            if time.monotonic() > deadline:
                raise failure(place, "PostgreSQL does not stop.")
            time.sleep(0.05)


def _connect(place: Place) -> psycopg.OperationalError | None:
    """Make sure that the database exists; returns why the server cannot be asked, if so."""
    try:
        with psycopg.connect(
            host=str(place.socket),
            port=PORT,
            user=SUPERUSER,
            dbname="postgres",
            connect_timeout=5,
            autocommit=True,
        ) as connection:
            query = "SELECT FROM pg_database WHERE datname = %s"
            if connection.execute(query, [DATABASE]).rowcount == 0:
                connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(DATABASE)))
    except psycopg.OperationalError as error:
        return error
    return None


def _start_server(place: Place, server_lock: int) -> None:
    """Start the server; the caller holds its lock, so whatever lies about is a leftover."""
    programs = usable_programs(place)
    socket_file = f".s.PGSQL.{PORT}"
    for leftover in (
        place.data / "postmaster.pid",
        place.socket / socket_file,
        place.socket / f"{socket_file}.lock",
    ):
        leftover.unlink(missing_ok=True)
    major = major_version(place, programs)
    if not place.data.exists():
        _make_data(place, programs, major)
    written_by = (place.data / "PG_VERSION").read_text(encoding="ascii").strip()
    if written_by != str(major):
        text = (
            f"{place.data} was written by PostgreSQL {written_by}, the server found is {major}. "
            f"Point EMBEDDED_POSTGRES_BIN to the programs of PostgreSQL {written_by}, or remove "
            f"{place.base} (its data are lost)."
        )
        raise EmbeddedPostgresError(text)
    if place.log.exists():
        place.log.replace(place.base / "log.before")
    place.log.touch(mode=0o600)
    if place.account is not None:
        os.chown(place.log, place.account.pw_uid, place.account.pw_gid)
    folder = str(place.socket).replace('"', '""')
    settings = [f'unix_socket_directories="{folder}"', "listen_addresses=", f"port={PORT}"]
    settings += ["timezone=UTC", "log_timezone=UTC"]
    if place.purpose == "test":
        settings += FAST_SETTINGS
    # Paths relative to the working directory: pg_ctl hands them to a shell.
    arguments = ["start", "-w", "-t", str(START_TIMEOUT), "-D", "data", "-l", "log"]
    arguments += ["-o", shlex.join(f"-c{setting}" for setting in settings)]
    run(place, programs / "pg_ctl", *arguments, lock=server_lock)


def _make_data(place: Place, programs: Path, major: int) -> None:
    """Run initdb beside the final folder, so that an interrupted one is never taken for data."""
    unfinished = place.base / "data.unfinished"
    shutil.rmtree(unfinished, ignore_errors=True)
    make_folder(unfinished, 0o700, place.account)
    arguments = ["-D", unfinished.name, "-U", SUPERUSER, "--auth=trust", "--encoding=UTF8"]
    if major >= 17:  # noqa: PLR2004 (the release that brought a locale independent of the system)
        arguments += ["--locale=C", "--locale-provider=builtin", "--builtin-locale=C.UTF-8"]
    else:
        arguments += ["--locale=C.UTF-8"]
    if place.purpose == "test":
        arguments += ["--no-sync"]
    run(place, programs / "initdb", *arguments)
    unfinished.rename(place.data)
