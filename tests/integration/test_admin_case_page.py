"""The page of a case: what may be done and what not and why, notes, access, who was told."""

from __future__ import annotations

import re
from uuid import uuid4

import pytest
from django.urls import reverse

from audit.models import AuditEvent
from cases import services
from cases.models import Case, Note
from outbox.models import OutboxEvent
from tests.cast import SUPERVISOR
from tests.factories import CaseFactory, UserFactory
from tests.integration.pages import page, text

pytestmark = pytest.mark.django_db


def test_what_is_not_possible_stands_there_with_the_rule_that_forbids_it(log_in):
    case = CaseFactory(status="SUBMITTED")

    forbidden = dict(
        log_in("wanda", "case_writer", "reviewer").get(page(case)).context["forbidden"]
    )

    assert forbidden["Start review"].startswith("Who created or submitted a case may not decide")
    assert forbidden["Restrict"] == (
        "Your roles do not allow the action restrict: it needs restrict_case."
    )
    assert forbidden["Resume clock"] == (
        "The action resume is not possible on a case that is SUBMITTED."
    )
    assert "Pause clock" not in forbidden


@pytest.mark.parametrize(
    ("status", "first"),
    [("SUBMITTED", "Start review"), ("UNDER_REVIEW", "Close"), ("ESCALATED", "Close")],
)
def test_the_step_that_leads_on_stands_first(log_in, status, first):
    case = CaseFactory(status=status)

    shown = log_in("rosa", "reviewer").get(page(case))

    assert [button["label"] for button in shown.context["first"]] == [first]
    assert first not in [button["label"] for button in shown.context["buttons"]]


def test_a_note_is_written_on_the_page_whatever_happened_meanwhile(log_in):
    case = CaseFactory(status="UNDER_REVIEW")
    browser = log_in("rob", "reviewer")
    shown = text(browser.get(page(case)))
    services.pause_clock(case_id=case.id, reason="Waiting", actor=SUPERVISOR)

    key = re.search(r'name="form_key" value="([^"]+)"', shown)[1]
    browser.post(page(case, "add_note"), {"form_key": key, "body": "Called the firm"})

    assert 'name="body"' in shown
    assert Note.objects.get().body == "Called the firm"


def test_a_closed_case_takes_no_note(log_in):
    shown = text(log_in("rob", "reviewer").get(page(CaseFactory(status="CLOSED"))))

    assert 'name="body"' not in shown
    assert "its status is final" in shown


def test_a_form_that_is_sent_twice_does_its_work_once(log_in):
    case = CaseFactory(status="UNDER_REVIEW")
    browser = log_in("rob", "reviewer")
    sent = {"form_key": str(uuid4()), "reason": "Settled", "expected_version": case.version}

    first = browser.post(page(case, "close"), sent)
    second = browser.post(page(case, "close"), sent, follow=True)

    assert first.status_code == 302
    assert second.redirect_chain == [(page(case), 302)]
    assert "This form was sent before: nothing was done twice." in text(second)
    assert Case.objects.get(pk=case.id).version == case.version + 1


def test_a_new_case_that_is_sent_twice_is_one_case(log_in):
    browser = log_in("wanda", "case_writer")
    sent = {"form_key": str(uuid4()), "title": "Late reporting", "priority": "NORMAL"}

    for _ in range(2):
        answer = browser.post(reverse("admin:cases_case_add"), sent)

    assert Case.objects.count() == 1
    assert answer["Location"] == page(Case.objects.get())


def test_another_person_s_form_of_the_same_key_is_another_form(log_in, client):
    case, key = CaseFactory(status="UNDER_REVIEW"), str(uuid4())
    log_in("rob", "reviewer").post(page(case, "add_note"), {"form_key": key, "body": "One"})
    log_in("sue", "supervisor").post(page(case, "add_note"), {"form_key": key, "body": "Two"})

    assert [note.body for note in Note.objects.order_by("sequence")] == ["One", "Two"]


def test_a_refused_form_may_be_sent_again(log_in):
    case = CaseFactory(status="UNDER_REVIEW")
    browser, key = log_in("rob", "reviewer"), str(uuid4())

    browser.post(page(case, "close"), {"form_key": key, "reason": " "})
    answer = browser.post(page(case, "close"), {"form_key": key, "reason": "Settled"})

    assert answer.status_code == 302
    assert Case.objects.get(pk=case.id).status == "CLOSED"


def test_who_was_let_in_is_told_to_those_who_decide_on_it_and_to_nobody_else(log_in):
    case = CaseFactory(status="SUBMITTED")
    UserFactory(username="grace")
    services.grant_access(case_id=case.id, user="grace", permission="view_case", actor=SUPERVISOR)

    seen = log_in("sue", "supervisor").get(page(case))
    audited = log_in("audrey", "auditor").get(page(case))
    unseen = log_in("rob", "reviewer").get(page(case))

    revoke = f"{page(case, 'revoke_access')}?user=grace&permission=view_case"
    assert seen.context["grants"] == audited.context["grants"] == [("grace", "view_case")]
    assert revoke in text(seen)
    assert revoke not in text(audited)
    assert unseen.context["sees_access"] is False
    assert "Access to this case" not in text(unseen)


def test_the_link_to_revoke_fills_in_the_form(log_in):
    case = CaseFactory()

    form = (
        log_in("sue", "supervisor")
        .get(f"{page(case, 'revoke_access')}?user=grace&permission=add_note&expected_version=99")
        .context["form"]
    )

    assert (form["user"].value(), form["permission"].value()) == ("grace", "add_note")
    assert form["expected_version"].value() == case.version


def test_what_became_of_each_message_stands_beside_its_event(log_in):
    case = CaseFactory(status="UNDER_REVIEW")
    events = OutboxEvent.objects.filter(case_id=case.id)
    events.filter(sequence=0).update(processed_at="2026-11-20T09:00Z", attempts=1)
    events.filter(sequence=1).update(dead_at="2026-11-20T09:00Z", attempts=12)

    shown = text(log_in("rob", "reviewer").get(page(case)))

    assert AuditEvent.objects.filter(case_id=case.id).count() == 3
    for word in ("Delivered", "Given up", "Waiting"):
        assert shown.count(f">{word}</span>") == 1


def test_the_due_date_is_told_in_words(log_in):
    case = CaseFactory(status="UNDER_REVIEW", due_at="2026-01-01T00:00:00Z")

    shown = text(log_in("rob", "reviewer").get(page(case)))

    assert re.search(r"<strong>\d+ days late</strong>", shown)
