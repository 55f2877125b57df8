"""GET /cases/{case_id}/reviewers: who could review a case, and how much they have to do."""

from __future__ import annotations

from typing import Any

import pytest

from cases import reviewers, services
from tests.api import expect
from tests.cast import (
    ADMIN,
    ALLROUNDER,
    AUDITOR,
    EVERYBODY,
    NOBODY,
    OTHER_REVIEWER,
    REVIEWER,
    SUPERVISOR,
    WRITER,
)
from tests.factories import CaseFactory, UserFactory

pytestmark = pytest.mark.django_db


@pytest.fixture
def accounts() -> None:
    for actor in (ADMIN, ALLROUNDER, OTHER_REVIEWER, REVIEWER, WRITER):
        UserFactory(username=actor.id, roles=sorted(actor.roles), password=None)
    UserFactory._meta.model.objects.filter(username="rob").update(
        first_name="Rob", last_name="Reed"
    )


def suggested(client: Any, case_id: str) -> list[dict[str, Any]]:
    answer = client.get(f"/cases/{case_id}/reviewers")
    assert answer.status_code == 200, answer.content
    return answer.json()


def test_who_may_review_is_suggested_the_least_open_work_first(as_actor, accounts) -> None:
    case = CaseFactory(status="SUBMITTED")
    for reviewer in (OTHER_REVIEWER, OTHER_REVIEWER, REVIEWER):
        CaseFactory(status="UNDER_REVIEW", reviewer=reviewer)

    assert suggested(as_actor(SUPERVISOR), case.id) == [
        {"reviewer_id": "alex", "name": "", "open": 0},
        {"reviewer_id": "rob", "name": "Rob Reed", "open": 1},
        {"reviewer_id": "rosa", "name": "", "open": 2},
        {"reviewer_id": "ada", "name": "", "open": 0},  # stands in for others
    ]


@pytest.mark.parametrize("actor", [a for a in EVERYBODY if a is not NOBODY], ids=lambda a: a.id)
def test_whoever_may_read_the_case_may_ask(as_actor, accounts, actor) -> None:
    case = CaseFactory(status="SUBMITTED", writer=ALLROUNDER)

    names = [one["reviewer_id"] for one in suggested(as_actor(actor), case.id)]

    assert names == ["rob", "rosa", "ada"]  # not who submitted it


def test_by_token_the_answer_is_the_same_the_first_time_and_the_second(by_token, accounts) -> None:
    case = CaseFactory(status="SUBMITTED")
    client = by_token(SUPERVISOR)

    first, second = suggested(client, case.id), suggested(client, case.id)

    assert first == second
    assert [one["reviewer_id"] for one in first] == ["alex", "rob", "rosa", "ada"]


def test_of_a_restricted_case_nobody_is_suggested_who_may_not_know_of_it(
    as_actor, accounts
) -> None:
    case = CaseFactory(status="UNDER_REVIEW", restricted=True)

    assert [one["reviewer_id"] for one in suggested(as_actor(AUDITOR), case.id)] == ["rob", "ada"]
    services.grant_access(case_id=case.id, user="rosa", permission="view_case", actor=SUPERVISOR)
    names = [one["reviewer_id"] for one in suggested(as_actor(AUDITOR), case.id)]
    assert names == ["rosa", "rob", "ada"]


def test_only_work_that_exists_for_who_asks_is_counted(as_actor, accounts) -> None:
    case = CaseFactory(status="SUBMITTED")
    CaseFactory(status="UNDER_REVIEW", restricted=True, reviewer=OTHER_REVIEWER)

    def seen(actor: Any) -> int:
        found = suggested(as_actor(actor), case.id)
        return next(one["open"] for one in found if one["reviewer_id"] == "rosa")

    assert (seen(SUPERVISOR), seen(WRITER), seen(OTHER_REVIEWER)) == (1, 0, 1)


def test_at_most_so_many_are_suggested_as_the_document_says(as_actor, accounts, monkeypatch):
    monkeypatch.setattr("cases.api.views.SUGGESTED_MAX", 2)
    case = CaseFactory(status="SUBMITTED")

    names = [one["reviewer_id"] for one in suggested(as_actor(SUPERVISOR), case.id)]

    assert names == ["alex", "rob"]
    assert reviewers.SUGGESTED_MAX == 50


def test_where_nobody_may_review_nobody_is_suggested(as_actor) -> None:
    assert suggested(as_actor(WRITER), CaseFactory().id) == []


def test_a_case_that_the_actor_may_not_see_has_no_reviewers_either(as_actor, accounts) -> None:
    case = CaseFactory(status="UNDER_REVIEW", restricted=True)

    for case_id in (case.id, "CASE-999999", "x"):
        answer = as_actor(WRITER).get(f"/cases/{case_id}/reviewers")
        expect.refusal(answer, 404, "case_not_found", set())


def test_it_takes_no_parameters(as_actor) -> None:
    answer = as_actor(WRITER).get(f"/cases/{CaseFactory().id}/reviewers?limit=1")

    expect.refusal(answer, 422, "validation_error", {"limit"})


def test_who_is_nobody_is_told_no_names(stranger) -> None:
    answer = stranger.get(f"/cases/{CaseFactory().id}/reviewers")

    expect.refusal(answer, 401, "not_authenticated", set())


@pytest.mark.parametrize("method", ["post", "put", "patch", "delete"])
def test_suggestions_are_read_and_nothing_else(as_actor, method) -> None:
    answer = getattr(as_actor(SUPERVISOR), method)(f"/cases/{CaseFactory().id}/reviewers", {})

    expect.refusal(answer, 405, "method_not_allowed", set())
    assert answer["Allow"] == "GET, HEAD, OPTIONS"
