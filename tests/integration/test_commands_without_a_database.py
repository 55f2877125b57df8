"""Commands whose database does not answer, or lacks tables: a sentence, and come back later."""

from __future__ import annotations

import os
from collections.abc import Iterator
from urllib.parse import urlsplit, urlunsplit

import psycopg
import pytest
from django.db import connection

from tests import starts
from tests.api.server import copied_database
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


@pytest.fixture(scope="module")
def empty(django_db_setup, django_db_blocker) -> Iterator[str]:
    """Make a database without any table, and return its address."""
    name = f"{connection.settings_dict['NAME']}_empty"
    with django_db_blocker.unblock(), connection._nodb_cursor() as cursor:
        cursor.execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')
        cursor.execute(f'CREATE DATABASE "{name}" TEMPLATE template0')
        try:
            yield urlunsplit(urlsplit(os.environ["DATABASE_URL"])._replace(path=f"/{name}"))
        finally:
            cursor.execute(f'DROP DATABASE "{name}" WITH (FORCE)')


@pytest.mark.parametrize(
    "command",
    ["check_slas", "clearsessions", "createsuperuser --noinput --username boss --email a@b.example",
     "export_audit", "list_api_tokens", "purge_outbox"],
)  # fmt: skip
def test_a_command_whose_tables_are_not_there_yet_says_what_to_run(empty, command) -> None:
    done = starts.run("manage.py", *command.split(), environment=in_test(empty))

    assert done.returncode == 75
    assert done.stderr.endswith("Migrations are missing: run manage.py migrate.\n")
    assert "Traceback" not in done.stderr


def test_a_table_that_is_missing_from_a_whole_database_is_a_fault_and_told_as_one(
    django_db_setup, django_db_blocker
) -> None:
    with django_db_blocker.unblock(), copied_database("torn") as url:
        with psycopg.connect(url) as torn:
            torn.execute("DROP TABLE django_session CASCADE")
        done = starts.run("manage.py", "clearsessions", environment=in_test(url))

    assert done.returncode == 1
    assert "Traceback" in done.stderr
    assert 'relation "django_session" does not exist' in done.stderr


def test_who_asks_for_the_traceback_gets_it() -> None:
    done = run("purge_outbox --traceback")

    assert done.returncode == 1
    assert "Traceback" in done.stderr
