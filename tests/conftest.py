"""What all tests share: the database session, an API client per actor."""

from __future__ import annotations

import gc
from collections.abc import Callable
from pathlib import Path
from typing import Any

import hypothesis
import pytest
from rest_framework.test import APIClient
from xdist.scheduler import LoadFileScheduling

from cases.policies import Actor
from config.frames import with_room

pytest_plugins = ["tests.database", "tests.leaks"]

# No test measures time: a busy machine is no bug.
hypothesis.settings.register_profile("untimed", deadline=None)
hypothesis.settings.load_profile("untimed")


# By folder. What takes long comes first, what is done at once last: so two processes that take file
# after file end together.
LONGEST_FIRST = (
    "e2e", "security", "observability", "api", "integration", "migration", "performance", "bench",
)  # fmt: skip


# Its files share the demo, which takes ten seconds to load.
OFFICE = "tests/e2e/office/"


class ByFile(LoadFileScheduling):
    """Gives all tests of a file to one process, and those of the office, too."""

    def _split_scope(self, nodeid: str) -> str:
        return OFFICE if nodeid.startswith(OFFICE) else super()._split_scope(nodeid)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> ByFile:
    """Let the processes take file after file: what the tests of one share is made once."""
    return ByFile(config, log)


def pytest_itemcollected(item: pytest.Item) -> None:
    """Let every test have room: below pytest and Django, loops are where they can cost much."""
    item.runtest = with_room(item.runtest)  # type: ignore[method-assign] # of this one


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put the folders into this order, whatever the order of names."""

    def place(item: pytest.Item) -> int:
        folder = item.path.relative_to(Path(__file__).parent).parts[0]
        return LONGEST_FIRST.index(folder) if folder in LONGEST_FIRST else len(LONGEST_FIRST)

    items.sort(key=place)


@pytest.fixture(scope="session")
def django_db_setup(django_db_setup: None, django_db_blocker: Any) -> None:
    """Let the clean-up after transactional tests empty the tables: only TRUNCATE, only here.

    Every other guard stays on, as in production.
    """
    from django.db import connection  # noqa: PLC0415 (after the test database is there)

    with django_db_blocker.unblock(), connection.cursor() as cursor:
        for table in (
            "cases",
            "case_notes",
            "audit_events",
            "audit_anchors",
            "audit_anchor_heads",
            "case_user_permissions",
        ):
            cursor.execute(f"ALTER TABLE {table} DISABLE TRIGGER {table}_never_truncated")


def pytest_collection_finish() -> None:
    """Leave what is loaded out of further collections of garbage, as in a worker of the service."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 20, 100)


@pytest.fixture
def as_actor() -> Callable[[Actor], APIClient]:
    """Return a client that calls the API as this actor, by the header placeholder."""

    def client(actor: Actor) -> APIClient:
        api = APIClient(raise_request_exception=False)
        api.credentials(HTTP_X_ACTOR_ID=actor.id, HTTP_X_ACTOR_ROLES=",".join(sorted(actor.roles)))
        return api

    return client


@pytest.fixture
def by_token(db: None) -> Callable[[Actor], APIClient]:
    """Return a client that calls the API as this actor, by an API token of its account."""
    from config import tokens  # noqa: PLC0415 (models, after Django is up)
    from tests.factories import UserFactory  # noqa: PLC0415 (as above)

    def client(actor: Actor) -> APIClient:
        account = UserFactory(username=actor.id, roles=sorted(actor.roles), password=None)
        _, token = tokens.create_token(user=account, name="tests", days=1, by="ada")
        api = APIClient(raise_request_exception=False)
        api.credentials(HTTP_AUTHORIZATION=f"Bearer {token}")
        return api

    return client
