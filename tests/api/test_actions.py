"""GET /cases/{case_id}/actions: every action, and the rule that forbids it."""

from __future__ import annotations

from typing import Any

import pytest

from tests.api.endpoints import WRITES, Write
from tests.api.expect import refusal
from tests.cast import ADMIN, ALLROUNDER, AUDITOR, EVERYBODY, NOBODY, REVIEWER, SUPERVISOR, WRITER
from tests.factories import CaseFactory

pytestmark = pytest.mark.django_db

STATUSES = ("DRAFT", "SUBMITTED", "UNDER_REVIEW", "ESCALATED", "CLOSED")


def explained(client: Any, case_id: str) -> dict[str, dict[str, Any]]:
    answer = client.get(f"/cases/{case_id}/actions")
    assert answer.status_code == 200, answer.content
    items = answer.json()
    assert all(set(item) == {"action", "allowed", "error", "message"} for item in items)
    assert all((item["error"] is None) == item["allowed"] for item in items)
    return {item["action"]: item for item in items}


def test_each_action_on_an_existing_case_stands_there_once(as_actor):
    case = CaseFactory()

    answer = as_actor(WRITER).get(f"/cases/{case.id}/actions").json()

    assert [item["action"] for item in answer] == [
        "update", "submit", "start_review", "assign", "escalate", "close", "add_note",
        "set_due_date", "pause", "resume", "restrict", "unrestrict", "grant_access",
        "revoke_access",
    ]  # fmt: skip


@pytest.mark.parametrize("actor", [a for a in EVERYBODY if a is not NOBODY], ids=lambda a: a.id)
@pytest.mark.parametrize("status", STATUSES)
def test_what_is_allowed_is_what_the_case_says_is_available(as_actor, actor, status):
    case = CaseFactory(status=status)
    client = as_actor(actor)

    allowed = [name for name, item in explained(client, case.id).items() if item["allowed"]]

    assert allowed == client.get(f"/cases/{case.id}").json()["available_actions"]


@pytest.mark.parametrize(
    "actor", [WRITER, REVIEWER, SUPERVISOR, AUDITOR, ADMIN], ids=lambda a: a.id
)
@pytest.mark.parametrize("write", WRITES, ids=str)
@pytest.mark.parametrize("status", ["SUBMITTED", "CLOSED"])
def test_the_rule_named_is_the_one_that_a_request_meets(as_actor, actor, write: Write, status):
    case = CaseFactory(status=status)
    client = as_actor(actor)

    told = explained(client, case.id)[write.action]
    answer = write.call(client, case.id)

    if told["allowed"]:
        assert answer.status_code == write.answer, answer.content
    else:
        body = answer.json()
        assert (body["error"], body["message"]) == (told["error"], told["message"])


def test_who_submitted_a_case_reads_that_a_colleague_must_decide(as_actor):
    case = CaseFactory(status="SUBMITTED", writer=ALLROUNDER)

    told = explained(as_actor(ALLROUNDER), case.id)

    assert told["start_review"]["error"] == "separation_of_duties"
    assert "colleague" in told["start_review"]["message"]
    assert told["assign"]["allowed"]


def test_a_case_that_the_actor_may_not_see_has_no_actions_either(as_actor):
    case = CaseFactory(status="UNDER_REVIEW", restricted=True)

    refusal(as_actor(WRITER).get(f"/cases/{case.id}/actions"), 404, "case_not_found")


def test_nothing_reads_a_parameter_here(as_actor):
    case = CaseFactory()

    answer = as_actor(WRITER).get(f"/cases/{case.id}/actions?status=DRAFT")

    refusal(answer, 422, "validation_error", {"status"})
