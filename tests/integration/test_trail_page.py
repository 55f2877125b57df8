"""The trail on the page of a case, and the button that verifies it."""

from __future__ import annotations

import re
from html import unescape

import pytest
from django.db import connection
from django.urls import reverse

from audit.models import AuditEvent
from cases import services
from tests.cast import REVIEWER, SUPERVISOR, WRITER
from tests.factories import CaseFactory, UserFactory
from tests.integration.pages import page

pytestmark = pytest.mark.django_db


def shown(answer) -> str:
    """Return what a reader sees of a page: no tags, single blanks."""
    text = re.sub(r"<[^>]+>", " ", answer.content.decode())
    return re.sub(r"\s+", " ", unescape(text))


def verify(case) -> str:
    return reverse("admin:audit_case_verify", args=[case.id])


def forge(case, statement: str) -> None:
    """Change what must not be changed, as somebody who owns the tables can."""
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        for table in ("audit_events", "cases", "case_notes"):
            cursor.execute(f"ALTER TABLE {table} DISABLE TRIGGER USER")
        cursor.execute(statement, [case.id])


def test_the_trail_says_who_did_what_when_and_why(log_in) -> None:
    case = CaseFactory(status="UNDER_REVIEW", title="Late reporting")
    services.close_case(case_id=case.id, reason="Fined, in full", actor=REVIEWER)
    last = AuditEvent.objects.get(case_id=case.id, sequence=3)

    text = shown(log_in("audrey", "auditor").get(page(case)))

    when = f"{last.occurred_at:%Y-%m-%d %H:%M:%S} UTC"
    assert f"{when} rob closed the case" in text
    assert "Status Under review → Closed" in text
    assert "Fined, in full" in text
    assert last.hash.hex() in text
    whats = ("created the case", "submitted the case", "started the review", "closed the case")
    places = [text.index(what) for what in whats]
    assert places == sorted(places)


def test_a_change_reads_old_and_new(log_in) -> None:
    case = CaseFactory(title="Late reporting")
    services.update_case(
        case_id=case.id, fields={"title": "Late reports", "category": "Reporting"}, actor=WRITER
    )

    text = shown(log_in("rob", "reviewer").get(page(case)))

    assert "Title Late reporting → Late reports" in text
    assert "Category (empty) → Reporting" in text


def test_what_users_wrote_is_text_and_nothing_else(log_in) -> None:
    case = CaseFactory(title="<script>alert(1)</script>", status="UNDER_REVIEW")
    services.close_case(case_id=case.id, reason='<img src=x onerror="x">\nsecond', actor=REVIEWER)

    html = log_in("rob", "reviewer").get(page(case)).content.decode()
    trail = html[html.index('class="trail"') :]

    assert "<script>alert" not in trail
    assert "<img src=x" not in trail
    assert "&lt;img src=x onerror=&quot;x&quot;&gt;<br>second" in trail


def test_the_trail_needs_no_script_and_no_style_of_its_own(log_in) -> None:
    case = CaseFactory(status="CLOSED")

    html = log_in("rob", "reviewer").get(page(case)).content.decode()
    trail = html[html.index('class="trail"') : html.index("</ol>", html.index('class="trail"'))]

    assert not re.search(r"<script|<style|\sstyle=|\son\w+=", trail)


@pytest.mark.parametrize("role", ["reviewer", "auditor", "supervisor", "case_writer"])
def test_whoever_reads_a_case_has_its_trail_verified(log_in, role) -> None:
    case = CaseFactory(status="UNDER_REVIEW")
    services.add_note(case_id=case.id, body="Called", actor=REVIEWER)

    answer = log_in("somebody", role).post(verify(case))

    assert answer.status_code == 200
    text = shown(answer)
    assert "Nothing is wrong." in text
    assert "4 events: their numbers" in text
    assert "1 note: their events" in text
    assert "No grants of access" in text
    assert "What does not fit" not in text


def test_it_counts_the_grants_of_a_restricted_case(log_in) -> None:
    case = CaseFactory(restricted=True)
    services.grant_access(
        case_id=case.id, user=UserFactory().username, permission="view_case", actor=SUPERVISOR
    )

    text = shown(log_in("audrey", "auditor").post(verify(case)))

    assert "3 events" in text
    assert "1 grant of access" in text


@pytest.mark.parametrize(
    ("statement", "says"),
    [
        (
            (
                'UPDATE audit_events SET details = details || \'{"reason": "Let go"}\''
                " WHERE case_id = %s AND sequence = 3"
            ),
            "Event 3 content_hash is not the hash of its content",
        ),
        ("UPDATE audit_events SET actor_id = 'x' WHERE case_id = %s AND sequence = 1", "Event 1"),
        ("DELETE FROM audit_events WHERE case_id = %s AND sequence = 2", "event 2 is missing"),
        ("UPDATE cases SET title = '<b>Other</b>' WHERE id = %s", "title is '<b>Other</b>'"),
    ],
)
def test_what_was_forged_is_told_by_event_and_in_words(log_in, statement, says) -> None:
    case = CaseFactory(status="CLOSED", title="Late reporting")
    forge(case, statement)

    answer = log_in("audrey", "auditor").post(verify(case))

    text = shown(answer)
    assert "mismatch" in text
    assert "Something was changed around the application" in text
    assert says in unescape(answer.content.decode()) or says in text
    assert "<b>Other" not in answer.content.decode()
    assert "Nothing is wrong" not in text


def test_looking_alone_verifies_nothing(log_in) -> None:
    case = CaseFactory()

    assert log_in("rob", "reviewer").get(verify(case)).status_code == 405


def test_who_does_not_see_a_case_cannot_have_it_verified(log_in) -> None:
    hidden = CaseFactory(restricted=True)

    answer = log_in("norman", "reviewer").post(verify(hidden))

    assert answer.status_code == 404


def test_the_log_says_who_had_what_verified_and_what_came_of_it(log_in, caplog) -> None:
    case = CaseFactory()
    browser = log_in("audrey", "auditor")
    caplog.set_level("INFO")

    browser.post(verify(case))

    [told] = [r.msg for r in caplog.records if r.name == "audit"]
    assert told["event"] == "case_verified"
    assert (told["case_id"], told["actor_id"], told["findings"]) == (case.id, "audrey", 0)
