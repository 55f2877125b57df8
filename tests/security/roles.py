"""A database with the three roles of config/postgresql/roles.sql, made as an operator makes it."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, urlsplit, urlunsplit

import psycopg
import pytest
from django.db import connection, connections

from config.embedded_postgres import find_programs
from tests.starts import PROJECT, in_test, start

SCRIPT = PROJECT / "config" / "postgresql" / "roles.sql"
_PASSWORD = "few rights, long word"


@pytest.fixture(scope="session")
def transactional_db(django_db_setup: None) -> None:
    """Have the test database made; by this name pytest-django knows that it must be."""


@dataclass(frozen=True)
class Roles:
    """A database, and who may go into it."""

    url: str
    owner: str
    app: str
    reader: str

    def apply(self) -> None:
        """Run the script, as the superuser of the tests."""
        names = {"owner": self.owner, "app": self.app, "reader": self.reader}
        done = subprocess.run(
            [find_programs() / "psql", "--no-psqlrc", "-d", self.url, "-f", SCRIPT]
            + [part for name, role in names.items() for part in ("-v", f"{name}={role}")],
            capture_output=True,
            text=True,
            check=False,
        )
        said = (done.returncode, done.stdout, done.stderr)
        assert said == (0, "", ""), said
        with psycopg.connect(self.url, autocommit=True) as session:
            for role in names.values():
                session.execute(f"ALTER ROLE \"{role}\" PASSWORD '{_PASSWORD}'")

    def url_of(self, role: str) -> str:
        parts = urlsplit(self.url)
        host = parts.netloc.rpartition("@")[2]
        login = f"{quote(role, safe='')}:{quote(_PASSWORD)}@{host}"
        return urlunsplit(parts._replace(netloc=login))

    def session(self, role: str) -> psycopg.Connection:
        """Return a session in which each statement is a transaction."""
        return psycopg.connect(self.url_of(role), autocommit=True)

    def migrate(self) -> None:
        """Run the migrations as the owner."""
        environment = in_test(self.url_of(self.owner))
        assert start("manage.py", "migrate", "-v", "0", environment=environment).wait() == 0

    @contextmanager
    def django_as(self, role: str) -> Iterator[None]:
        """Let Django work on this database as the role: whatever it connects from now on."""
        ours = connections.settings["default"]
        before = dict(ours)
        connection.close()
        ours |= {"NAME": urlsplit(self.url).path[1:], "USER": role, "PASSWORD": _PASSWORD}
        try:
            yield
        finally:
            connection.close()
            ours |= before


@contextmanager
def database_with_roles(suffix: str, *, empty: bool) -> Iterator[Roles]:
    """Make a database, empty or as the tests' own, and its roles; nothing of it stays.

    Outside of tests' transactions only: a copy needs the original without any session.
    """
    name = f"{connection.settings_dict['NAME']}_{suffix}"
    template = "template0" if empty else connection.settings_dict["NAME"]
    url = urlunsplit(urlsplit(os.environ["DATABASE_URL"])._replace(path=f"/{name}"))
    roles = Roles(url, *(f"{name} {role}" for role in ("owner", "app", "reader")))
    connection.close()
    with connection._nodb_cursor() as cursor:
        _remove(cursor, name, roles)
        cursor.execute(f'CREATE DATABASE "{name}" TEMPLATE "{template}"')
    try:
        roles.apply()
        if empty:
            roles.migrate()
            roles.apply()
        yield roles
    finally:
        with connection._nodb_cursor() as cursor:
            _remove(cursor, name, roles)


def _remove(cursor: Any, name: str, roles: Roles) -> None:
    cursor.execute("SET client_min_messages = warning")  # there is nothing the first time
    cursor.execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')
    for role in (roles.owner, roles.app, roles.reader):
        cursor.execute(f'DROP ROLE IF EXISTS "{role}"')
