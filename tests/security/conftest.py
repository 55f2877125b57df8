"""The same callers as in tests/api, and who logs in with a second factor."""

from tests.api.conftest import as_actor, stranger
from tests.security.second_factor import ada, second_factor_required

__all__ = ["ada", "as_actor", "second_factor_required", "stranger"]
