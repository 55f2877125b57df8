"""The way back and forth again, as an operator goes it: each migration commits."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest
from django.contrib.auth.models import Group
from django.core.management import call_command
from django.db import connection
from django.db.migrations.recorder import MigrationRecorder
from django.db.transaction import atomic
from psycopg.sql import SQL, Identifier

from audit.checks import check_guards
from cases.models import Case
from cases.policies import DEFAULT_ROLES
from tests.factories import CaseFactory
from tests.migration.shape import shape
from tests.starts import in_test, own_database, start

pytestmark = pytest.mark.usefixtures("transactional_db")


@pytest.fixture
def transactional_db(
    django_db_setup: None, django_db_blocker: Any, monkeypatch: pytest.MonkeyPatch
) -> Iterator[None]:
    """Let the test have a copy of the database, which nothing of it outlives.

    In the place of pytest-django's fixture, by whose name it knows that a database is needed.
    """
    name = connection.settings_dict["NAME"]
    copy = f"{name}_copy"

    def maintain(statement: str) -> None:
        with connection._nodb_cursor() as cursor:
            cursor.execute(SQL(statement).format(copy=Identifier(copy), name=Identifier(name)))

    with django_db_blocker.unblock():
        connection.close()  # nobody may look at what is copied
        maintain("CREATE DATABASE {copy} TEMPLATE {name}")
        try:
            with monkeypatch.context() as patch:
                patch.setitem(connection.settings_dict, "NAME", copy)
                yield
                connection.close()
        finally:
            maintain("DROP DATABASE {copy} WITH (FORCE)")


@pytest.mark.parametrize(
    ("app", "name"),
    [
        ("cases", "0001"),
        ("cases", "0003"),
        ("cases", "0004"),
        ("cases", "zero"),
        ("audit", "0001"),
        ("audit", "0002"),
        ("audit", "zero"),
        ("outbox", "0001"),
        ("outbox", "0002"),
        ("outbox", "zero"),
    ],
)
def test_migrations_go_back_and_forth_on_an_empty_database(app: str, name: str) -> None:
    before = shape()
    call_command("migrate", app, name, verbosity=0)
    assert shape() != before

    # As an operator does: the checks, which look at the database, come before it is migrated.
    call_command("migrate", verbosity=0, skip_checks=False)

    assert shape() == before
    assert Group.objects.count() == len(DEFAULT_ROLES)
    with atomic():
        case = CaseFactory(status="CLOSED")
    assert Case.objects.get(pk=case.id).version == 3


@pytest.mark.parametrize(
    ("start", "end", "noted"),
    [("zero", "0001", "applied"), ("0001", "0002", "applied"), ("0002", "0003", "applied"),
     ("0002", "0001", "unapplied"), ("0001", "zero", "unapplied")],
)  # fmt: skip
def test_a_migration_that_is_killed_before_it_is_noted_can_be_made_again(
    monkeypatch: pytest.MonkeyPatch, start: str, end: str, noted: str
) -> None:
    call_command("migrate", "outbox", start, verbosity=0)
    before = shape()

    def killed(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(MigrationRecorder, f"record_{noted}", killed)
        with pytest.raises(KeyboardInterrupt):
            call_command("migrate", "outbox", end, verbosity=0)
    # An index that is made beside all work is in no transaction: the next try begins it anew.
    if (start, end) != ("0002", "0003"):
        assert shape() == before

    call_command("migrate", "outbox", end, verbosity=0)
    assert shape() != before


def test_one_waits_for_another_that_is_at_work(tmp_path: Path) -> None:
    before, said = shape(), tmp_path / "said"
    call_command("migrate", "outbox", "0001", verbosity=0)
    address = own_database()

    with psycopg.connect(address) as other, said.open("w") as out:
        other.execute("SELECT pg_advisory_xact_lock(4711, 1)")  # as one at work does
        call_command("migrate", plan=True, verbosity=0)  # who only looks waits for nobody
        with start(
            "manage.py", "migrate", environment=in_test(address), out=out.fileno(),
            err=out.fileno(),
        ) as process:  # fmt: skip
            end = time.monotonic() + 60
            while "Another migrate is at work" not in said.read_text():
                assert time.monotonic() < end
                time.sleep(0.05)
            assert shape() != before
            other.rollback()
            assert process.wait(60) == 0

    assert shape() == before


def test_before_the_first_migration_there_is_nothing_to_guard() -> None:
    call_command("migrate", "audit", "zero", verbosity=0)

    assert check_guards(databases=["default"]) == []


def test_cases_that_were_there_before_the_search_are_found_after_it() -> None:
    with atomic():
        case = CaseFactory(title="Zebra")
    call_command("migrate", "cases", "0004", verbosity=0)

    call_command("migrate", verbosity=0)

    with connection.cursor() as cursor:
        cursor.execute("SELECT case_search_hits('zebra', 9)")
        assert cursor.fetchall() == [(case.id,)]


def test_a_role_that_the_office_removed_does_not_come_back_with_the_exports() -> None:
    call_command("migrate", "cases", "0005", verbosity=0)
    Group.objects.get(name="auditor").delete()

    call_command("migrate", verbosity=0)

    assert not Group.objects.filter(name="auditor").exists()
    admin = Group.objects.get(name="admin")
    assert admin.permissions.filter(codename="export_audit_events").exists()
