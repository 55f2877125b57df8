"""Processes of the service that start fast: libraries are loaded once, each start is a fork.

What is ours is loaded in the fork, with the environment of that start alone, as in a process of its
own; nine tenths of the time that one takes are libraries. What a user starts by ``make run`` is
started by the interpreter itself, in ``tests/e2e/test_run_local.py``.
"""

from __future__ import annotations

import atexit
import json
import os
import select
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Mapping
from contextlib import ExitStack
from functools import cache
from pathlib import Path
from types import TracebackType
from typing import IO, NamedTuple, Self
from urllib.parse import urlsplit, urlunsplit

from django.db import connection

from tests import forking

PROJECT = Path(__file__).resolve().parents[1]
OURS = {"audit", "cases", "config", "conftest", "outbox", "tests"}
# These look at the environment when they are loaded.
AT_HOME = {"opentelemetry", "prometheus_client"}


class Ended(NamedTuple):
    """What came of a start."""

    returncode: int
    stdout: str
    stderr: str


class Process:
    """A process that was started; its methods are those of ``subprocess.Popen``."""

    def __init__(
        self, command: tuple[str, ...], told: IO[str], out: IO[str] | None, err: IO[str] | None
    ) -> None:
        self.args, self.stdout, self.stderr = command, out, err
        self.returncode: int | None = None
        self._told = told
        self.pid = int(told.readline())

    def poll(self) -> int | None:
        """Return the exit code, None while it runs."""
        if self.returncode is None and select.select([self._told], [], [], 0)[0]:
            return self.wait()
        return self.returncode

    def wait(self, timeout: float | None = None) -> int:
        """Return the exit code once it has ended; of one that was killed, the signal, negative.

        Raises:
            subprocess.TimeoutExpired: It still runs after so many seconds.
        """
        if self.returncode is None:
            if not select.select([self._told], [], [], timeout)[0]:
                assert timeout is not None
                raise subprocess.TimeoutExpired(self.args, timeout)
            self.returncode = int(self._told.readline())
            self._told.close()
        return self.returncode

    def communicate(self, timeout: float | None = None) -> tuple[str | None, str | None]:
        """Return what it writes until its end into the pipes that it has.

        Raises:
            subprocess.TimeoutExpired: It still runs after so many seconds.
        """
        read: dict[IO[str], str] = {}

        def read_from(pipe: IO[str]) -> None:
            read[pipe] = pipe.read()

        pipes = [pipe for pipe in (self.stdout, self.stderr) if pipe and not pipe.closed]
        readers = [threading.Thread(target=read_from, args=[pipe], daemon=True) for pipe in pipes]
        for reader in readers:
            reader.start()
        self.wait(timeout)
        for reader in readers:
            reader.join()
        self._close()
        return self.stdout and read.get(self.stdout, ""), self.stderr and read.get(self.stderr, "")

    def send_signal(self, number: int) -> None:
        """Send it a signal, unless it has ended."""
        if self.poll() is None:
            os.kill(self.pid, number)

    def terminate(self) -> None:
        """Ask it to end."""
        self.send_signal(signal.SIGTERM)

    def kill(self) -> None:
        """End it at once."""
        self.send_signal(signal.SIGKILL)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        at: TracebackType | None,
    ) -> None:
        self._close()
        self.wait()

    def _close(self) -> None:
        for pipe in (self.stdout, self.stderr):
            if pipe is not None:
                pipe.close()


def start(
    *command: str,
    environment: Mapping[str, str],
    folder: Path = PROJECT,
    out: int | None = None,
    err: int | None = None,
) -> Process:
    """Start ``-c code``, ``-m module`` or a script with its arguments, like ``manage.py check``.

    It has this environment and no other variable. ``out`` and ``err`` are files that are open, or
    ``subprocess.PIPE``; without one the tests' own is taken.
    """
    with ExitStack() as theirs:

        def pipe() -> tuple[IO[str], int]:
            mine, its = os.pipe()
            theirs.callback(os.close, its)
            return os.fdopen(mine, encoding="utf-8"), its

        nothing = os.open(os.devnull, os.O_RDONLY)
        theirs.callback(os.close, nothing)
        read_out, out = pipe() if out == subprocess.PIPE else (None, out)
        read_err, err = pipe() if err == subprocess.PIPE else (None, err)
        told, tells = pipe()
        streams = [nothing, 1 if out is None else out, 2 if err is None else err, tells]
        asked = {"command": command, "environment": {**environment}, "folder": str(folder)}
        socket.send_fds(_forking(), [json.dumps(asked).encode()], streams)
        return Process(command, told, read_out, read_err)


def children_of(pid: int) -> list[int]:
    """Return the processes that a process has started and that are not buried yet."""
    return [int(one) for one in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def in_test(database_url: str | None = None, **variables: str) -> dict[str, str]:
    """Return the environment of a process of the service on a database, or on the test's own."""
    inherited = {k: v for k, v in os.environ.items() if k != "DJANGO_SETTINGS_MODULE"}
    url = own_database() if database_url is None else database_url
    return inherited | {"APP_ENV": "test", "DATABASE_URL": url} | variables


def own_database() -> str:
    """Return the address of the database on which this process tests."""
    own = f"/{connection.settings_dict['NAME']}"
    return urlunsplit(urlsplit(os.environ["DATABASE_URL"])._replace(path=own))


def run(*command: str, environment: Mapping[str, str], folder: Path = PROJECT) -> Ended:
    """Start it, and wait for its end."""
    pipe = subprocess.PIPE
    with start(*command, environment=environment, folder=folder, out=pipe, err=pipe) as process:
        out, err = process.communicate()
        assert out is not None
        assert err is not None
        return Ended(process.wait(), out, err)


@cache
def _forking() -> socket.socket:
    """Return the way to a process that forks; it ends with this one."""
    names = [name for name in sys.modules if name.partition(".")[0] not in OURS | AT_HOME]
    # Else the libraries would find the settings of the tests, and keep them.
    without_settings = {k: v for k, v in os.environ.items() if k != "DJANGO_SETTINGS_MODULE"}
    mine, its = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    with its:
        process = subprocess.Popen(
            [sys.executable, forking.__file__, str(its.fileno())],
            cwd=PROJECT,
            env=without_settings,
            pass_fds=[its.fileno()],
        )
    mine.send(json.dumps(names).encode())
    assert mine.recv(forking.LONGEST) == b"loaded"
    atexit.register(process.wait)
    atexit.register(mine.close)
    return mine
