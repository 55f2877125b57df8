"""Who is suggested as a reviewer, and many cases handed over at once."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.auth.models import Permission
from django.db import transaction

from cases import reviewers, services
from cases.errors import CaseNotFound, InvalidInput, PermissionDenied, PreconditionFailed
from cases.models import Case
from cases.policies import Actor
from tests.cast import (
    ADMIN,
    ALLROUNDER,
    AUDITOR,
    OTHER_REVIEWER,
    REVIEWER,
    SUPERVISOR,
    WRITER,
)
from tests.factories import CaseFactory, UserFactory

pytestmark = pytest.mark.django_db


@pytest.fixture
def accounts() -> None:
    for actor in (ADMIN, ALLROUNDER, AUDITOR, OTHER_REVIEWER, REVIEWER, SUPERVISOR, WRITER):
        UserFactory(username=actor.id, roles=sorted(actor.roles), password=None)


def names(case: Case, actor: Actor = SUPERVISOR) -> list[str]:
    return [candidate.reviewer_id for candidate in reviewers.candidates(case.id, actor)]


def test_who_may_review_is_suggested_the_least_open_work_first(accounts) -> None:
    case = CaseFactory(status="SUBMITTED")
    for reviewer in (REVIEWER, REVIEWER, OTHER_REVIEWER):
        CaseFactory(status="UNDER_REVIEW", reviewer=reviewer)
    for _ in range(3):
        CaseFactory(status="CLOSED", reviewer=OTHER_REVIEWER)

    found = reviewers.candidates(case.id, SUPERVISOR)

    assert [(one.reviewer_id, one.open) for one in found] == [
        ("alex", 0), ("rosa", 1), ("rob", 2),
        ("ada", 0),  # may set the four-eyes rule aside, and so stands in for others
    ]  # fmt: skip


def test_who_created_or_submitted_the_case_is_not_suggested(accounts, settings) -> None:
    case = CaseFactory(status="SUBMITTED", writer=ALLROUNDER)

    assert "alex" not in names(case)
    settings.CASES_FOUR_EYES = False
    assert names(case)[0] == "alex"


def test_an_account_that_is_switched_off_is_not_suggested(accounts) -> None:
    case = CaseFactory(status="SUBMITTED")
    UserFactory._meta.model.objects.filter(username="alex").update(is_active=False)

    assert names(case) == ["rob", "rosa", "ada"]


def test_of_a_restricted_case_only_who_may_know_of_it_is_suggested(accounts) -> None:
    case = CaseFactory(status="UNDER_REVIEW", restricted=True)

    assert names(case) == ["rob", "ada"]
    services.grant_access(case_id=case.id, user="rosa", permission="view_case", actor=SUPERVISOR)
    assert names(case) == ["rosa", "rob", "ada"]


def test_rights_on_this_one_case_or_of_the_account_count_too(accounts) -> None:
    case, other = CaseFactory(status="SUBMITTED"), CaseFactory(status="SUBMITTED")
    guest = UserFactory(username="grace", password=None)
    own = Permission.objects.filter(codename__in=["start_review", "escalate_case"])
    guest.user_permissions.set(own)
    for permission in ("view_case", "close_case"):
        services.grant_access(
            case_id=case.id, user="grace", permission=permission, actor=SUPERVISOR
        )

    assert "grace" in names(case)
    assert "grace" not in names(other)


def test_work_that_does_not_exist_for_who_asks_does_not_count(accounts) -> None:
    case = CaseFactory(status="SUBMITTED")
    CaseFactory(status="UNDER_REVIEW", restricted=True, reviewer=OTHER_REVIEWER)

    def seen(actor: Actor) -> int:
        found = reviewers.candidates(case.id, actor)
        return next(one.open for one in found if one.reviewer_id == "rosa")

    assert (seen(SUPERVISOR), seen(REVIEWER), seen(OTHER_REVIEWER)) == (1, 0, 1)


@pytest.mark.parametrize("count", [1, 30])
def test_suggestions_cost_two_statements(accounts, django_assert_num_queries, count) -> None:
    for _ in range(count):
        UserFactory(roles=["reviewer"], password=None)
    case = CaseFactory(status="SUBMITTED")

    with django_assert_num_queries(2):
        assert len(reviewers.candidates(case.id, REVIEWER)) == count + 4


def test_nobody_is_suggested_where_nobody_may_or_the_case_is_none() -> None:
    assert reviewers.candidates(CaseFactory().id, SUPERVISOR) == []
    assert reviewers.candidates("CASE-999999", SUPERVISOR) == []


def test_a_reviewer_takes_a_case_of_nobody_and_gives_it_away_again() -> None:
    case = CaseFactory(status="SUBMITTED")

    mine = services.assign_reviewer(case_id=case.id, reviewer_id="rob", actor=REVIEWER)
    services.assign_reviewer(case_id=case.id, reviewer_id="rob", actor=REVIEWER)
    with pytest.raises(PermissionDenied), transaction.atomic():
        services.assign_reviewer(case_id=case.id, reviewer_id="rosa", actor=OTHER_REVIEWER)

    assert mine.assigned_reviewer_id == "rob"


def results(*case_ids: str, **given: Any) -> list[tuple[str, str | None]]:
    done = services.assign_cases(
        case_ids=case_ids, **{"reviewer_id": "rosa", "actor": SUPERVISOR, **given}
    )
    return [(one.case_id, one.error and one.error.code) for one in done]


def test_many_cases_are_assigned_each_with_its_own_outcome() -> None:
    good, draft, closed = (CaseFactory(status=s).id for s in ("SUBMITTED", "DRAFT", "CLOSED"))
    last = CaseFactory(status="ESCALATED").id

    assert results(good, draft, "CASE-999999", closed, good, "x", last) == [
        (good, None),
        (draft, "invalid_case_transition"),
        ("CASE-999999", "case_not_found"),
        (closed, "invalid_case_transition"),
        ("x", "case_not_found"),
        (last, None),
    ]
    assigned = Case.objects.filter(assigned_reviewer_id="rosa").values_list("id", flat=True)
    assert set(assigned) == {good, last}
    assert Case.objects.get(pk=draft).version == 0


def test_each_refusal_is_the_rules_own_sentence() -> None:
    theirs, hidden = (
        CaseFactory(status="UNDER_REVIEW"),
        CaseFactory(status="SUBMITTED", restricted=True),
    )
    seen = CaseFactory(status="SUBMITTED")
    services.add_note(case_id=seen.id, body="Called", actor=WRITER)

    done = services.assign_cases(
        case_ids=[theirs.id, hidden.id, seen.id],
        reviewer_id="rosa",
        actor=OTHER_REVIEWER,
        versions={seen.id: seen.version},
    )

    assert [type(one.error) for one in done] == [PermissionDenied, CaseNotFound, PreconditionFailed]
    assert done[0].error is not None
    assert "another reviewer's" in done[0].error.message


@pytest.mark.parametrize(
    ("given", "field"),
    [
        ({"reviewer_id": " "}, "reviewer_id"),
        ({"case_ids": [str(n) for n in range(1001)]}, "case_ids"),
    ],
)  # fmt: skip
def test_what_is_wrong_for_all_of_them_is_refused_before_any(given, field) -> None:
    case = CaseFactory(status="SUBMITTED")

    with pytest.raises(InvalidInput) as refused:
        services.assign_cases(
            **{"case_ids": [case.id], "reviewer_id": "rosa", "actor": SUPERVISOR, **given}
        )

    assert set(refused.value.details) == {field}
    assert Case.objects.get(pk=case.id).assigned_reviewer_id is None
