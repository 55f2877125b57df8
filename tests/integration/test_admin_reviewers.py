"""Who is suggested as a reviewer in the forms, and who else can be named."""

from __future__ import annotations

import re
from typing import Any

import pytest

from cases.admin import reviewer_form
from cases.models import Case
from tests.cast import ADMIN, ALLROUNDER, OTHER_REVIEWER, REVIEWER
from tests.factories import CaseFactory, UserFactory
from tests.integration.pages import page, text

pytestmark = pytest.mark.django_db

# With the key of its form, what is refused is undone by itself.
KEY = {"form_key": "01890a5d-ac96-774b-bcce-b302099a8057"}
FORMS = pytest.mark.parametrize("action", ["start_review", "assign"])


@pytest.fixture
def accounts() -> None:
    """Those who may review; of them Rob has two open cases and Rosa one."""
    for actor in (ADMIN, ALLROUNDER, OTHER_REVIEWER):
        UserFactory(username=actor.id, roles=sorted(actor.roles), first_name=actor.id.title())
    for reviewer in (REVIEWER, REVIEWER, OTHER_REVIEWER):
        CaseFactory(status="UNDER_REVIEW", reviewer=reviewer)


def suggested(answer: Any) -> list[tuple[str, int]]:
    shown = answer.context["form"].suggestions()
    return [(one.candidate.reviewer_id, one.candidate.open) for one in shown]


def checked(answer: Any) -> list[str]:
    return re.findall(r'name="suggested" value="(\w+)" checked', text(answer))


@FORMS
def test_who_may_review_is_offered_the_least_open_work_first(log_in, accounts, action) -> None:
    case = CaseFactory(status="SUBMITTED")

    answer = log_in("rob", "reviewer").get(page(case, action))

    assert suggested(answer) == [("alex", 0), ("rosa", 1), ("rob", 2), ("ada", 0)]
    shown = text(answer)
    assert re.search(r"<b>Rosa</b> <span [^>]+>rosa, 1 open case</span>", shown)
    assert re.search(r"<b>rob</b> <span [^>]+>you, 2 open cases</span>", shown)
    assert shown.count("Least open work") == 1
    assert checked(answer) == []


def test_one_choice_is_enough(log_in, accounts) -> None:
    case = CaseFactory(status="SUBMITTED")
    sent = {"suggested": "rob", "reviewer_id": "", "expected_version": case.version}

    answer = log_in("rob", "reviewer").post(page(case, "start_review"), sent)

    assert answer.status_code == 302
    case = Case.objects.get(pk=case.pk)
    assert (case.status, case.assigned_reviewer_id) == ("UNDER_REVIEW", "rob")


def test_the_present_reviewer_is_chosen_until_somebody_else_is(log_in, accounts) -> None:
    UserFactory(username="rob", roles=["reviewer"])
    case = CaseFactory(status="UNDER_REVIEW")
    browser = log_in("sue", "supervisor")

    answer = browser.get(page(case, "assign"))
    given = browser.get(f"{page(case, 'assign')}?reviewer_id=rosa")
    unknown = browser.get(f"{page(case, 'assign')}?reviewer_id=somebody")

    assert checked(answer) == ["rob"]
    assert checked(given) == ["rosa"]
    assert checked(unknown) == []
    assert unknown.context["form"]["reviewer_id"].value() == "somebody"


@FORMS
def test_whom_the_four_eyes_rule_bars_is_not_suggested(log_in, accounts, action) -> None:
    case = CaseFactory(status="SUBMITTED", writer=ALLROUNDER)

    answer = log_in("rob", "reviewer").get(page(case, action))

    assert "alex" not in dict(suggested(answer))
    assert 'value="alex"' not in text(answer)


def test_nobody_who_may_not_see_the_case_is_suggested_anywhere_on_the_page(
    log_in, accounts, monkeypatch
) -> None:
    monkeypatch.setattr(reviewer_form, "MOST_SHOWN", 1)
    case = CaseFactory(status="UNDER_REVIEW", restricted=True)
    UserFactory(username="rob", roles=["reviewer"])

    shown = text(log_in("sue", "supervisor").get(page(case, "assign")))

    assert re.findall(r'<(?:input type="radio"[^>]*|option) value="(\w+)"', shown) == ["rob", "ada"]
    assert "rosa" not in shown


def test_those_who_are_not_shown_are_offered_as_a_name_is_typed_and_who_asks_is_shown(
    log_in, monkeypatch
) -> None:
    monkeypatch.setattr(reviewer_form, "MOST_SHOWN", 2)
    for name in ("rea", "ria", "rin"):
        UserFactory(username=name, roles=["reviewer"])
    CaseFactory(status="UNDER_REVIEW")
    case = CaseFactory(status="SUBMITTED")

    answer = log_in("rob", "reviewer").get(page(case, "start_review"))

    assert [name for name, _ in suggested(answer)] == ["rea", "ria", "rob"]
    assert [one.reviewer_id for one in answer.context["form"].others()] == ["rin", "rob"]
    assert '<option value="rin">' in text(answer)


def test_somebody_else_is_asked_about_once_and_then_taken(log_in, accounts) -> None:
    case = CaseFactory(status="SUBMITTED")
    browser = log_in("sue", "supervisor")
    sent = {"suggested": "", "reviewer_id": " external-1 ", "expected_version": case.version}

    asked = browser.post(page(case, "assign"), sent)

    assert "external-1 is not among those who may see and review this case" in text(asked)
    assert asked.context["form"]["reviewer_id"].value() == " external-1 "
    assert Case.objects.get(pk=case.pk).assigned_reviewer_id is None
    [sure] = re.findall(r'name="sure" value="([^"]+)"', text(asked))
    other = browser.post(page(case, "assign"), {**sent, "sure": sure, "reviewer_id": "external-2"})
    assert "external-2 is not among those" in text(other)
    done = browser.post(page(case, "assign"), {**sent, "sure": sure})
    assert done.status_code == 302
    assert Case.objects.get(pk=case.pk).assigned_reviewer_id == "external-1"


@pytest.mark.parametrize(
    ("sent", "said"),
    [
        ({}, "Choose a reviewer, or name one."),
        ({"reviewer_id": "  "}, "Choose a reviewer, or name one."),
        ({"suggested": "rosa", "reviewer_id": "alex"}, "rosa is chosen and alex is typed"),
        ({"reviewer_id": "a\0b"}, "Null characters are not allowed."),
        ({"reviewer_id": "x" * 151}, "at most 150 characters"),
        ({"suggested": "x" * 151}, "at most 150 characters"),
        ({"reviewer_id": "a\u202eb", "sure": "a\u202eb"}, "changes of direction are not allowed"),
        ({"suggested": "nobody-there"}, "nobody-there is not among those"),
    ],
)
def test_what_is_wrong_is_said_and_nothing_happens(log_in, accounts, sent, said) -> None:
    case = CaseFactory(status="SUBMITTED")

    answer = log_in("sue", "supervisor").post(
        page(case, "assign"), {**sent, **KEY, "expected_version": case.version}
    )

    assert said in text(answer)
    assert Case.objects.get(pk=case.pk).version == case.version


def test_where_nobody_may_review_a_name_can_still_be_given(log_in) -> None:
    case = CaseFactory(status="SUBMITTED")

    shown = text(log_in("sue", "supervisor").get(page(case, "assign")))

    assert "No account may see and review this case" in shown
    assert 'name="reviewer_id"' in shown


def test_who_was_chosen_stays_chosen_when_somebody_was_faster(log_in, accounts) -> None:
    case = CaseFactory(status="SUBMITTED")
    sent = {"suggested": "rosa", "expected_version": case.version - 1, **KEY}

    answer = log_in("sue", "supervisor").post(page(case, "assign"), sent)

    assert "has changed since you read it" in text(answer)
    assert checked(answer) == ["rosa"]
