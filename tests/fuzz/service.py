"""The service under attack: as in production, on a database of its own, filled with the demo."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass
from typing import Final, LiteralString

import psycopg

from config import embedded_postgres
from tests.bench import databases, servers

NAME = "regulatory_fuzz"
# Of the demo: holds every role's permissions, so that only the state of a case refuses.
ACCOUNT = "admin-1"
# Which cases allow which actions, by the ids of their operations. Each action gets a share of its
# own: the first that succeeds on a case may make the others impossible there.
_POSSIBLE: Final[dict[LiteralString, tuple[str, ...]]] = {
    "status = 'DRAFT' AND NOT restricted": ("cases_update", "cases_submit"),
    "status = 'SUBMITTED' AND NOT restricted": ("cases_start_review", "cases_restrict"),
    "status = 'UNDER_REVIEW' AND NOT restricted AND paused_at IS NULL": (
        "cases_assign",
        "cases_close",
        "cases_escalate",
        "cases_pause",
    ),
    "paused_at IS NOT NULL AND NOT restricted": ("cases_resume",),
    "restricted AND status <> 'CLOSED'": ("cases_unrestrict",),
}
ACTIONS: Final = tuple(name for names in _POSSIBLE.values() for name in names)


@dataclass(frozen=True)
class Service:
    """What is attacked, and what the attacker knows."""

    url: str
    token: str
    # Values worth trying, by the name of their dictionary in ``schemathesis.toml``.
    dictionaries: dict[str, tuple[str, ...]]
    # Operations that change a case; the dictionary of that name holds cases that allow it.
    actions: tuple[str, ...]


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
            yield Service(f"http://{servers.HOST}:{port}", token, _known(url), ACTIONS)


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
    known: dict[str, tuple[str, ...]] = {"versions": ("*",)}
    with psycopg.connect(url) as connection:
        known["accounts"] = _column(connection, "SELECT username FROM auth_user ORDER BY 1")
        for condition, actions in _POSSIBLE.items():
            ids = _column(connection, f"SELECT id FROM cases WHERE {condition} ORDER BY 1")
            known |= {name: ids[share :: len(actions)] for share, name in enumerate(actions)}
    return known


def _column(connection: psycopg.Connection, query: LiteralString) -> tuple[str, ...]:
    return tuple(row[0] for row in connection.execute(query))
