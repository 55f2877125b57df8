"""What the tests in a browser share: the demo is loaded once."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from typing import Any

import pytest

from tests.api.server import copied_database
from tests.e2e.browser import Office, manage, open_office


@pytest.fixture(scope="session")
def demo(transactional_db: None, django_db_blocker: Any) -> Iterator[str]:
    """Return the address of a database with the demo."""
    database = ExitStack()
    with django_db_blocker.unblock():
        url = database.enter_context(copied_database("demo"))
        manage(url, "load_demo")
    yield url
    with django_db_blocker.unblock():
        database.close()


@pytest.fixture(scope="session")
def sessions(demo: str) -> dict[str, Any]:
    """Return who has logged in to the demo so far: a password is slow to check, on purpose."""
    return {}


# Of a module, not of the session: Playwright's loop must be gone before other tests use Django.
@pytest.fixture(scope="module")
def _opened(demo: str, sessions: dict[str, Any]) -> Iterator[Office]:
    with open_office(demo, sessions, ADMIN_MFA="optional") as opened:
        yield opened


@pytest.fixture
def office(_opened: Office) -> Iterator[Office]:
    """Return the office, in which nothing has been complained of yet."""
    _opened.complaints.clear()
    yield _opened
    _opened.tidy()
