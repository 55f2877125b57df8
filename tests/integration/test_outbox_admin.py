"""The outbox in the admin: found by state and destination, decided about, or refused."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import Permission, User
from django.db import connection
from django.test.utils import CaptureQueriesContext

from outbox import admin
from outbox.models import OutboxEvent
from outbox.relay import drain_batch
from outbox.services import State, state_of
from tests.destinations import Recorder
from tests.factories import CaseFactory

pytestmark = pytest.mark.django_db

LIST = "/admin/outbox/outboxevent/"


@pytest.fixture
def browser(log_in):
    return log_in("ada", "admin")


@pytest.fixture
def rows() -> dict[State, OutboxEvent]:
    """Return an event in every state."""
    made = {state: CaseFactory().id for state in State if state is not State.PENDING}
    refusing = [made[State.DEAD], made[State.DISCARDED]]
    drain_batch(Recorder(failing=[made[State.WAITING]], refusing=refusing), size=100)
    OutboxEvent.objects.filter(case_id=made[State.DISCARDED]).update(
        processed_at="2026-11-25T09:00Z", discarded_at="2026-11-25T09:00Z"
    )
    made[State.PENDING] = CaseFactory().id
    found = {state: OutboxEvent.objects.get(case_id=made[state]) for state in State}
    assert {state: state_of(row) for state, row in found.items()} == {s: s for s in State}
    return found


def listed(response) -> set[int]:
    assert response.status_code == 200
    return {row.pk for row in response.context["cl"].result_list}


@pytest.mark.parametrize("state", State)
def test_the_list_is_narrowed_to_a_state(browser, rows, state) -> None:
    assert listed(browser.get(LIST, {"state": state.value})) == {rows[state].pk}


def test_the_list_is_narrowed_to_a_destination_also_one_that_is_gone(browser, rows) -> None:
    OutboxEvent.objects.filter(pk=rows[State.PENDING].pk).update(destination="pigeon")

    page = browser.get(LIST, {"to": "pigeon"})

    assert listed(page) == {rows[State.PENDING].pk}
    assert "pigeon (not configured)" in page.content.decode()
    assert len(listed(browser.get(LIST, {"to": "log"}))) == 4


def test_an_event_is_found_by_its_case_or_its_id_but_not_by_a_part(browser, rows) -> None:
    row = rows[State.DEAD]

    assert listed(browser.get(LIST, {"q": row.case_id})) == {row.pk}
    assert listed(browser.get(LIST, {"q": str(row.event_id)})) == {row.pk}
    assert listed(browser.get(LIST, {"q": row.case_id[:-1]})) == set()


def test_the_page_shows_error_and_message(browser, rows) -> None:
    page = browser.get(f"{LIST}{rows[State.DEAD].pk}/change/").content.decode()

    assert "gone for good" in page
    assert "org.regulator.case.created.v1" in page


def test_nothing_is_counted_beyond_the_longest_list(browser, rows, monkeypatch) -> None:
    monkeypatch.setattr(admin, "LONGEST_LIST", 3)

    with CaptureQueriesContext(
        connection,
    ) as queries:
        page = browser.get(LIST)

    assert page.context["cl"].paginator.count == 3
    counts = [q["sql"] for q in queries if "COUNT" in q["sql"] and '"outbox_events"' in q["sql"]]
    assert counts
    assert all("LIMIT" in sql for sql in counts)


def act(browser, action: str, *rows: OutboxEvent, **more: str):
    return browser.post(
        LIST, {"action": action, "_selected_action": [row.pk for row in rows], **more}, follow=True
    )


def test_chosen_events_are_sent_again(browser, rows) -> None:
    page = act(browser, "requeue", *rows.values())

    assert "2 sent again." in page.content.decode()
    for state in (State.DEAD, State.WAITING):
        rows[state].refresh_from_db()
        assert state_of(rows[state]) is State.PENDING
    rows[State.DISCARDED].refresh_from_db()
    assert state_of(rows[State.DISCARDED]) is State.DISCARDED


def test_to_discard_asks_for_a_reason_first(browser, rows) -> None:
    row = rows[State.DEAD]

    asked = act(browser, "discard", row)
    assert row.case_id in asked.content.decode()
    blank = act(browser, "discard", row, reason="  ")
    assert "This field is required." in blank.content.decode()
    row.refresh_from_db()
    assert state_of(row) is State.DEAD

    done = act(browser, "discard", row, reason="The consumer is gone")
    assert "1 discarded." in done.content.decode()
    row.refresh_from_db()
    assert (row.discarded_by, row.discard_reason) == ("ada", "The consumer is gone")


def test_a_second_click_decides_nothing_twice(browser, rows) -> None:
    act(browser, "discard", rows[State.DEAD], reason="First")

    page = act(browser, "discard", rows[State.DEAD], reason="Second")

    assert "Nothing to decide" in page.content.decode()
    rows[State.DEAD].refresh_from_db()
    assert rows[State.DEAD].discard_reason == "First"


@pytest.mark.parametrize("role", ["auditor", "supervisor"])
@pytest.mark.parametrize("action", ["requeue", "discard"])
def test_who_may_only_look_decides_nothing(log_in, rows, role, action) -> None:
    page = act(log_in("otto", role), action, rows[State.DEAD], reason="Because")

    rows[State.DEAD].refresh_from_db()
    assert state_of(rows[State.DEAD]) is State.DEAD
    assert f'value="{action}"' not in page.content.decode()


@pytest.mark.parametrize(
    ("permission", "offered"),
    [("requeue_outboxevent", "requeue"), ("discard_outboxevent", "discard")],
)
def test_each_decision_needs_its_own_permission(log_in, rows, permission, offered) -> None:
    browser = log_in("otto", "auditor")
    User.objects.get(username="otto").user_permissions.add(
        Permission.objects.get(codename=permission)
    )

    page = browser.get(LIST).content.decode()

    told = {name for name in ("requeue", "discard") if f'<option value="{name}"' in page}
    assert told == {offered}
