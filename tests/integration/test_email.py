"""People hear by e-mail of what waits for them, and nobody reads in it what a case is about."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from uuid import uuid4

import pytest
from django.contrib.auth.models import Group, Permission

from cases import events, services
from outbox.destinations import email, notices
from outbox.destinations.base import DELIVERED, Outcome, Result
from outbox.destinations.email import EmailDestination
from outbox.models import OutboxEvent
from outbox.relay import drain_batch
from tests.cast import REVIEWER, SUPERVISOR, SYSTEM
from tests.factories import CaseFactory, UserFactory
from tests.integration.mail_server import Mailbox, mail_server
from tests.integration.messages import message_of
from tests.integration.receiver import receiver
from tests.unit.samples import SAMPLES, SECRET

SMTP = "django.core.mail.backends.smtp.EmailBackend"


@pytest.fixture
def mailbox(settings, committed) -> Iterator[Mailbox]:
    with mail_server() as running:
        settings.EMAIL_BACKEND = SMTP
        settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", running.port
        settings.DEFAULT_FROM_EMAIL = "Cases <cases@example.org>"
        settings.PUBLIC_URL = "https://cases.example.org"
        settings.OUTBOX_DESTINATIONS = ["email"]
        yield running


@pytest.fixture
def staff(committed) -> None:
    """Let the cast have accounts with addresses."""
    for name, *roles in (
        ("rob", "reviewer"),
        ("rosa", "reviewer"),
        ("sue", "supervisor"),
        ("sam", "supervisor"),
        ("wanda", "case_writer"),
    ):
        UserFactory(username=name, email=f"{name}@example.org", roles=roles)


def drain(destination: EmailDestination | None = None):
    return drain_batch(destination or EmailDestination(), size=100)


def one(event: events.CaseEvent, destination: EmailDestination | None = None) -> Outcome:
    (outcome,) = (destination or EmailDestination()).deliver([message_of(event)])
    return outcome


# --- Who is told ----------------------------------------------------------------------------------


def test_a_reviewer_is_told_of_an_assignment_by_somebody_else(mailbox, staff) -> None:
    case = CaseFactory(status="SUBMITTED")
    services.assign_reviewer(case_id=case.id, reviewer_id="rosa", actor=SUPERVISOR)

    assert drain().delivered == 1

    (letter,) = mailbox.letters
    assert mailbox.recipients == ["rosa@example.org"]
    assert letter["Subject"] == f"{case.id}: assigned to you"
    assert letter["From"] == "Cases <cases@example.org>"
    assert letter["To"] == "rosa@example.org"
    text = letter.get_content()
    assert f"The case {case.id} was assigned to you." in text
    assert "By: sue" in text
    assert f"https://cases.example.org/admin/cases/case/{case.id}/change/" in text


def test_who_takes_a_case_is_not_told_of_it(mailbox, staff) -> None:
    CaseFactory(status="UNDER_REVIEW")  # Rob starts his own review

    assert OutboxEvent.objects.count() == 0


def test_a_reviewer_in_whose_name_a_review_is_started_is_told(mailbox, staff) -> None:
    case = CaseFactory(status="SUBMITTED")
    services.start_review(case_id=case.id, reviewer_id="rosa", actor=REVIEWER)

    assert drain().delivered == 1
    assert mailbox.recipients == ["rosa@example.org"]


def test_supervisors_are_told_of_an_escalation_each_alone(mailbox, staff) -> None:
    case = CaseFactory(status="ESCALATED")

    assert drain().delivered == 1

    assert sorted(mailbox.recipients) == ["sam@example.org", "sue@example.org"]
    assert [letter["To"] for letter in mailbox.letters] == mailbox.recipients
    assert {letter["Subject"] for letter in mailbox.letters} == {f"{case.id}: escalated"}


def test_supervisors_are_told_of_overdue_cases_and_since_when(mailbox, staff) -> None:
    assert one(SAMPLES[events.CaseOverdue]) == DELIVERED

    assert len(mailbox.letters) == 2
    assert "it was due on 2026-12-01 12:00 UTC" in mailbox.letters[0].get_content()


def test_who_did_it_needs_no_letter(mailbox, staff) -> None:
    one(replace(SAMPLES[events.CaseEscalated], actor_id="sue"))

    assert mailbox.recipients == ["sam@example.org"]


def test_of_a_restricted_case_only_those_are_told_who_may_know_of_it(mailbox, staff) -> None:
    team = Group.objects.create(name="hand-over")
    team.permissions.set(Permission.objects.filter(codename__in=["view_case", "assign_any_case"]))
    tom = UserFactory(username="tom", email="tom@example.org")
    tom.groups.add(team)
    opened, hidden = CaseFactory(status="ESCALATED"), CaseFactory(status="ESCALATED")
    services.restrict_case(case_id=hidden.id, reason="Names a person", actor=SUPERVISOR)

    drain()

    told = {
        case.id: {letter["To"] for letter in mailbox.letters if case.id in letter["Subject"]}
        for case in (opened, hidden)
    }
    team.delete()
    assert told[opened.id] - told[hidden.id] == {"tom@example.org"}
    assert told[hidden.id] == {"sam@example.org", "sue@example.org"}


def test_people_who_left_are_not_told(mailbox) -> None:
    UserFactory(username="rosa", email="rosa@example.org", is_active=False)
    UserFactory(username="sue", email="sue@example.org", roles=["supervisor"], is_active=False)
    UserFactory(username="root", email="root@example.org", is_superuser=True)

    assert one(SAMPLES[events.CaseReviewerAssigned]) == DELIVERED
    assert one(SAMPLES[events.CaseEscalated]) == DELIVERED

    assert mailbox.letters == []


def test_nobody_with_an_address_is_a_line_in_the_log_and_no_failure(
    committed, settings, caplog
) -> None:
    UserFactory(username="rosa", email="")
    settings.EMAIL_BACKEND, settings.EMAIL_HOST, settings.EMAIL_PORT = SMTP, "127.0.0.1", 1

    assert one(SAMPLES[events.CaseReviewerAssigned]) == DELIVERED

    assert "outbox_email_nobody" in caplog.text


@pytest.mark.parametrize("event", SAMPLES.values(), ids=lambda event: event.type)
def test_only_what_somebody_must_hear_of_becomes_a_letter(event) -> None:
    told = {"CASE_REVIEWER_ASSIGNED", "CASE_REVIEW_STARTED", "CASE_ESCALATED", "CASE_OVERDUE"}

    assert EmailDestination.wants(event) is (event.type in told)


# --- What it says ---------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", notices.NOTICES, ids=lambda kind: kind.type)
def test_a_letter_tells_nothing_of_the_matter(mailbox, staff, kind) -> None:
    given = {f: SECRET for f in ("reason",) if hasattr(SAMPLES[kind], f)}

    one(replace(SAMPLES[kind], **given))

    assert mailbox.letters
    for letter in mailbox.letters:
        assert SECRET not in letter.as_string()
        assert letter["Auto-Submitted"] == "auto-generated"


def test_names_with_line_breaks_make_no_lines(mailbox, staff) -> None:
    evil = "x\r\nBcc: eve@example.org\r\n\r\nPay here: http://evil.example"

    one(replace(SAMPLES[events.CaseEscalated], actor_id=evil))

    letter = mailbox.letters[0]
    assert letter["Bcc"] is None
    assert "eve@example.org" not in mailbox.recipients
    assert "By: x Bcc: eve@example.org Pay here: http://evil.example\r\n" in letter.get_content()


def test_names_are_written_as_they_are(mailbox, staff) -> None:
    one(replace(SAMPLES[events.CaseEscalated], actor_id="o'neil & <zoë>"))

    assert "By: o'neil & <zoë>" in mailbox.letters[0].get_content()


def test_an_address_with_a_line_break_reaches_nobody(mailbox, caplog) -> None:
    UserFactory(username="rosa", email="rosa@example.org\nBcc: eve@example.org")

    assert one(SAMPLES[events.CaseReviewerAssigned]) == DELIVERED

    assert mailbox.letters == []
    assert "outbox_email_unreachable" in caplog.text


def test_without_a_public_address_there_is_no_link(mailbox, staff, settings) -> None:
    settings.PUBLIC_URL = ""

    one(SAMPLES[events.CaseEscalated])

    assert "http" not in mailbox.letters[0].get_content()


def test_a_repeated_letter_bears_the_same_id(mailbox, staff) -> None:
    for _ in range(2):
        one(SAMPLES[events.CaseReviewerAssigned])

    ids = [letter["Message-ID"] for letter in mailbox.letters]
    assert ids == ["<019391f0-0000-7000-8000-000000000001@example.org>"] * 2


# --- Mail servers that refuse, hang and break -----------------------------------------------------


def test_one_connection_carries_a_batch(mailbox, staff) -> None:
    messages = [
        message_of(replace(SAMPLES[events.CaseEscalated], id=uuid4(), case_id=f"CASE-{n:06d}"))
        for n in range(5)
    ]

    assert EmailDestination().deliver(messages) == [DELIVERED] * 5
    assert len(mailbox.letters) == 10
    assert len(mailbox.sessions) == 1


def test_an_address_that_does_not_exist_holds_nobody_up(mailbox, staff, caplog) -> None:
    mailbox.to["sue@example.org"] = "550 5.1.1 No such user"

    assert one(SAMPLES[events.CaseEscalated]) == DELIVERED

    assert mailbox.recipients == ["sam@example.org"]
    log = caplog.text
    assert "outbox_email_unreachable" in log
    assert "sue@example.org" not in "".join(line for line in log.splitlines() if "outbox" in line)


def test_a_mailbox_that_is_full_now_is_tried_again_alone(mailbox, staff) -> None:
    destination = EmailDestination()
    mailbox.to["sue@example.org"] = "452 4.2.2 Mailbox full"

    outcome = one(SAMPLES[events.CaseEscalated], destination)
    assert (outcome.result, mailbox.recipients) == (Result.FAILED, ["sam@example.org"])

    mailbox.to.clear()
    assert one(SAMPLES[events.CaseEscalated], destination) == DELIVERED
    assert mailbox.recipients == ["sam@example.org", "sue@example.org"]


@pytest.mark.parametrize(
    ("said", "result"),
    [("550 5.7.1 Looks like spam", Result.REFUSED), ("451 4.3.0 Later", Result.FAILED)],
)
def test_a_letter_that_is_refused_is_dead_or_tried_again(mailbox, staff, said, result) -> None:
    mailbox.data = said

    outcome = one(SAMPLES[events.CaseReviewerAssigned])

    assert outcome.result is result
    assert outcome.error == f"The mail server refused the letter ({said[:3]})."


def test_a_sender_that_is_refused_is_tried_again(mailbox, staff) -> None:
    mailbox.sender = "550 5.7.1 You may not"

    outcome = one(SAMPLES[events.CaseReviewerAssigned])

    assert (outcome.result, outcome.error) == (
        Result.FAILED,
        "The mail server refused the sender (550).",
    )


def test_after_a_failure_the_case_waits_and_others_go_on(mailbox, staff) -> None:
    mailbox.to["rosa@example.org"] = "452 4.2.2 Mailbox full"
    first = SAMPLES[events.CaseReviewerAssigned]
    same, other = (
        replace(SAMPLES[events.CaseEscalated], id=uuid4(), case_id=case_id, sequence=9)
        for case_id in (first.case_id, "CASE-000007")
    )

    outcomes = EmailDestination().deliver([message_of(e) for e in (first, same, other)])

    assert [outcome.result for outcome in outcomes] == [
        Result.FAILED, Result.UNTRIED, Result.DELIVERED,
    ]  # fmt: skip
    assert {letter["Subject"] for letter in mailbox.letters} == {"CASE-000007: escalated"}


def test_a_mail_server_that_is_away_is_no_attempt(staff, settings) -> None:
    with socket.create_server(("127.0.0.1", 0)) as gone:
        port = gone.getsockname()[1]
    settings.EMAIL_BACKEND, settings.EMAIL_HOST, settings.EMAIL_PORT = SMTP, "127.0.0.1", port

    outcome = one(SAMPLES[events.CaseReviewerAssigned])

    assert outcome.result is Result.UNTRIED
    assert outcome.error == "The mail server cannot be used (ConnectionRefusedError)."


@pytest.mark.parametrize(
    "greeting", [b"HTTP/1.1 400 Bad Request\r\n\r\n", b"554 Go away\r\n", b"\x00\xff"]
)
def test_what_is_no_mail_server_is_no_attempt(staff, settings, greeting) -> None:
    with receiver() as found:
        found.greeting = greeting
        settings.EMAIL_BACKEND, settings.EMAIL_HOST = SMTP, "127.0.0.1"
        settings.EMAIL_PORT = found.port

        outcome = one(SAMPLES[events.CaseReviewerAssigned])

    assert outcome.result is Result.UNTRIED
    assert outcome.error.startswith("The mail server cannot be used (SMTP")


def test_a_mail_server_that_drips_is_left_alone(staff, settings, monkeypatch) -> None:
    monkeypatch.setattr(email, "_WAIT_SECONDS", 0.5)
    ended = threading.Event()
    with socket.create_server(("127.0.0.1", 0)) as server:

        def drip() -> None:
            connection, _ = server.accept()
            with connection:
                while not ended.wait(0.05):
                    connection.sendall(b"2")

        threading.Thread(target=drip, daemon=True).start()
        settings.EMAIL_BACKEND, settings.EMAIL_HOST = SMTP, "127.0.0.1"
        settings.EMAIL_PORT = server.getsockname()[1]

        began = time.monotonic()
        outcome = one(SAMPLES[events.CaseReviewerAssigned])
        assert time.monotonic() - began < 2
        ended.set()

    assert (outcome.result, outcome.error) == (Result.UNTRIED, "The mail server is too slow.")


def test_overdue_cases_reach_supervisors_from_the_action_to_the_letter(mailbox, staff) -> None:
    case = CaseFactory(status="UNDER_REVIEW", due_at="2026-01-05T12:00:00Z")
    services.mark_overdue(case_id=case.id, actor=SYSTEM)

    assert drain().delivered == 1
    assert sorted(mailbox.recipients) == ["sam@example.org", "sue@example.org"]
