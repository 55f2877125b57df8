"""The same callers as in tests/api."""

from tests.api.conftest import as_actor, stranger

__all__ = ["as_actor", "stranger"]
