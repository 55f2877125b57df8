"""What leaves the house about a restricted case is that something happened, and no more."""

from __future__ import annotations

import json
from collections.abc import Sequence

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from cases import services
from outbox.destinations.base import DELIVERED, Destination, Message, Outcome
from outbox.relay import drain_batch
from tests.cast import SUPERVISOR, WRITER
from tests.factories import CaseFactory

pytestmark = pytest.mark.usefixtures("committed")


class Reader(Destination):
    """Keeps what it is told."""

    name = "log"

    def __init__(self) -> None:
        self.got: list[Message] = []

    def deliver(self, messages: Sequence[Message]) -> Sequence[Outcome]:
        self.got += messages
        return [DELIVERED] * len(messages)

    def data(self) -> dict[tuple[str, int], dict]:
        return {(one.subject, one.sequence): one.parsed()["data"] for one in self.got}


class Insider(Reader):
    """Shows the messages to nobody."""

    passes_on = False


def drain(reader: Reader) -> Reader:
    while drain_batch(reader, size=100).size:
        pass
    return reader


def two_cases() -> tuple[str, str]:
    """Return an open case and a restricted one, with a title that tells."""
    opened = CaseFactory(title="Late reporting")
    hidden = CaseFactory(title="Whistleblower at ACME")
    services.restrict_case(case_id=hidden.id, reason="Names Zoë", actor=SUPERVISOR)
    return opened.id, hidden.id


def test_the_data_of_a_restricted_case_hold_its_id_alone() -> None:
    opened, hidden = two_cases()

    reader = drain(Reader())

    bare = {"case_id": hidden, "restricted": True}
    assert reader.data()[opened, 0]["title"] == "Late reporting"
    assert reader.data()[hidden, 0] == reader.data()[hidden, 1] == bare
    told = "".join(one.body for one in reader.got if one.subject == hidden)
    assert not {"ACME", "Zoë", "wanda", "sue"} & set(json.loads(json.dumps(told)).split('"'))
    assert "ACME" not in told


def test_the_envelope_stays_so_that_readers_can_order_and_ask() -> None:
    _, hidden = two_cases()

    reader = drain(Reader())

    first, second = (one.parsed() for one in reader.got if one.subject == hidden)
    assert (first["type"], second["type"]) == (
        "org.regulator.case.created.v1",
        "org.regulator.case.restricted.v1",
    )
    assert (first["sequence"], second["sequence"]) == ("0000000000", "0000000001")
    assert first["id"] == reader.got[[one.subject for one in reader.got].index(hidden)].id


def test_what_happened_before_the_restriction_is_kept_back_as_well() -> None:
    case = CaseFactory(title="Whistleblower at ACME")
    reader = Reader()
    services.restrict_case(case_id=case.id, reason="Names Zoë", actor=SUPERVISOR)

    drain(reader)

    assert reader.data()[case.id, 0] == {"case_id": case.id, "restricted": True}


def test_once_the_restriction_is_lifted_messages_are_whole_again() -> None:
    _, hidden = two_cases()
    drain(Reader())
    services.unrestrict_case(case_id=hidden, reason="Published", actor=SUPERVISOR)

    reader = drain(Reader())

    assert reader.data() == {
        (hidden, 2): {"case_id": hidden, "actor_id": "sue", "reason": "Published"}
    }


def test_an_office_may_decide_that_its_destinations_are_told_all(settings) -> None:
    settings.OUTBOX_RESTRICTED = "full"
    _, hidden = two_cases()

    assert drain(Reader()).data()[hidden, 0]["title"] == "Whistleblower at ACME"


def test_who_shows_messages_to_nobody_gets_them_whole() -> None:
    _, hidden = two_cases()

    assert drain(Insider()).data()[hidden, 0]["title"] == "Whistleblower at ACME"


def test_a_batch_asks_once_whatever_its_size(django_assert_num_queries) -> None:
    for _ in range(5):
        services.submit_case(case_id=CaseFactory().id, actor=WRITER)
    drained = Reader()
    with CaptureQueriesContext(connection) as asked:
        drain_batch(drained, size=100)

    assert len(drained.got) == 10
    assert sum('"restricted"' in query["sql"] for query in asked) == 1
