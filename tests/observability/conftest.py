"""A service with two workers, as it is run, and the folder in which they count."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.api.server import copied_database


@pytest.fixture(scope="module")
def database(django_db_setup: None, django_db_blocker: pytest.FixtureRequest) -> Iterator[str]:
    with django_db_blocker.unblock(), copied_database("watched") as url:  # type: ignore[attr-defined]
        yield url


@pytest.fixture
def counting(tmp_path: Path) -> Path:
    """Return a folder for temporary files, so that a test finds those of its own server."""
    return tmp_path
