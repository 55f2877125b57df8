"""Commands whose database does not answer: a sentence, and an exit code that says: later."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator

import pytest

from tests.starts import Ended, fast_starts

COMMANDS = (
    "check --database default",
    "migrate",
    "purge_idempotency_keys",
    "purge_imports",
    "purge_outbox",
    "requeue_outbox --all",
    "list_api_tokens",
    "seal_second_factors",
)


@pytest.fixture(scope="module")
def run() -> Iterator[Callable[[str], Ended]]:
    """Return what runs a command whose database is a closed port."""
    environment = {**os.environ, "DATABASE_URL": "postgresql://nobody@127.0.0.1:9/nowhere"}
    with fast_starts() as starts:
        yield lambda command: starts.run("manage.py", *command.split(), environment=environment)


@pytest.mark.parametrize("command", COMMANDS)
def test_a_command_says_so_and_asks_to_come_back(run, command: str) -> None:
    done = run(command)

    assert done.returncode == 75
    assert "does not " in done.stderr
    assert "Connection refused" in done.stderr
    assert "Traceback" not in done.stderr


def test_who_asks_for_the_traceback_gets_it(run) -> None:
    done = run("purge_outbox --traceback")

    assert done.returncode == 1
    assert "Traceback" in done.stderr
