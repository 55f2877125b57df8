"""The trace of a caller goes on into the messages about what the call did."""

from __future__ import annotations

import pytest

from outbox.models import OutboxEvent
from tests.cast import WRITER

pytestmark = pytest.mark.django_db
TRACE = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"


def create(client, **headers) -> dict:
    answer = client.post("/cases", {"title": "Late reporting"}, headers=headers)
    assert answer.status_code == 201
    return OutboxEvent.objects.latest("id").payload


def test_a_message_belongs_to_the_trace_of_the_request(as_actor) -> None:
    message = create(as_actor(WRITER), traceparent=TRACE, tracestate="rojo=1")

    assert (message["traceparent"], message["tracestate"]) == (TRACE, "rojo=1")


def test_a_wrong_trace_is_no_reason_to_refuse_a_request(as_actor) -> None:
    message = create(as_actor(WRITER), traceparent="nonsense", tracestate="rojo=1")

    assert "traceparent" not in message


def test_the_trace_of_one_request_ends_with_it(as_actor) -> None:
    client = as_actor(WRITER)
    create(client, traceparent=TRACE)

    assert "traceparent" not in create(client)
