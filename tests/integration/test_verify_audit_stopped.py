"""verify_audit that is stopped, or whose first process is killed: it ends, and all of it ends."""

from __future__ import annotations

import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from django.db import connection, transaction

from tests import starts
from tests.factories import CaseFactory
from tests.starts import Process, children_of, in_test

pytestmark = pytest.mark.usefixtures("committed")

PATIENCE = 90  # seconds; three interpreters start on a busy machine
# The command as an operator starts it, on a trail that is large enough for processes of its own.
PROGRAM = """
import sys
from audit.verify import run
from django.core.management import execute_from_command_line
run._LARGE, run.PER_RANGE = 0, 2
execute_from_command_line(["manage.py", "verify_audit", "--processes", sys.argv[1]])
"""
WAITING = "SELECT count(*) FROM pg_locks WHERE NOT granted AND relation = 'case_notes'::regclass"

Start = Callable[[int], Process]


@pytest.fixture
def start() -> Iterator[Start]:
    """Return what starts the command and waits until it waits: the notes are locked away."""
    for _ in range(4):
        CaseFactory(status="SUBMITTED")
    started: list[Process] = []

    variables = in_test(DJANGO_SETTINGS_MODULE="config.settings")

    def begin(processes: int) -> Process:
        started.append(
            starts.start("-c", PROGRAM, str(processes), environment=variables, err=subprocess.PIPE)
        )
        assert soon(lambda: waiting_sessions() == processes)
        return started[-1]

    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("LOCK TABLE case_notes IN ACCESS EXCLUSIVE MODE")
        try:
            yield begin
        finally:
            for process in started:
                process.kill()
                process.communicate()


def soon(true: Callable[[], bool]) -> bool:
    """Wait until something is true; tell whether it came to be."""
    deadline = time.monotonic() + PATIENCE
    while not (found := true()) and time.monotonic() < deadline:
        time.sleep(0.05)
    return found


def waiting_sessions() -> int:
    with connection.cursor() as cursor:
        cursor.execute(WAITING)
        (number,) = cursor.fetchone()
        return int(number)


def lives(pid: int) -> bool:
    """Tell whether a process runs; one that nobody has buried yet does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


@pytest.mark.parametrize("processes", [1, 2])
def test_sigterm_ends_all_of_it_at_once_and_proves_nothing(start: Start, processes: int) -> None:
    command = start(processes)
    children = children_of(command.pid)
    assert len(children) >= (0 if processes == 1 else processes)

    command.send_signal(signal.SIGTERM)
    out, said = command.communicate(timeout=PATIENCE)

    assert command.returncode == 75
    assert "Stopped before everything was verified: nothing is proved." in said
    assert "Traceback" not in said
    assert out is None
    assert soon(lambda: not any(map(lives, children)))


def test_when_the_first_process_is_killed_the_others_end_by_themselves(start: Start) -> None:
    command = start(2)
    children = children_of(command.pid)
    assert len(children) >= 2

    command.kill()

    assert command.wait(PATIENCE) == -signal.SIGKILL
    assert soon(lambda: not any(map(lives, children)))
