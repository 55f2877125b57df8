"""The scripts for pgbench hold the statements that the service sends to who has called before."""

from __future__ import annotations

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from rest_framework.test import APIClient

from cases.policies import Actor
from config import tokens
from tests.bench.mixes import LIST_OF_50
from tests.bench.test_statements import script, shape
from tests.cast import REVIEWER, WRITER
from tests.factories import CaseFactory, UserFactory

pytestmark = pytest.mark.usefixtures("committed")


def known(actor: Actor) -> APIClient:
    """Return a client whose rights an earlier request has read."""
    account = UserFactory(username=actor.id, roles=sorted(actor.roles), password=None)
    _, token = tokens.create_token(user=account, name="tests", days=1, by="ada")
    api = APIClient(raise_request_exception=False)
    api.credentials(HTTP_AUTHORIZATION=f"Bearer {token}")
    api.get("/cases/summary")
    return api


def sent(caught: CaptureQueriesContext) -> list[str]:
    """Return what was sent, as ``script`` does; drainers are told of it only now and then."""
    shapes = (shape(query["sql"]) for query in caught.captured_queries)
    return [one for one in shapes if not one.startswith("NOTIFY")]


def test_the_lifecycle_script_sends_what_the_service_sends() -> None:
    # Accounts are made before either is known: a new one in a role changes what there is to know.
    writer, reviewer = (known(actor) for actor in (WRITER, REVIEWER))
    writer.get("/cases/summary")

    with CaptureQueriesContext(connection) as caught:
        created = writer.post("/cases", {"title": "Late reporting"})
        path = f"/cases/{created.data['id']}"
        writer.post(f"{path}/submit")
        reviewer.post(f"{path}/start-review", {"reviewer_id": REVIEWER.id})
        closed = reviewer.post(f"{path}/close", {"reason": "Done"})

    assert closed.data["status"] == "CLOSED"
    assert script("lifecycle") == sent(caught)


def test_the_detail_script_sends_what_the_service_sends() -> None:
    case, api = CaseFactory(), known(REVIEWER)

    with CaptureQueriesContext(connection) as caught:
        answer = api.get(f"/cases/{case.id}")

    assert answer.status_code == 200
    assert script("detail") == sent(caught)


def test_the_list_script_sends_what_the_service_sends() -> None:
    CaseFactory(status="UNDER_REVIEW")
    api = known(REVIEWER)

    with CaptureQueriesContext(connection) as caught:
        answer = api.get(LIST_OF_50)

    assert answer.status_code == 200
    assert script("list") == sent(caught)
