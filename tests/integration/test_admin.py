"""The back office: it reads, and what it changes goes through the services."""

from __future__ import annotations

import pytest
from django.contrib import admin
from django.contrib.admin.models import LogEntry
from django.urls import reverse

from audit.models import AuditEvent
from cases import services
from cases.admin.actions import ACTIONS
from cases.lifecycle import CaseAction
from cases.models import Case, Note
from outbox.models import OutboxEvent
from tests.cast import REVIEWER
from tests.factories import CaseFactory, UserFactory
from tests.integration.pages import page, text

pytestmark = pytest.mark.django_db


def test_a_reviewer_finds_a_case_by_its_id(log_in):
    case, other = CaseFactory(title="Late reporting"), CaseFactory(title="Something else")

    answer = log_in("rob", "reviewer").get(
        reverse("admin:cases_case_changelist"), {"search": case.id}, follow=True
    )

    assert answer.redirect_chain == [(page(case), 302)]
    assert "Late reporting" in text(answer)
    assert other.id not in text(answer)


def test_the_case_page_shows_facts_notes_and_trail(log_in):
    case = CaseFactory(status="UNDER_REVIEW", title="Late reporting", subject="Example Bank")
    services.add_note(case_id=case.id, body="Called the firm <today>", actor=REVIEWER)

    answer = log_in("rob", "reviewer").get(page(case))

    shown = text(answer)
    assert "Late reporting" in shown
    assert "Example Bank" in shown
    assert "Called the firm <today>" in shown
    assert "<today>" not in answer.content.decode()
    assert "CASE_REVIEW_STARTED" in shown


@pytest.mark.parametrize(
    ("roles", "offered", "missing"),
    [
        (["reviewer"], ["Escalate", "Close", "Pause clock"], ["Restrict", "Submit"]),
        (["supervisor"], ["Assign", "Set due date", "Restrict", "Grant access"], ["Escalate"]),
        (["auditor"], [], ["Close", "Add note", "Assign"]),
    ],
    ids=["reviewer", "supervisor", "auditor"],
)
def test_only_the_actions_this_person_may_take_now_are_offered(log_in, roles, offered, missing):
    case = CaseFactory(status="UNDER_REVIEW")

    shown = text(log_in("somebody", *roles).get(page(case)))

    for label in offered:
        assert f">{label}</a>" in shown
    for label in missing:
        assert f">{label}</a>" not in shown


def test_closing_asks_for_a_reason_and_goes_through_the_service(log_in):
    case = CaseFactory(status="UNDER_REVIEW")
    browser = log_in("rob", "reviewer")

    asked = browser.get(page(case, "close"))
    answer = browser.post(
        page(case, "close"), {"reason": "Settled", "expected_version": case.version}, follow=True
    )

    assert 'name="reason"' in text(asked)
    assert f"{case.id}: closed." in text(answer)
    closed = Case.objects.get(pk=case.id)
    assert (closed.status, closed.version) == ("CLOSED", case.version + 1)
    event = AuditEvent.objects.get(case_id=case.id, sequence=closed.version)
    assert (event.event_type, event.actor_id, event.details["reason"]) == (
        "CASE_CLOSED",
        "rob",
        "Settled",
    )
    assert OutboxEvent.objects.filter(event_id=event.id).count() == 1


@pytest.mark.parametrize("reason", ["", "   ", "x" * 4001], ids=["empty", "blank", "too long"])
def test_a_bad_reason_is_said_at_its_field_and_changes_nothing(log_in, reason):
    case = CaseFactory(status="UNDER_REVIEW")

    answer = log_in("rob", "reviewer").post(
        page(case, "close"), {"reason": reason, "expected_version": case.version}
    )

    assert "errorlist" in text(answer)
    assert Case.objects.get(pk=case.id).version == case.version


def test_the_four_eyes_rule_is_said_in_words_before_anything_is_typed(log_in):
    case = CaseFactory(status="SUBMITTED")

    shown = text(log_in("wanda", "case_writer", "reviewer").get(page(case, "start_review")))

    assert "Who created or submitted a case may not decide on it" in shown


def test_a_writer_creates_and_corrects_a_draft(log_in):
    browser = log_in("wanda", "case_writer")

    created = browser.post(
        reverse("admin:cases_case_add"), {"title": "Late reporting", "priority": "HIGH"}
    )
    case = Case.objects.get()
    browser.post(
        page(case, "update"),
        {"title": "Late reports", "priority": "HIGH", "expected_version": 0},
    )

    assert created.status_code == 302
    case = Case.objects.get()
    assert (case.title, case.priority, case.created_by, case.version) == (
        "Late reports",
        "HIGH",
        "wanda",
        1,
    )


@pytest.mark.parametrize("title", ["", "a\0b", "=1+1" * 60], ids=["blank", "NUL", "too long"])
def test_a_bad_title_is_said_at_its_field_and_makes_no_case(log_in, title):
    answer = log_in("wanda", "case_writer").post(
        reverse("admin:cases_case_add"), {"title": title, "priority": "NORMAL"}
    )

    assert answer.status_code == 200
    assert "errorlist" in text(answer)
    assert not Case.objects.exists()


def test_a_note_is_added_by_the_service(log_in):
    case = CaseFactory(status="UNDER_REVIEW")

    log_in("sue", "supervisor").post(
        page(case, "add_note"), {"body": "Call them", "expected_version": case.version}
    )

    assert Note.objects.get().author == "sue"


def test_a_restricted_case_is_absent_for_who_may_not_see_it(log_in):
    case = CaseFactory(status="SUBMITTED", restricted=True, title="Secret matter")
    browser = log_in("wanda", "case_writer")

    shown = text(browser.get(reverse("admin:cases_case_changelist")))

    assert "Secret matter" not in shown
    for action in ("change", *(a.value for a in ACTIONS if a is not CaseAction.CREATE)):
        assert browser.get(page(case, action)).status_code == 404


@pytest.mark.parametrize("role", ["case_writer", "reviewer", "supervisor", "auditor", "admin"])
def test_no_role_finds_a_form_that_edits_around_the_actions(log_in, role):
    case = CaseFactory(status="UNDER_REVIEW")
    before = Case.objects.values().get()
    browser = log_in("somebody", role)
    everything = {"status": "CLOSED", "version": 99, "title": "Changed", "_save": "Save"}

    browser.post(page(case), everything)
    browser.post(page(case, "delete"), {"post": "yes"})
    browser.post(
        reverse("admin:cases_case_changelist"),
        {"action": "delete_selected", "_selected_action": [case.id], "post": "yes"},
    )

    assert Case.objects.values().get() == before


@pytest.mark.parametrize("model", ["audit_auditevent", "outbox_outboxevent"])
def test_trail_and_outbox_are_read_only_even_for_a_superuser(client, model):
    case = CaseFactory()
    event = AuditEvent.objects.get() if "audit" in model else OutboxEvent.objects.get()
    client.force_login(UserFactory(username="ada", is_superuser=True))

    assert client.get(reverse(f"admin:{model}_changelist")).status_code == 200
    assert client.get(reverse(f"admin:{model}_change", args=[event.pk])).status_code == 200
    assert client.post(reverse(f"admin:{model}_change", args=[event.pk]), {}).status_code == 403
    assert client.post(reverse(f"admin:{model}_delete", args=[event.pk])).status_code == 403
    assert client.get(reverse(f"admin:{model}_add")).status_code == 403
    assert AuditEvent.objects.filter(case_id=case.id).count() == 1


@pytest.mark.parametrize("model", ["audit_auditevent", "outbox_outboxevent"])
def test_trail_and_outbox_lists_are_for_who_may_read_restricted_cases(log_in, model):
    answer = log_in("rob", "reviewer").get(reverse(f"admin:{model}_changelist"))

    assert answer.status_code == 403


def test_django_s_own_log_of_clicks_repeats_no_title(log_in):
    browser = log_in("wanda", "case_writer")

    browser.post(reverse("admin:cases_case_add"), {"title": "Secret", "priority": "LOW"})

    assert Case.objects.exists()
    assert not LogEntry.objects.exists()


@pytest.mark.parametrize(
    "query",
    [
        "search=%00",
        "queue=%00",
        "status=%00&queue=all",
        "title__regex=(",
        "o=%00",
        "e=%2500",
        "reviewer=%ED%A0%80",
        "after=%00",
        "after=~CASE-000001",
        "before=x~CASE-000001",
        "after=2026-01-01T00:00:00Z~CASE-0",
        "due_from=9999-12-31",
        "due_to=9999-12-31",
        "created_from=0001-01-01",
        "search=" + "w" * 201,
        "search=%21%21",
        "priority=NO",
        "search=999999999999999",
        "queue=all&status=CLOSED&status=DRAFT&reviewer=none",
    ],
)
def test_no_query_breaks_the_list(log_in, query):
    answer = log_in("sue", "supervisor").get(f"/admin/cases/case/?{query}")

    assert answer.status_code == (400 if "%00" in query or "%ED" in query else 200)


@pytest.mark.parametrize("query", ["actor_id__exact=%00", "details__x=1", "event_type__regex=("])
def test_no_query_breaks_the_list_of_events(log_in, query):
    answer = log_in("audrey", "auditor").get(f"/admin/audit/auditevent/?{query}")

    assert answer.status_code == 400


def test_every_action_of_people_has_a_form():
    assert set(ACTIONS) == set(CaseAction) - {CaseAction.MARK_OVERDUE}
    assert admin.site.is_registered(Case)
    assert not admin.site.is_registered(Note)
