"""What is done to many cases at once: a result for each, nothing twice, nothing lost."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.test import Client
from django.utils.timezone import now

from audit.models import AuditEvent
from cases import services
from cases.admin import bulk
from cases.models import Case, IdempotencyKey
from tests.cast import OTHER_REVIEWER, SUPERVISOR, WRITER
from tests.factories import CaseFactory, UserFactory
from tests.integration.pages import text

pytestmark = pytest.mark.django_db

LIST = "/admin/cases/case/"


@pytest.fixture
def reviewer():
    UserFactory(username="rosa", roles=["reviewer"])


def chosen(*cases: Case) -> list[str]:
    return [f"{case.id}:{case.version}" for case in cases]


def send(browser: Client, *cases: Case, do: str = "assign", **more: Any) -> Any:
    """Press a button above the list; follow the way to the results."""
    sent = {"do": do, "chosen": chosen(*cases), "reviewer_id": "rosa", **more}
    return browser.post(LIST, sent, follow=True)


def told(answer: Any) -> list[tuple[str, bool, str]]:
    return [
        (one["of"].case_id, one["of"].done, one["of"].words) for one in answer.context["results"]
    ]


def assigned(case: Case) -> str | None:
    return Case.objects.get(pk=case.pk).assigned_reviewer_id


def test_many_cases_are_assigned_at_once_each_with_its_result(log_in, reviewer) -> None:
    fresh, stale = CaseFactory(status="SUBMITTED"), CaseFactory(status="SUBMITTED")
    closed, draft = CaseFactory(status="CLOSED"), CaseFactory(title="Late <reporting>")
    browser = log_in("sue", "supervisor")
    sent = chosen(fresh, stale, closed, draft)
    services.pause_clock(case_id=stale.id, reason="Waiting", actor=SUPERVISOR)

    answer = send(browser, chosen=[*sent, "x", "CASE-999999:1", sent[0]])

    assert [(case_id, done) for case_id, done, _ in told(answer)] == [
        (fresh.id, True), (stale.id, False), (closed.id, False), (draft.id, False),
        ("CASE-999999", False),
    ]  # fmt: skip
    words = [words for _, _, words in told(answer)]
    assert words[0] == "Assigned to rosa."
    assert "The case has changed since you read it" in words[1]
    assert "not possible on a case that is CLOSED" in words[2]
    assert "not possible on a case that is DRAFT" in words[3]
    assert words[4] == "There is no such case."
    shown = text(answer)
    assert "1 of 5 assigned to rosa" in shown
    assert "4 stayed as they were" in shown
    assert "Late <reporting>" in shown
    assert "<reporting>" not in answer.content.decode()
    assert [assigned(case) for case in (fresh, stale, closed)] == ["rosa", None, "rob"]
    assert AuditEvent.objects.filter(event_type="CASE_REVIEWER_ASSIGNED").count() == 1


def test_the_results_are_a_page_that_can_be_loaded_again_and_left(log_in, reviewer) -> None:
    case = CaseFactory(status="SUBMITTED")
    browser = log_in("sue", "supervisor")
    answer = browser.post(
        f"{LIST}?queue=submitted&priority=NORMAL",
        {"do": "assign", "chosen": chosen(case), "reviewer_id": "rosa"},
    )

    first, second = browser.get(answer["Location"]), browser.get(answer["Location"])

    assert told(first) == told(second) == [(case.id, True, "Assigned to rosa.")]
    assert first.context["back"] == f"{LIST}?queue=submitted&priority=NORMAL"
    assert Case.objects.get(pk=case.pk).version == case.version + 1


def test_what_is_sent_twice_is_done_once_and_shows_the_same_results(log_in, reviewer) -> None:
    cases = [CaseFactory(status="SUBMITTED") for _ in range(3)]
    browser, key = log_in("sue", "supervisor"), str(uuid4())

    first = send(browser, *cases, form_key=key)
    again = send(browser, *cases, form_key=key)

    assert told(first) == told(again) == [(c.id, True, "Assigned to rosa.") for c in cases]
    assert first.redirect_chain == again.redirect_chain
    versions = {case.id: case.version + 1 for case in cases}
    assert {case.id: case.version for case in Case.objects.all()} == versions


def test_a_page_that_the_browser_has_kept_can_be_used_for_something_else(log_in, reviewer) -> None:
    UserFactory(username="rob", roles=["reviewer"])
    one, other = CaseFactory(status="SUBMITTED"), CaseFactory(status="SUBMITTED")
    browser, key = log_in("sue", "supervisor"), str(uuid4())

    send(browser, one, form_key=key)
    send(browser, other, form_key=key, reviewer_id="rob")

    assert (assigned(one), assigned(other)) == ("rosa", "rob")


def test_while_another_window_is_at_it_the_results_say_so_and_nothing_is_done(
    log_in, reviewer
) -> None:
    case = CaseFactory(status="SUBMITTED")
    browser, key = log_in("sue", "supervisor"), str(uuid4())
    send(browser, case, form_key=key)
    version = Case.objects.get(pk=case.pk).version
    IdempotencyKey.objects.update(body="")  # as it is until the last case is done

    answer = send(browser, case, form_key=key)

    assert "This is being carried out now" in text(answer)
    assert Case.objects.get(pk=case.pk).version == version


@pytest.mark.parametrize("key", ["", "x", "a\0b", "0" * 36, "-" * 36, "x" * 100_000])
def test_a_form_without_a_sound_key_is_done_all_the_same(log_in, reviewer, key) -> None:
    case = CaseFactory(status="SUBMITTED")

    send(log_in("sue", "supervisor"), case, form_key=key)

    assert assigned(case) == "rosa"


@pytest.mark.parametrize(
    ("sent", "said"),
    [
        ({"chosen": []}, "Choose the cases first"),
        ({"chosen": ["CASE-1", "'; --", "CASE-000001:-1"]}, "Choose the cases first"),
        ({"reviewer_id": "nobody-there"}, "Choose a reviewer"),
        ({"reviewer_id": ""}, "Choose a reviewer"),
        ({"reviewer_id": "ro\0sa"}, "Choose a reviewer"),
        ({"do": ""}, "Choose what is to be done"),
        ({"do": "delete"}, "Choose what is to be done"),
        ({"chosen": [f"CASE-{n:06}:1" for n in range(bulk.MOST + 1)]}, "At most 200 cases at once"),
    ],
    ids=lambda value: "",
)
def test_what_is_missing_is_said_and_nothing_happens(log_in, reviewer, sent, said) -> None:
    case = CaseFactory(status="SUBMITTED")

    answer = send(log_in("sue", "supervisor"), case, **sent)

    assert said in text(answer)
    assert "Nothing was done yet" in text(answer)
    assert assigned(case) is None
    assert not IdempotencyKey.objects.exists()


def test_what_was_chosen_stays_chosen_on_the_page_where_it_was_chosen(log_in, reviewer) -> None:
    rows = [{"title": f"Row {n}", "due_at": now() + timedelta(days=n + 1)} for n in range(70)]
    cases = services.create_cases(rows=rows, actor=WRITER)
    services.submit_cases(cases=cases, actor=WRITER)
    browser = log_in("sue", "supervisor")
    first = browser.get(f"{LIST}?queue=submitted")
    second = browser.get(f"{LIST}?{first.context['page'].more}")
    address = re.search(r'class="list card" method="post" action="([^"]+)"', text(second))[1]
    some = chosen(*second.context["page"].cases[:2])

    answer = browser.post(
        f"{LIST}{address}", {"do": "assign", "chosen": [*some, "CASE-999999:0"], "reviewer_id": ""}
    )

    shown = text(answer)
    boxes = re.findall(r'name="chosen" value="([^"]+)"( checked)?', shown)
    assert [value for value, checked in boxes if checked] == some
    assert len(boxes) == 20
    assert "1 of the chosen ones is not on this page." in shown
    refused = browser.post(f"{LIST}{address}", {"do": "x", "chosen": some, "reviewer_id": "rosa"})
    assert '<option value="rosa" selected>' in text(refused)


def test_who_may_not_assign_is_refused_case_by_case(log_in) -> None:
    case = CaseFactory(status="SUBMITTED")

    mine = send(log_in("rosa", "reviewer"), case)
    other = send(log_in("wanda", "case_writer"), Case.objects.get(pk=case.pk))

    assert told(mine) == [(case.id, True, "Assigned to rosa.")]
    assert "Your roles do not allow the action assign" in told(other)[0][2]
    assert assigned(case) == OTHER_REVIEWER.id


def test_an_export_says_of_each_case_whether_it_stands_in_the_file(log_in) -> None:
    cases = [CaseFactory(title=f"Row {n}") for n in range(3)]
    browser = log_in("audrey", "auditor")

    answer = send(browser, do="export", chosen=[*chosen(cases[0], cases[2]), "x", "CASE-999999:9"])
    link = re.search(r'href="([^"]+)"[^>]*>.*?Download the file', text(answer))[1]
    file = browser.get(link)

    assert told(answer) == [
        (cases[0].id, True, "Stands in the file."),
        (cases[2].id, True, "Stands in the file."),
        ("CASE-999999", False, "There is no such case."),
    ]
    assert "2 of 3 in the file" in text(answer)
    assert "attachment" in file["Content-Disposition"]
    rows = b"".join(file.streaming_content).decode("utf-8-sig")
    assert re.findall(r"^CASE-\d+", rows, re.MULTILINE) == [cases[0].id, cases[2].id]


def test_where_no_chosen_case_is_there_no_file_is_offered(log_in) -> None:
    answer = send(log_in("audrey", "auditor"), do="export", chosen=["CASE-999999:0"])

    assert "0 of 1 in the file" in text(answer)
    assert "Download" not in text(answer)


def test_whole_lists_and_chosen_cases_are_exported_by_who_may(log_in) -> None:
    cases = [CaseFactory(title=f"Row {n}") for n in range(3)]
    browser = log_in("audrey", "auditor")

    every = browser.get(f"{LIST}export/?queue=all&search=row")

    assert "attachment" in every["Content-Disposition"]
    assert b"".join(every.streaming_content).count(b"\r\n") == 4
    reviewer = log_in("rob", "reviewer")
    assert send(reviewer, *cases, do="export").status_code == 403
    assert reviewer.get(f"{LIST}export/?queue=all").status_code == 403
    assert reviewer.get(f"{LIST}export/{uuid4()}/").status_code == 403


def test_the_results_of_an_assignment_are_no_file(log_in, reviewer) -> None:
    browser = log_in("ada", "admin")
    answer = send(browser, CaseFactory(status="SUBMITTED"))

    page = answer.redirect_chain[0][0].replace("results", "export")

    assert browser.get(page).status_code == 404
