"""What the tests in a browser share."""

from __future__ import annotations

import pytest


@pytest.fixture(scope="session")
def transactional_db(django_db_setup: None) -> None:
    """Have the test database made, to be copied; by this name pytest-django knows that it must be.

    Nothing is opened in it: Playwright has a loop in the thread of the tests, beside which Django
    would keep connections that nobody closes.
    """
