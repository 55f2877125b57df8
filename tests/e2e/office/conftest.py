"""One office for all tests in a browser: the service with its demo, and people at its pages."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tests.e2e.browser import Office, open_office


# Of this folder, not of the session: Playwright's loop must be gone before other tests use Django.
@pytest.fixture(scope="package")
def _open_office(transactional_db: None, django_db_blocker: Any) -> Iterator[Office]:
    with django_db_blocker.unblock(), open_office("office", ADMIN_MFA="optional") as opened:
        yield opened


@pytest.fixture
def office(_open_office: Office) -> Office:
    """Return the office, in which nothing has been complained of yet."""
    _open_office.complaints.clear()
    return _open_office
