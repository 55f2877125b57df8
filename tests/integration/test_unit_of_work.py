"""Case, audit row and outbox row commit together or not at all, for every action."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
from django.db.transaction import atomic

from audit import receivers as audit_receivers
from audit.models import AuditEvent
from cases import services
from cases.lifecycle import LIFECYCLE, CaseAction
from cases.models import Case
from cases.signals import case_event
from outbox import receivers as outbox_receivers
from outbox.models import OutboxEvent
from tests.cast import ALMIGHTY, WRITER
from tests.factories import CaseFactory, UserFactory, act

pytestmark = pytest.mark.usefixtures("committed")

DRAFT, SUBMITTED, REVIEW = "DRAFT", "SUBMITTED", "UNDER_REVIEW"
LONG_AGO = datetime(2026, 1, 5, 12, tzinfo=UTC)
# What a case must be for the action to go through.
BEFORE: dict[CaseAction, dict[str, Any]] = {
    CaseAction.UPDATE: {"status": DRAFT},
    CaseAction.SUBMIT: {"status": DRAFT},
    CaseAction.START_REVIEW: {"status": SUBMITTED},
    CaseAction.ASSIGN: {"status": SUBMITTED},
    CaseAction.ESCALATE: {"status": REVIEW},
    CaseAction.CLOSE: {"status": REVIEW},
    CaseAction.ADD_NOTE: {"status": REVIEW},
    CaseAction.SET_DUE_DATE: {"status": SUBMITTED},
    CaseAction.PAUSE: {"status": SUBMITTED},
    CaseAction.RESUME: {"status": SUBMITTED, "paused": True},
    CaseAction.RESTRICT: {"status": DRAFT},
    CaseAction.UNRESTRICT: {"status": DRAFT, "restricted": True},
    CaseAction.GRANT_ACCESS: {"status": DRAFT},
    CaseAction.REVOKE_ACCESS: {"status": DRAFT},
    CaseAction.MARK_OVERDUE: {"status": DRAFT, "due_at": LONG_AGO},
}
EVERY_ACTION = pytest.mark.parametrize("action", BEFORE)


class ListenerDown(Exception):
    """A listener that fails."""


@pytest.fixture
def break_listener() -> Iterator[Callable[[], None]]:
    """Return what plugs in a listener that fails after audit and outbox have written."""

    def fail(**kwargs: object) -> None:
        raise ListenerDown

    yield lambda: case_event.connect(fail, dispatch_uid="tests.fail", weak=False)
    case_event.disconnect(dispatch_uid="tests.fail")


def prepared(action: CaseAction) -> Case:
    if "access" in action:
        UserFactory(username="grace", password=None)
    case = CaseFactory(**BEFORE[action])
    if action is CaseAction.REVOKE_ACCESS:
        act(CaseAction.GRANT_ACCESS, case, ALMIGHTY)
    return Case.objects.get(pk=case.id)


def trail(case: Case) -> list[int]:
    rows = AuditEvent.objects.filter(case_id=case.id).order_by("sequence")
    return list(rows.values_list("sequence", flat=True))


def test_every_action_on_a_case_is_in_this_play() -> None:
    assert set(BEFORE) == set(CaseAction) - {CaseAction.CREATE}


@EVERY_ACTION
def test_an_action_is_one_version_one_audit_row_and_one_outbox_row(action: CaseAction) -> None:
    case = prepared(action)

    act(action, case, ALMIGHTY)

    stored = Case.objects.get(pk=case.id)
    assert stored.version == case.version + 1
    assert trail(case) == list(range(stored.version + 1))
    told = AuditEvent.objects.get(case_id=case.id, sequence=stored.version)
    owed = OutboxEvent.objects.get(case_id=case.id, sequence=stored.version)
    assert told.event_type == owed.event_type == LIFECYCLE[action].event.type
    assert (told.id, told.actor_id, told.occurred_at) == (
        owed.event_id, "olga", stored.updated_at,
    )  # fmt: skip
    assert owed.payload["id"] == str(told.id)
    assert OutboxEvent.objects.filter(case_id=case.id).count() == stored.version + 1


@EVERY_ACTION
def test_what_a_listener_refuses_has_not_happened(action, everything, break_listener) -> None:
    case = prepared(action)
    before = everything()
    break_listener()

    with pytest.raises(ListenerDown):
        act(action, case, ALMIGHTY)

    assert everything() == before


@EVERY_ACTION
def test_what_is_undone_after_an_action_undoes_the_action(action, everything) -> None:
    case = prepared(action)
    before = everything()

    with pytest.raises(ZeroDivisionError), atomic():
        act(action, case, ALMIGHTY)
        assert Case.objects.get(pk=case.id).version == case.version + 1
        raise ZeroDivisionError

    assert everything() == before


@EVERY_ACTION
@pytest.mark.parametrize("table", ["audit_events", "outbox_events"])
def test_a_row_that_cannot_be_written_undoes_the_action(action, table, everything, monkeypatch):
    case = prepared(action)
    before = everything()
    receivers = audit_receivers if table == "audit_events" else outbox_receivers
    monkeypatch.setattr(receivers, "_INSERT", receivers._INSERT.replace(table, "no_such_table"))

    with pytest.raises(Exception, match="no_such_table"):
        act(action, case, ALMIGHTY)

    assert everything() == before


def test_a_new_case_comes_with_its_audit_and_outbox_row(everything) -> None:
    case = CaseFactory()

    assert {name: len(rows) for name, rows in everything().items()} == {
        "cases": 1, "case_notes": 0, "audit_events": 1, "audit_anchors": 0,
        "audit_anchor_heads": 0, "outbox_events": 1, "case_user_permissions": 0,
        "idempotency_keys": 0, "uploaded_registers": 0, "uploaded_register_parts": 0,
    }  # fmt: skip
    assert trail(case) == [0]


def test_a_new_case_that_a_listener_refuses_does_not_exist(everything, break_listener) -> None:
    break_listener()

    with pytest.raises(ListenerDown):
        CaseFactory()

    assert not any(everything().values())


def test_of_a_batch_all_or_nothing_is_taken_in(everything, break_listener) -> None:
    rows = [{"title": f"Row {n}"} for n in range(20)]
    with atomic():
        cases = services.create_cases(rows=rows, actor=WRITER)
        services.submit_cases(cases=cases, actor=WRITER)
    before = everything()
    assert [len(before[name]) for name in ("cases", "audit_events", "outbox_events")] == [
        20,
        40,
        40,
    ]

    break_listener()
    with pytest.raises(ListenerDown):
        services.create_cases(rows=rows, actor=WRITER)

    assert everything() == before


def test_a_past_that_is_not_announced_owes_nobody_anything() -> None:
    silent = type(ALMIGHTY)(id="old clerk", imported_by="ivy", announced=False)

    case = services.create_case(fields={"title": "From the archive"}, actor=silent)

    assert trail(case) == [0]
    assert AuditEvent.objects.get(case_id=case.id).details["imported_by"] == "ivy"
    assert not OutboxEvent.objects.exists()


def test_each_destination_that_is_switched_on_is_owed_a_row(settings, monkeypatch) -> None:
    monkeypatch.setattr("outbox.receivers.configured", lambda: {
        "eager": type("Eager", (), {"wants": staticmethod(lambda event: True)}),
        "picky": type("Picky", (), {"wants": staticmethod(lambda e: e.type == "CASE_SUBMITTED")}),
    })  # fmt: skip

    case = CaseFactory(status="SUBMITTED")

    owed = OutboxEvent.objects.filter(case_id=case.id).order_by("id")
    assert list(owed.values_list("destination", "sequence")) == [
        ("eager", 0), ("eager", 1), ("picky", 1),
    ]  # fmt: skip
