"""Commands whose database does not answer: a sentence, and an exit code that says: later."""

from __future__ import annotations

import pytest

from tests import starts
from tests.starts import Ended, in_test

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


def run(command: str) -> Ended:
    """Run a command whose database is a closed port."""
    environment = in_test("postgresql://nobody@127.0.0.1:9/nowhere")
    return starts.run("manage.py", *command.split(), environment=environment)


@pytest.mark.parametrize("command", COMMANDS)
def test_a_command_says_so_and_asks_to_come_back(command: str) -> None:
    done = run(command)

    assert done.returncode == 75
    assert "does not " in done.stderr
    assert "Connection refused" in done.stderr
    assert "Traceback" not in done.stderr


def test_who_asks_for_the_traceback_gets_it() -> None:
    done = run("purge_outbox --traceback")

    assert done.returncode == 1
    assert "Traceback" in done.stderr
