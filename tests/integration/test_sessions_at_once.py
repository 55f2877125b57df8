"""A session is ended at the very moment at which a request of it is kept."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.contrib.sessions.models import Session
from django.db import connection, transaction
from django.test import Client
from django.utils.timezone import now

from config import sessions
from config.models import AccountSession
from tests.factories import UserFactory

pytestmark = pytest.mark.usefixtures("committed")
# Of this database: other tests wait for locks of their own on the same server.
WAITS = """
SELECT EXISTS (SELECT FROM pg_locks AS wanted JOIN pg_locks AS held USING (pid)
                JOIN pg_database AS here ON here.oid = held.database
                WHERE NOT wanted.granted AND here.datname = current_database())
"""


def end_all() -> int:
    try:
        return sessions.end(AccountSession.objects.all(), by="rob")
    finally:
        connection.close()


def until_somebody_waits() -> None:
    deadline = time.monotonic() + 30
    with connection.cursor() as cursor:
        while time.monotonic() < deadline:
            cursor.execute(WAITS)
            if cursor.fetchone() == (True,):
                return
            time.sleep(0.01)
    raise AssertionError


def test_it_ends_once_the_request_is_kept_and_neither_locks_the_other_out():
    """Both touch two tables: in different orders, PostgreSQL would have to end one of them."""
    Client().force_login(UserFactory(username="rob", roles=["reviewer"]))

    with ThreadPoolExecutor(1) as pool:
        with transaction.atomic():  # as SessionStore.save does it
            Session.objects.update(expire_date=now())
            ending = pool.submit(end_all)
            until_somebody_waits()
            AccountSession.objects.update(seen_at=now())
        assert ending.result(timeout=30) == 1

    assert not Session.objects.exists()
    assert not AccountSession.objects.exists()
