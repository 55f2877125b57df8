"""The socket for listeners: inside the transaction or not at all, a batch in one call."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from django.db.transaction import atomic

from audit.models import AuditEvent
from cases import services
from cases.checks import check_listeners
from cases.events import CaseEvent
from cases.signals import case_event, publish, request_id
from tests.cast import WRITER
from tests.factories import CaseFactory
from tests.unit.samples import SAMPLES


@pytest.fixture
def calls() -> Iterator[list[tuple[CaseEvent, ...]]]:
    """Return the calls that a further listener gets, beside audit and outbox."""
    heard: list[tuple[CaseEvent, ...]] = []

    def listen(events: tuple[CaseEvent, ...], **kwargs: object) -> None:
        heard.append(events)

    case_event.connect(listen, dispatch_uid="tests.listen", weak=False)
    yield heard
    case_event.disconnect(dispatch_uid="tests.listen")


def test_outside_of_a_transaction_nothing_is_published(calls, django_db_blocker) -> None:
    with django_db_blocker.unblock(), pytest.raises(RuntimeError, match="atomic"):
        publish(*SAMPLES.values())

    assert calls == []


@pytest.mark.django_db
def test_an_action_is_one_call_with_one_event(calls) -> None:
    case = CaseFactory()

    services.submit_case(case_id=case.id, actor=WRITER)

    assert [[event.type for event in events] for events in calls] == [
        ["CASE_CREATED"],
        ["CASE_SUBMITTED"],
    ]


@pytest.mark.django_db
def test_a_batch_is_one_call_in_the_order_of_its_cases(calls) -> None:
    cases = services.create_cases(rows=[{"title": f"Row {n}"} for n in range(50)], actor=WRITER)
    services.submit_cases(cases=cases, actor=WRITER)

    assert [len(events) for events in calls] == [50, 50]
    assert [event.case_id for event in calls[0]] == [case.id for case in cases]
    assert {event.type for event in calls[1]} == {"CASE_SUBMITTED"}


@pytest.mark.django_db
def test_a_batch_of_nothing_is_no_trouble(calls) -> None:
    assert services.create_cases(rows=[], actor=WRITER) == []
    services.submit_cases(cases=[], actor=WRITER)

    assert sum(calls, ()) == ()


@pytest.mark.django_db
def test_listeners_hear_of_a_change_before_it_is_committed(calls) -> None:
    with pytest.raises(ZeroDivisionError), atomic():
        CaseFactory()
        assert len(calls) == 1
        raise ZeroDivisionError

    assert not AuditEvent.objects.exists()


@pytest.mark.django_db
def test_the_request_s_id_stands_on_its_audit_events() -> None:
    token = request_id.set("req-17")
    try:
        case = CaseFactory()
    finally:
        request_id.reset(token)

    assert AuditEvent.objects.get(case_id=case.id).request_id == "req-17"


def test_a_service_with_no_listener_does_not_start(monkeypatch) -> None:
    assert check_listeners() == []
    monkeypatch.setattr(case_event, "receivers", [])

    assert [error.id for error in check_listeners()] == ["cases.E001"]
