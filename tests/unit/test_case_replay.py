"""The fold from events to fields: complete, and loud about what the lifecycle does not allow."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from audit import chain
from audit.verify.trail import TrailCheck, rfc3339
from cases import events
from cases.models import Case
from cases.replay import COLUMNS, CaseReplay
from tests.unit.samples import SAMPLES

AT = "2026-11-20T09:30:00.000000Z"
CREATED = {"title": "Late", "priority": "LOW", "received_at": AT, "to_status": "DRAFT"}
EPOCH = datetime(2000, 1, 1, tzinfo=UTC)


def told(*facts: tuple[str, dict[str, Any]]) -> CaseReplay:
    replay = CaseReplay()
    for sequence, (kind, details) in enumerate(facts):
        replay.tell(sequence, kind, "wanda", AT, details)
    return replay


def test_every_column_of_a_case_is_replayed() -> None:
    assert {*COLUMNS, "id"} == {field.attname for field in Case._meta.concrete_fields}
    assert len(CaseReplay().row()) == len(COLUMNS)
    assert CaseReplay().row() == tuple(getattr(CaseReplay(), name) for name in COLUMNS)


@pytest.mark.parametrize("event", SAMPLES.values(), ids=lambda event: event.type)
def test_every_kind_of_event_is_understood(event: events.CaseEvent) -> None:
    replay = CaseReplay()

    replay.tell(0, event.type, "wanda", AT, event.details())

    assert not any("no event of the type" in problem for problem in replay.problems)
    assert not any("details are not those" in problem for problem in replay.problems)


PROBLEMS = {
    "unknown": ([("CASE_PAINTED", {})], "no event of the type 'CASE_PAINTED'"),
    "uncreated": ([("CASE_SUBMITTED", {})], "not possible on a case that was not created before"),
    "twice": ([("CASE_CREATED", CREATED)] * 2, "CASE_CREATED is not possible on a case that is DR"),
    "skips": (
        [("CASE_CREATED", CREATED),
         ("CASE_CLOSED", {"from_status": "DRAFT", "to_status": "CLOSED"})],
        "CASE_CLOSED is not possible on a case that is DRAFT",
    ),
    "lies": (
        [("CASE_CREATED", CREATED), ("CASE_SUBMITTED", {"from_status": "X", "to_status": "Y"})],
        "its from_status is 'X', but it must be 'DRAFT'",
    ),
    "state": (
        [("CASE_CREATED", CREATED), ("CASE_UNRESTRICTED", {"reason": "x"})],
        "does not fit the state of the case before it",
    ),
    "lacks": ([("CASE_CREATED", {})], "the details are not those of a CASE_CREATED (KeyError"),
    "no object": ([("CASE_CREATED", None)], "the details are not those of a CASE_CREATED (TypeErr"),
    "old value": (
        [("CASE_CREATED", CREATED),
         ("CASE_UPDATED", {"changes": {"title": {"from": "Early", "to": "x"}}})],
        "its old title is 'Early', but it must be 'Late'",
    ),
    "no field": (
        [("CASE_CREATED", CREATED),
         ("CASE_UPDATED", {"changes": {"status": {"from": "DRAFT", "to": "CLOSED"}}})],
        "it changes 'status', which no update may",
    ),
    "granted": (
        [("CASE_CREATED", CREATED)]
        + [("CASE_ACCESS_GRANTED", {"user": "grace", "permission": "add_note"})] * 2,
        "'grace' had add_note already",
    ),
    "revoked": (
        [("CASE_CREATED", CREATED),
         ("CASE_ACCESS_REVOKED", {"user": "grace", "permission": "add_note"})],
        "'grace' did not have add_note",
    ),
    "early": (
        [("CASE_CREATED", {**CREATED, "due_at": AT}), ("CASE_OVERDUE", {"due_at": AT})],
        "its due date 2026-11-20T09:30:00.000000Z had not passed",
    ),
}  # fmt: skip


@pytest.mark.parametrize(("facts", "words"), PROBLEMS.values(), ids=PROBLEMS.keys())
def test_what_cannot_have_happened_is_told(facts: Any, words: str) -> None:
    assert any(words in problem for problem in told(*facts).problems)


def test_what_the_lifecycle_allows_is_no_problem() -> None:
    replay = told(
        ("CASE_CREATED", CREATED),
        ("CASE_SUBMITTED", {"from_status": "DRAFT", "to_status": "SUBMITTED"}),
        ("CASE_RESTRICTED", {"reason": "x"}),
        ("CASE_UNRESTRICTED", {"reason": "x"}),
    )

    assert replay.problems == []
    assert (replay.status, replay.version) == ("SUBMITTED", 3)


@given(moment=st.datetimes(datetime(1800, 1, 1), datetime(2300, 1, 1), timezones=st.just(UTC)))  # noqa: DTZ001
def test_moments_are_written_as_events_write_them(moment: datetime) -> None:
    assert rfc3339((moment - EPOCH) // timedelta(microseconds=1)) == events.rfc3339(moment)


@pytest.mark.parametrize("moment", [2**63 - 1, -(2**63)])
def test_an_infinite_moment_is_none_that_an_event_can_have(moment: int) -> None:
    assert "T" not in rfc3339(moment)


PLAIN = st.text(st.characters(exclude_categories=("Cs",), exclude_characters="\0"), max_size=20)


@settings(database=None, deadline=None)
@given(
    details=st.dictionaries(
        PLAIN.filter(str.isascii), PLAIN | st.none() | st.booleans(), max_size=4
    ),
    actor_id=PLAIN,
    request_id=PLAIN,
)
def test_the_verifier_writes_the_content_that_the_receiver_hashed(
    details, actor_id, request_id
) -> None:
    at = datetime(2026, 11, 20, 9, 30, 0, 17, tzinfo=UTC)
    event_id = UUID("019391f0-0000-7000-8000-000000000001")
    content = chain.content_hash(
        chain.canonical(
            event_id=event_id, case_id="CASE-000042", sequence=0, actor_id=actor_id,
            event_type="CASE_CREATED", occurred_at=at, recorded_at=at, request_id=request_id,
            details=details,
        )
    )  # fmt: skip
    micros = (at - EPOCH) // timedelta(microseconds=1)
    row = (
        "CASE-000042", 0, str(event_id), "CASE_CREATED", actor_id, micros, micros, request_id,
        events_json(details), content, chain.GENESIS, chain.link(chain.GENESIS, content),
    )  # fmt: skip
    check = TrailCheck()

    check.case("CASE-000042", (), [row], (), ())

    assert [one for one in check.findings if one.kind == "chain"] == []


def events_json(details: dict[str, Any]) -> str:
    """Write details as PostgreSQL does: with spaces, and names in another order."""

    return json.dumps(dict(reversed(details.items())), ensure_ascii=False)
