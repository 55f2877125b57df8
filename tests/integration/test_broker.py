"""A message is delivered when RabbitMQ has confirmed it, and not before."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from uuid import uuid4

import pytest
from aio_pika import DeliveryMode
from yarl import URL

from cases.events import CaseClosed
from outbox.destinations import broker
from outbox.destinations.base import DELIVERED, Outcome, Result, Unavailable
from outbox.destinations.broker import BrokerDestination
from tests.integration.messages import message_of, restricted
from tests.integration.rabbitmq import BROKER, Bench, Line, insist_on_a_broker, line
from tests.integration.receiver import receiver
from tests.unit.samples import AT, SAMPLES


@pytest.fixture
def bench(settings) -> Iterator[Bench]:
    insist_on_a_broker()
    made = Bench()
    settings.OUTBOX_BROKER_URL = str(BROKER)
    settings.OUTBOX_BROKER_EXCHANGE = made.exchange
    yield made
    made.delete()


@pytest.fixture
def destination(bench: Bench) -> Iterator[BrokerDestination]:
    made = BrokerDestination()
    yield made
    made.close()


@pytest.fixture
def by_line(bench: Bench, settings) -> Iterator[Line]:
    with line() as laid:
        settings.OUTBOX_BROKER_URL = laid.url
        yield laid


def one(destination: BrokerDestination) -> Outcome:
    (outcome,) = destination.deliver([restricted()])
    return outcome


def test_a_message_arrives_as_it_stands_with_what_routes_and_names_it(bench, destination) -> None:
    bench.bind()
    message = restricted(reason="Zoë")

    assert destination.deliver([message]) == [DELIVERED]

    (got,) = bench.read()
    assert got.body == message.body.encode()
    assert got.routing_key == message.type == "org.regulator.case.restricted.v1"
    assert (got.message_id, got.type) == (message.id, message.type)
    assert got.content_type == "application/cloudevents+json"
    assert got.delivery_mode is DeliveryMode.PERSISTENT
    assert abs(got.timestamp - AT) < timedelta(seconds=1)


def test_a_queue_gets_the_types_it_is_bound_to(bench, destination) -> None:
    bench.bind("org.regulator.case.closed.v1", "org.regulator.case.escalated.v1")
    messages = [
        message_of(replace(event, id=uuid4(), case_id=f"CASE-{place:06d}"))
        for place, event in enumerate(SAMPLES.values())
    ]

    outcomes = destination.deliver(messages)

    taken = {message.type for message in bench.read()}
    assert taken == {"org.regulator.case.closed.v1", "org.regulator.case.escalated.v1"}
    for message, outcome in zip(messages, outcomes, strict=True):
        assert (outcome == DELIVERED) is (message.type in taken)


def test_a_message_that_no_queue_takes_is_a_failure(destination) -> None:
    outcome = one(destination)

    assert outcome.result is Result.FAILED
    assert outcome.error == "The broker returned the message: no queue is bound for its type."


def test_a_returned_message_is_taken_once_a_queue_is_bound(bench, destination) -> None:
    assert one(destination).result is Result.FAILED
    bench.bind()

    assert one(destination) == DELIVERED


def test_a_full_queue_that_rejects_is_a_failure_of_what_it_did_not_take(bench, destination) -> None:
    bench.bind(**{"x-max-length": 2, "x-overflow": "reject-publish"})

    outcomes = destination.deliver([restricted(case) for case in range(20)])

    assert outcomes.count(DELIVERED) >= 2
    failures = [outcome for outcome in outcomes if outcome != DELIVERED]
    assert {outcome.result for outcome in failures} == {Result.FAILED}
    assert "a queue is full" in failures[0].error
    assert len(bench.read()) == outcomes.count(DELIVERED)


def test_many_messages_arrive_each_case_in_order(bench, destination) -> None:
    bench.bind()
    messages = [restricted(case, number) for number in range(5) for case in range(100)]

    assert destination.deliver(messages) == [DELIVERED] * 500

    order = {message.id: (message.subject, message.sequence) for message in messages}
    arrived = [order[str(message.message_id)] for message in bench.read()]
    assert len(arrived) == 500
    for subject in {subject for subject, _ in arrived}:
        assert [n for case, n in arrived if case == subject] == [0, 1, 2, 3, 4]


def test_after_a_failure_nothing_more_of_the_case_is_published(bench, destination) -> None:
    bench.bind("org.regulator.case.closed.v1")
    returned = restricted(1, 0)
    later = message_of(SAMPLES[CaseClosed])._replace(subject=returned.subject)

    outcomes = destination.deliver([returned, later])

    assert [outcome.result for outcome in outcomes] == [Result.FAILED, Result.UNTRIED]
    assert bench.read() == []


def test_many_confirmations_are_outstanding_at_once(bench, destination, monkeypatch) -> None:
    bench.bind()
    busy, most = 0, 0
    real = broker._publish

    async def counted(*args):
        nonlocal busy, most
        busy += 1
        most = max(most, busy)
        try:
            return await real(*args)
        finally:
            busy -= 1

    monkeypatch.setattr(broker, "_publish", counted)

    destination.deliver([restricted(case) for case in range(300)])

    assert most == 300


def test_a_message_of_a_megabyte_arrives_whole(bench, destination) -> None:
    bench.bind()
    message = restricted(reason="ä" * 500_000)

    assert destination.deliver([message]) == [DELIVERED]
    assert bench.read()[0].body == message.body.encode()


# --- A broker that goes away ----------------------------------------------------------------------


def test_a_broker_that_is_away_is_no_attempt_and_found_again(bench, by_line, destination) -> None:
    bench.bind()
    assert one(destination) == DELIVERED
    by_line.cut()

    with pytest.raises(Unavailable, match="The broker "):
        for _ in range(3):  # the first one may find the broken connection
            destination.deliver([restricted(case) for case in range(10)])
    by_line.mend()

    assert one(destination) == DELIVERED
    assert len(bench.read()) == 2


def test_a_connection_that_breaks_in_between_is_made_anew(bench, by_line, destination) -> None:
    bench.bind()
    one(destination)
    by_line.cut()
    by_line.mend()
    time.sleep(0.2)

    assert one(destination) == DELIVERED


def test_a_connection_that_breaks_under_way_leaves_nothing_in_doubt(
    bench, by_line, destination
) -> None:
    bench.bind()
    messages = [restricted(case) for case in range(2_000)]
    one(destination)
    threading.Timer(0.15, by_line.cut).start()

    outcomes = destination.deliver(messages)

    bench.read()
    assert {outcome.result for outcome in outcomes} <= {Result.DELIVERED, Result.UNTRIED}
    assert Result.UNTRIED in {outcome.result for outcome in outcomes}


def test_what_was_confirmed_before_the_break_has_arrived(bench, by_line, destination) -> None:
    bench.bind()
    messages = [restricted(case) for case in range(2_000)]
    one(destination)
    bench.read()
    threading.Timer(0.15, by_line.cut).start()

    outcomes = destination.deliver(messages)

    arrived = {message.message_id for message in bench.read()}
    confirmed = {
        message.id
        for message, outcome in zip(messages, outcomes, strict=True)
        if outcome == DELIVERED
    }
    assert confirmed <= arrived


def test_a_broker_that_says_nothing_ends_by_a_time_out(
    bench, by_line, destination, monkeypatch
) -> None:
    bench.bind()
    one(destination)
    monkeypatch.setattr(broker, "_CONFIRM_SECONDS", 0.3)
    monkeypatch.setattr(broker, "_CONNECT_SECONDS", 0.6)
    by_line.stall()

    began = time.monotonic()
    outcomes = destination.deliver([restricted(case) for case in range(50)])

    assert {outcome.result for outcome in outcomes} == {Result.UNTRIED}
    assert outcomes[0].error == "The broker did not confirm in time."
    with pytest.raises(Unavailable, match="did not answer in time"):
        destination.deliver([restricted()])
    assert time.monotonic() - began < 5


# --- A broker that does not want us ---------------------------------------------------------------


def test_a_wrong_password_is_told_without_it(bench, settings, caplog) -> None:
    settings.OUTBOX_BROKER_URL = str(BROKER.with_password("s3cr3t-w0rd"))
    destination = BrokerDestination()

    with caplog.at_level("DEBUG"), pytest.raises(Unavailable) as refusal:
        destination.deliver([restricted()])
    destination.close()

    assert str(refusal.value) == "The broker refused the log-in."
    assert "s3cr3t-w0rd" not in caplog.text


def test_an_exchange_of_another_kind_is_told(bench, destination, settings) -> None:
    bench.declare_otherwise()

    with pytest.raises(Unavailable, match=f"The exchange {bench.exchange} exists and is no"):
        destination.deliver([restricted()])


def test_something_else_than_a_broker_is_told(bench, settings) -> None:
    with receiver() as found:
        found.greeting = b"HTTP/1.1 400 Bad Request\r\n\r\n"
        settings.OUTBOX_BROKER_URL = str(URL(f"amqp://guest:guest@127.0.0.1:{found.port}/"))
        destination = BrokerDestination()
        with pytest.raises(Unavailable, match="The broker "):
            destination.deliver([restricted()])
        destination.close()


def test_a_host_that_does_not_exist_is_told_without_a_password(bench, settings) -> None:
    settings.OUTBOX_BROKER_URL = "amqp://user:s3cr3t-w0rd@127.0.0.1:1/"
    destination = BrokerDestination()

    with pytest.raises(Unavailable, match="cannot be reached") as refusal:
        destination.deliver([restricted()])
    destination.close()

    assert "s3cr3t-w0rd" not in str(refusal.value)


def test_closing_ends_the_thread_and_the_connection(bench, destination) -> None:
    bench.bind()
    other = BrokerDestination()
    one(other)
    assert "broker" in {thread.name for thread in threading.enumerate()}

    other.close()

    assert "broker" not in {thread.name for thread in threading.enumerate()}
