"""Tests that really commit, and sweep up after themselves."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from django.db import connection
from django.test import Client

from tests.factories import UserFactory

TABLES = (
    "cases",
    "case_notes",
    "audit_events",
    "audit_anchors",
    "audit_anchor_heads",
    "outbox_events",
    "case_user_permissions",
    "idempotency_keys",
    "uploaded_registers",
    "uploaded_register_parts",
)


# What guards let nobody delete from. Emptying a table costs as much for no row as for many, and
# more for each index, so it is done where there are rows.
TRUNCATED = (
    ("cases", "case_notes", "case_words", "case_user_permissions", "case_group_permissions"),
    ("audit_events",),
    ("audit_anchors", "audit_anchor_heads"),
)
# Those that others refer to come last.
DELETED = (
    "outbox_events", "idempotency_keys", "uploaded_register_parts", "uploaded_registers",
    "account_notices", "account_sessions", "django_session", "api_tokens", "preferences",
    "linked_identities", "otp_static_statictoken", "otp_static_staticdevice", "otp_totp_totpdevice",
    "django_admin_log", "guardian_userobjectpermission", "auth_user_user_permissions",
    "auth_user_groups", "auth_user",
)  # fmt: skip


# What other tests rolled back stays in the files of a table, and each reader reads it.
LARGE = 512 * 1024  # bytes


def _sweep() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_relation_size('outbox_events') > %s", [LARGE])
        if cursor.fetchone() == (True,):
            cursor.execute("TRUNCATE outbox_events")
        for first, *more in TRUNCATED:
            cursor.execute(f"SELECT EXISTS (SELECT FROM {first})")
            if cursor.fetchone() == (True,):
                cursor.execute(f"TRUNCATE {', '.join((first, *more))}")
        cursor.execute("; ".join(f"DELETE FROM {table}" for table in DELETED))


@pytest.fixture
def transactional_db(
    request: pytest.FixtureRequest, django_db_setup: None, django_db_blocker: Any
) -> Iterator[None]:
    """Let the test commit. What it can have left in the tables is gone after it.

    Takes the place of pytest-django's fixture here, and with it its name, by which pytest-django
    knows that a database is needed. The original, like ``django_db(transaction=True)``, flushes
    roles and permissions away for all later tests; so does a mark ``django_db`` beside this one.
    """
    if request.node.get_closest_marker("django_db"):
        pytest.fail("A test that commits has no mark django_db: its flush takes the roles away.")
    with django_db_blocker.unblock():
        yield
        # A connection that still does is kept: a new one would have all triggers to learn anew.
        connection.close_if_unusable_or_obsolete()
        _sweep()


@pytest.fixture
def committed(transactional_db: None) -> None:
    """Let the test commit."""


@pytest.fixture
def everything(committed: None) -> Callable[[], dict[str, list[Any]]]:
    """Return what reads all rows of all our tables, to see that nothing was half-written."""

    def read() -> dict[str, list[Any]]:
        with connection.cursor() as cursor:
            found = {}
            for table in TABLES:
                cursor.execute(f"SELECT t::text FROM {table} t ORDER BY 1")
                found[table] = cursor.fetchall()
            return found

    return read


@pytest.fixture
def at_once(committed: None) -> Callable[..., list[Any]]:
    """Return what runs functions in threads of their own: results, or the errors they raised."""

    def run(*functions: Callable[[], Any]) -> list[Any]:
        def guarded(function: Callable[[], Any]) -> Any:
            try:
                return function()
            except Exception as error:  # noqa: BLE001 (the test looks at it)
                return error
            finally:
                connection.close()

        with ThreadPoolExecutor(len(functions)) as pool:
            return list(pool.map(guarded, functions))

    return run


@pytest.fixture
def log_in(client: Client) -> Callable[..., Client]:
    """Return a browser in which an account with these roles is logged in."""

    def browser(username: str, *roles: str) -> Client:
        client.force_login(UserFactory(username=username, roles=list(roles)))
        return client

    return browser
