"""The service under attack: as in production, on a database of its own, filled with the demo."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass

import psycopg

from cases.lifecycle import CaseStatus
from config import embedded_postgres
from tests.bench import databases, servers

NAME = "regulatory_fuzz"
# Of the demo: holds every role's permissions, so that only the state of a case refuses.
ACCOUNT = "admin-1"


@dataclass(frozen=True)
class Service:
    """What is attacked, and what the attacker knows."""

    url: str
    token: str
    # Values worth trying, by the name of their dictionary in ``schemathesis.toml``.
    dictionaries: dict[str, tuple[str, ...]]


@contextmanager
def running() -> Iterator[Service]:
    """Bring up the service until the end of the block; the database is dropped then.

    The actor headers are off, as production has them: whoever sends no token is nobody.
    """
    with (
        _maintenance() as maintenance,
        databases.database(maintenance, f"{NAME}_{os.getpid()}", _fill, "", keep=False) as url,
    ):
        environment = servers.our_environment(url, header_actors=False) | {"API_RATE": ""}
        port = servers.free_port()
        authorization = servers.write_token(environment, ACCOUNT)
        token = authorization.partition("Bearer ")[2].strip()
        command = servers.our_command("gunicorn", port, threads=4)
        with servers.running("fuzz", command, environment, databases.PROJECT, port):
            yield Service(f"http://{servers.HOST}:{port}", token, _known(url))


def _maintenance() -> AbstractContextManager[str]:
    if url := os.environ.get("DATABASE_URL"):
        return nullcontext(databases.with_database(url, "postgres"))
    return embedded_postgres.running("test")


def _fill(url: str) -> None:
    databases.migrate(url)
    environment = os.environ | {"APP_ENV": "local", "DATABASE_URL": url, "LOG_LEVEL": "WARNING"}
    command = [sys.executable, "manage.py", "load_demo"]
    subprocess.run(command, cwd=databases.PROJECT, env=environment, check=True)


def _known(url: str) -> dict[str, tuple[str, ...]]:
    conditions = {
        str(status): f"status = '{status}' AND paused_at IS NULL" for status in CaseStatus
    }
    known = {
        name: tuple(sorted(databases.readable_ids(url, condition)))
        for name, condition in (conditions | {"PAUSED": "paused_at IS NOT NULL"}).items()
    }
    with psycopg.connect(url) as connection:
        rows = connection.execute("SELECT username FROM auth_user ORDER BY username").fetchall()
    return known | {"accounts": tuple(row[0] for row in rows)}
