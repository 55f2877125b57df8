"""The test session's database server."""

import os
from collections.abc import Iterator

import pytest

from config import embedded_postgres


@pytest.fixture(scope="session")
def django_db_modify_db_settings(
    django_db_modify_db_settings_parallel_suffix: None,
) -> Iterator[None]:
    """Keep the embedded server running from before the first test database until after the last.

    pytest-django asks for this fixture first of all. Every xdist worker does so for itself: one of
    them starts the server, the last one stops it. A server that is missing is an error of each
    test that needs it, never a reason to skip.
    """
    if os.environ["DATABASE_URL"] == embedded_postgres.database_url("test"):
        with embedded_postgres.running("test"):
            yield
    else:
        yield
