"""Requests as they come over the wire, in tests that undo everything at their end."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.db import transaction
from rest_framework.test import APIClient

from cases.policies import Actor
from tests.api import contract

pytest.register_assert_rewrite("tests.api.expect")


class Caller(APIClient):
    """A client whose every request is a savepoint, and every answer as the document says.

    A refused request ends its transaction; inside a test's own transaction nothing else could be
    read after it. On the wire each request has a transaction of its own: here, a savepoint.
    """

    def request(self, **kwargs: Any) -> Any:
        with transaction.atomic():
            answer = super().request(**kwargs)
            if answer.status_code >= 500:
                # What failed in the database has spoilt the savepoint; only this can end it.
                transaction.set_rollback(True)
        contract.check(answer)
        return answer


@pytest.fixture
def as_actor() -> Callable[[Actor], APIClient]:
    """Return a client that calls the API as this actor, by the header placeholder."""

    def client(actor: Actor) -> APIClient:
        caller = Caller(raise_request_exception=False)
        caller.credentials(
            HTTP_X_ACTOR_ID=actor.id, HTTP_X_ACTOR_ROLES=",".join(sorted(actor.roles))
        )
        return caller

    return client


@pytest.fixture
def stranger() -> APIClient:
    """Return a client that says nothing about who it is."""
    return Caller(raise_request_exception=False)
