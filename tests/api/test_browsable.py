"""The API in a browser: a person with a session reads, and acts by forms."""

from __future__ import annotations

import pytest
from django.db import transaction
from django.test import Client

from audit.models import AuditEvent
from cases import services
from cases.models import Case
from tests.api import expect
from tests.api.page import BROWSER, Page
from tests.cast import OTHER_REVIEWER, REVIEWER, SUPERVISOR, WRITER
from tests.factories import CaseFactory, UserFactory

pytestmark = pytest.mark.django_db

LABELS = {
    "update": "Update", "submit": "Submit", "start_review": "Start review", "assign": "Assign",
    "escalate": "Escalate", "close": "Close", "add_note": "Add note",
    "set_due_date": "Set due date", "pause": "Pause", "resume": "Resume", "restrict": "Restrict",
    "unrestrict": "Unrestrict", "grant_access": "Grant access", "revoke_access": "Revoke access",
}  # fmt: skip


class Browser(Client):
    """A browser whose every request is a savepoint: a refusal can be followed by a look."""

    def request(self, **request):
        with transaction.atomic():
            return super().request(**request)


@pytest.fixture
def browser_of():
    """Return what makes a browser in which one of the cast is logged in, CSRF checked."""

    def browser(actor):
        client = Browser(enforce_csrf_checks=True, raise_request_exception=False)
        client.force_login(UserFactory(username=actor.id, roles=list(actor.roles)))
        return client

    return browser


def look(browser, path, status=200):
    """Open a page as a browser asks for it."""
    answer = browser.get(path, headers={"accept": BROWSER})
    assert answer.status_code == status, answer.content[:500]
    assert answer.headers["Content-Type"] == "text/html; charset=utf-8"
    return Page(answer)


def follow(browser, answer):
    """Go where a form that worked leads."""
    assert answer.status_code == 303, Page(answer).text
    return look(browser, answer.headers["Location"])


@pytest.mark.parametrize("prefix", ["", "/v1"])
def test_people_carry_a_case_from_intake_to_closure_by_forms_alone(browser_of, prefix):
    wanda, rob = browser_of(WRITER), browser_of(REVIEWER)
    form = look(wanda, f"{prefix}/cases").forms["Create"]

    page = follow(wanda, form.send(wanda, title="Late reporting", description="One\n\nTwo"))
    case = Case.objects.get()
    assert "Create: done." in page.text
    assert (case.title, case.description, case.created_by) == (
        "Late reporting",
        "One\n\nTwo",
        WRITER.id,
    )
    assert (case.due_at, case.priority, case.version) == (None, "NORMAL", 0)

    page = follow(wanda, page.forms["Update"].send(wanda, title="Late annual report"))
    page = follow(wanda, page.forms["Submit"].send(wanda))
    assert set(page.forms) == {"Add note"}
    address = f"{prefix}/cases/{case.id}"
    page = look(rob, address)
    assert page.forms["Start review"].values["reviewer_id"] == REVIEWER.id
    page = follow(rob, page.forms["Start review"].send(rob))
    page = follow(rob, page.forms["Add note"].send(rob, body="Called the firm."))
    page = follow(rob, page.forms["Close"].send(rob, reason="Reports received"))

    assert "Nothing: the case is closed." in page.text
    assert "Called the firm." in look(rob, f"{address}/notes").text
    trail = AuditEvent.objects.filter(case_id=case.id).order_by("sequence")
    assert [(e.event_type, e.actor_id) for e in trail] == [
        ("CASE_CREATED", "wanda"), ("CASE_UPDATED", "wanda"), ("CASE_SUBMITTED", "wanda"),
        ("CASE_REVIEW_STARTED", "rob"), ("CASE_NOTE_ADDED", "rob"), ("CASE_CLOSED", "rob"),
    ]  # fmt: skip
    assert list(trail[1].details["changes"]) == ["title"]


@pytest.mark.parametrize("actor", [WRITER, REVIEWER, SUPERVISOR], ids=lambda a: a.id)
@pytest.mark.parametrize("status", ["DRAFT", "SUBMITTED", "UNDER_REVIEW", "ESCALATED", "CLOSED"])
def test_a_case_has_a_form_for_each_action_that_is_open_and_for_no_other(browser_of, actor, status):
    case = CaseFactory(status=status)
    browser = browser_of(actor)
    available = browser.get(f"/cases/{case.id}").json()["available_actions"]

    page = look(browser, f"/cases/{case.id}")

    assert set(page.forms) == {LABELS[action] for action in available}


FILLED = {
    "assign": (SUPERVISOR, "UNDER_REVIEW", {"reviewer_id": OTHER_REVIEWER.id}),
    "escalate": (REVIEWER, "UNDER_REVIEW", {"reason": "Beyond our remit"}),
    "set_due_date": (
        SUPERVISOR, "UNDER_REVIEW", {"due_at": "2027-03-01T12:30", "reason": "Parliament asks"},
    ),
    "pause": (REVIEWER, "UNDER_REVIEW", {"reason": "Waiting"}),
    "restrict": (SUPERVISOR, "SUBMITTED", {"reason": "Names a whistleblower"}),
    "grant_access": (SUPERVISOR, "CLOSED", {"user": "greta"}),
}  # fmt: skip


@pytest.mark.parametrize("action", FILLED)
def test_every_form_does_what_it_says(browser_of, action):
    actor, status, typed = FILLED[action]
    UserFactory(username="greta")
    case, browser = CaseFactory(status=status), browser_of(actor)
    form = look(browser, f"/cases/{case.id}").forms[LABELS[action]]

    follow(browser, form.send(browser, **typed))

    event = AuditEvent.objects.get(case_id=case.id, sequence=case.version + 1)
    assert event.actor_id == actor.id
    for name, value in typed.items():
        assert event.details[name].startswith(value)


def test_access_is_taken_back_by_its_own_form(browser_of):
    UserFactory(username="greta")
    case, sue = CaseFactory(), browser_of(SUPERVISOR)
    page = look(sue, f"/cases/{case.id}")
    page = follow(sue, page.forms["Grant access"].send(sue, user="greta", permission="add_note"))

    follow(sue, page.forms["Revoke access"].send(sue, user="greta", permission="add_note"))

    kinds = AuditEvent.objects.filter(case_id=case.id).values_list("event_type", flat=True)
    assert {"CASE_ACCESS_GRANTED", "CASE_ACCESS_REVOKED"} <= set(kinds)


def test_what_is_wrong_stands_beside_the_field_and_what_was_typed_stays(browser_of):
    wanda = browser_of(WRITER)
    form = look(wanda, "/cases").forms["Create"]

    answer = form.send(wanda, title="\u200b", description="<b>Long</b> story", category="fees")

    page = Page(answer)
    assert answer.status_code == 422
    assert "This field may not be blank." in page.text
    assert page.forms["Create"].values["description"] == "<b>Long</b> story"
    assert page.forms["Create"].values["category"] == "fees"
    assert b"<b>" not in answer.content
    follow(wanda, page.forms["Create"].send(wanda, title="Late"))
    assert Case.objects.get().category == "fees"


def test_a_required_field_that_is_left_empty_is_named(browser_of):
    rob, case = browser_of(REVIEWER), CaseFactory(status="UNDER_REVIEW")

    answer = look(rob, f"/cases/{case.id}").forms["Close"].send(rob, reason="")

    assert answer.status_code == 422
    assert "This field is required." in Page(answer).text
    expect.unchanged(case)


def test_a_text_can_be_emptied_and_what_is_not_shown_stays(browser_of):
    wanda = browser_of(WRITER)
    case = CaseFactory(
        description="Too much", category="fees", due_at="2027-01-01T00:00:00.123456Z"
    )

    page = look(wanda, f"/cases/{case.id}")
    follow(wanda, page.forms["Update"].send(wanda, description=""))

    event = AuditEvent.objects.get(case_id=case.id, sequence=1)
    assert list(event.details["changes"]) == ["description_sha256"]
    now = Case.objects.get()
    assert (now.description, now.category, now.due_at) == ("", "fees", case.due_at)


def test_who_looked_at_an_older_version_decides_again(browser_of):
    rob, case = browser_of(REVIEWER), CaseFactory(status="UNDER_REVIEW")
    form = look(rob, f"/cases/{case.id}").forms["Close"]
    services.add_note(case_id=case.id, body="New evidence", actor=WRITER)

    refused = form.send(rob, reason="Nothing new")

    assert refused.status_code == 412
    assert Case.objects.get().status == "UNDER_REVIEW"
    page = Page(refused)
    assert "read it again" in page.text
    assert page.forms["Close"].values["reason"] == "Nothing new"
    follow(rob, page.forms["Close"].send(rob))
    assert Case.objects.get().status == "CLOSED"


def test_an_action_that_came_too_late_is_told_in_words(browser_of):
    rob, case = browser_of(REVIEWER), CaseFactory(status="UNDER_REVIEW")
    form = look(rob, f"/cases/{case.id}").forms["Escalate"]
    del form.values["_version"]
    services.close_case(case_id=case.id, reason="Resolved", actor=REVIEWER)

    answer = form.send(rob, reason="Beyond our remit")

    assert answer.status_code == 409
    assert "The action escalate is not possible on a case that is CLOSED." in Page(answer).text


@pytest.mark.parametrize("token", ["", "x" * 64, None], ids=["empty", "wrong", "absent"])
@pytest.mark.parametrize("label", ["Close", "Update"])
def test_a_form_without_the_token_of_the_session_is_refused(browser_of, token, label):
    case = CaseFactory(status="UNDER_REVIEW" if label == "Close" else "DRAFT")
    browser = browser_of(REVIEWER if label == "Close" else WRITER)
    form = look(browser, f"/cases/{case.id}").forms[label]
    if token is None:
        del form.values["csrfmiddlewaretoken"]
    else:
        form.values["csrfmiddlewaretoken"] = token

    answer = form.send(browser, **({"reason": "x"} if label == "Close" else {"title": "x"}))

    assert answer.status_code == 403
    expect.unchanged(case)


def test_a_form_body_is_no_way_in_for_programs(as_actor, browser_of):
    case, body = CaseFactory(status="UNDER_REVIEW"), "reason=Resolved"
    form = "application/x-www-form-urlencoded"
    rob = browser_of(REVIEWER)
    token = look(rob, f"/cases/{case.id}").forms["Close"].values["csrfmiddlewaretoken"]
    address = f"/cases/{case.id}/close"

    answers = [
        as_actor(OTHER_REVIEWER).post(address, body, content_type=form),
        as_actor(OTHER_REVIEWER).post(address, body, content_type=form, HTTP_ACCEPT=BROWSER),
        rob.post(address, body, content_type=form, headers={"x-csrftoken": token, "accept": "*/*"}),
        rob.post(
            address,
            "--x--",
            content_type="multipart/form-data; boundary=x",
            headers={"x-csrftoken": token, "accept": BROWSER},
        ),
    ]

    assert [answer.status_code for answer in answers] == [415] * 4
    assert answers[0].json()["error"] == answers[2].json()["error"] == "unsupported_media_type"
    expect.unchanged(case)


def test_a_hidden_method_changes_nothing_for_who_has_no_session(as_actor):
    case = CaseFactory()

    answer = as_actor(WRITER).post(
        f"/cases/{case.id}",
        "_method=PATCH&title=x",
        content_type="application/x-www-form-urlencoded",
    )

    expect.refusal(answer, 405, "method_not_allowed", set())
    expect.unchanged(case)


def test_an_address_that_takes_no_change_is_not_reached_by_a_hidden_method(browser_of):
    case, wanda = CaseFactory(), browser_of(WRITER)
    form = look(wanda, f"/cases/{case.id}").forms["Update"]
    form.address += "/submit"

    assert form.send(wanda, title="x").status_code == 405
    expect.unchanged(case)


@pytest.mark.parametrize("accept", ["*/*", "application/json", "", "application/*", None])
def test_who_did_not_ask_for_a_page_gets_json_in_a_session_too(browser_of, accept):
    case, rob = CaseFactory(), browser_of(REVIEWER)
    headers = {} if accept is None else {"accept": accept}

    for path in ("/cases", f"/cases/{case.id}", "/cases/CASE-999999", "/cases?limit=0"):
        answer = rob.get(path, headers=headers)
        assert answer.headers["Content-Type"] == "application/json", path


def test_who_is_nobody_is_led_to_the_log_in(browser_of):
    page = look(Client(), "/cases/CASE-000001?x=1", status=401)

    assert "/admin/login/?next=/cases/CASE-000001%3Fx%3D1" in page.links
    assert page.forms == {}


def test_a_case_that_one_may_not_see_has_the_page_of_one_that_never_was(browser_of):
    hidden, rosa = CaseFactory(restricted=True, status="UNDER_REVIEW"), browser_of(OTHER_REVIEWER)

    pages = [look(rosa, f"/cases/{n}", status=404).text for n in (hidden.id, "CASE-999999")]

    words = [
        page.replace(hidden.id, "CASE-999999").split("request", maxsplit=1)[0] for page in pages
    ]
    assert words[0] == words[1]


def test_lists_lead_to_cases_and_to_their_neighbours(browser_of):
    made = [CaseFactory(title=f"Matter {n}") for n in range(52)]
    rob = browser_of(REVIEWER)

    first = look(rob, "/v1/cases")
    second = look(rob, next(link for link in first.links if "cursor=" in link))

    assert f"/v1/cases/{made[51].id}" in first.links
    assert f"/v1/cases/{made[1].id}" in second.links
    assert "Create" not in first.forms
    assert any("cursor=" in link for link in second.links)
    assert "There is nothing here." in look(rob, "/cases?status=CLOSED").text


@pytest.mark.parametrize("path", ["", "/notes", "/audit-events"])
def test_pages_load_nothing_from_elsewhere_and_hold_no_script_of_their_own(browser_of, path):
    case, rob = CaseFactory(status="UNDER_REVIEW", title="</script><i>x"), browser_of(REVIEWER)
    services.add_note(case_id=case.id, body="<img src=x>", actor=WRITER)

    answer = rob.get(f"/cases/{case.id}{path}", headers={"accept": BROWSER})

    page = Page(answer)
    assert page.loaded
    assert all(part.startswith("/static/") for part in page.loaded)
    assert page.scripts == 0
    for forbidden in (b"style=", b"onclick", b"<img", b"<i>", b"http://", b"https://"):
        assert forbidden not in answer.content.replace(b"http://www.w3.org/2000/svg", b"")
