"""Dead letters: sent again, discarded, forgotten, by services and commands alike."""

from __future__ import annotations

import json
import logging
from datetime import timedelta
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import connection, transaction

from outbox import services
from outbox.models import OutboxEvent
from outbox.relay import drain_batch
from outbox.services import Choice, DecisionRefused, State, state_of
from tests.destinations import Recorder
from tests.factories import CaseFactory

pytestmark = pytest.mark.usefixtures("committed")


@pytest.fixture
def dead() -> str:
    """Return a case of two events whose first is dead."""
    case_id = CaseFactory(status="SUBMITTED").id
    drain_batch(Recorder(refusing=[case_id]), size=100)
    assert states(case_id) == [State.DEAD, State.PENDING]
    return case_id


def states(case_id: str) -> list[State]:
    return [state_of(row) for row in OutboxEvent.objects.filter(case_id=case_id).order_by("id")]


def drained() -> dict[str, list[int]]:
    recorder = Recorder()
    while drain_batch(recorder, size=100).size:
        pass
    return recorder.by_case()


def told(caplog: pytest.LogCaptureFixture, name: str) -> list[dict[str, Any]]:
    return [r.msg for r in caplog.records if isinstance(r.msg, dict) and r.msg["event"] == name]


def command(capsys: pytest.CaptureFixture[str], *arguments: str) -> dict[str, Any]:
    capsys.readouterr()
    call_command(*arguments, "--json")
    answer: dict[str, Any] = json.loads(capsys.readouterr().out)
    return answer


def test_what_is_sent_again_goes_out_in_order_with_all_its_attempts(dead, caplog) -> None:
    caplog.set_level(logging.INFO)

    decision = services.requeue(choice=Choice(case_id=dead), actor="ada")

    assert (decision.changed, decision.held) == (1, 0)
    first = OutboxEvent.objects.get(case_id=dead, sequence=0)
    assert (first.attempts, first.dead_at, first.last_error) == (0, None, "gone for good")
    [line] = told(caplog, "outbox_event_requeued")
    assert (line["actor"], line["case_id"], line["event_id"]) == ("ada", dead, str(first.event_id))
    assert drained() == {dead: [0, 1]}


def test_what_is_discarded_never_goes_out_and_what_follows_it_does(dead, caplog) -> None:
    services.discard(choice=Choice(case_id=dead), reason=" Consumer \n is gone ", actor="ada")

    first = OutboxEvent.objects.get(case_id=dead, sequence=0)
    assert state_of(first) is State.DISCARDED
    assert (first.discarded_by, first.discard_reason) == ("ada", "Consumer is gone")
    assert first.processed_at is not None
    [line] = told(caplog, "outbox_event_discarded")
    assert (line["actor"], line["reason"]) == ("ada", "Consumer is gone")
    assert drained() == {dead: [1]}


@pytest.mark.parametrize("reason", ["", "  \n", "\0", "x" * 1001])
def test_nothing_is_discarded_without_a_reason(dead, reason) -> None:
    with pytest.raises(DecisionRefused, match="reason"):
        services.discard(choice=Choice(case_id=dead), reason=reason, actor="ada")

    assert states(dead) == [State.DEAD, State.PENDING]


def test_a_decision_that_is_not_committed_is_not_logged(dead, caplog) -> None:
    with transaction.atomic():
        services.discard(choice=Choice(case_id=dead), reason="No", actor="ada")
        transaction.set_rollback(True)

    assert states(dead) == [State.DEAD, State.PENDING]
    assert told(caplog, "outbox_event_discarded") == []


@pytest.mark.parametrize("state", [State.DELIVERED, State.DISCARDED])
def test_what_is_dealt_with_is_not_decided_about_again(dead, state) -> None:
    services.discard(choice=Choice(case_id=dead), reason="Gone", actor="ada")
    drained()

    with pytest.raises(DecisionRefused):
        services.requeue(choice=Choice(states=(state,)), actor="ada")
    with pytest.raises(DecisionRefused):
        services.discard(choice=Choice(states=(state,)), reason="Again", actor="bob")
    assert services.requeue(choice=Choice(case_id=dead), actor="ada").changed == 0
    assert states(dead) == [State.DISCARDED, State.DELIVERED]


def test_what_a_drainer_holds_is_left_to_it(dead) -> None:
    other = connection.copy()
    try:
        with other.cursor() as cursor:
            cursor.execute("BEGIN; SELECT FROM outbox_events WHERE dead_at IS NOT NULL FOR UPDATE")
        decision = services.requeue(choice=Choice(case_id=dead), actor="ada")
        with pytest.raises(CommandError) as refusal:
            call_command("requeue_outbox", "--case", dead)
    finally:
        other.close()

    assert (decision.changed, decision.held) == (0, 1)
    assert refusal.value.returncode == 1
    assert states(dead) == [State.DEAD, State.PENDING]


def test_the_command_sends_dead_ones_again(dead, capsys) -> None:
    assert command(capsys, "requeue_outbox", "--destination", "log", "--dry-run") == {
        "would_be_requeued": 1, "held": 0,
    }  # fmt: skip
    assert states(dead) == [State.DEAD, State.PENDING]

    assert command(capsys, "requeue_outbox", "--destination", "log") == {"requeued": 1, "held": 0}
    assert drained() == {dead: [0, 1]}


def test_a_dry_run_lists_which_they_are_and_what_was_wrong(dead, capsys) -> None:
    event = OutboxEvent.objects.get(case_id=dead, sequence=0)

    call_command("requeue_outbox", "--destination", "log", "--dry-run")

    said = capsys.readouterr()
    assert said.out.splitlines() == [
        f"{event.event_id} CASE_CREATED of {dead} for log after 1 attempts: {event.last_error}"
    ]
    assert event.last_error
    assert said.err.splitlines()[-1] == "1 events would be requeued."
    assert states(dead) == [State.DEAD, State.PENDING]


def test_the_command_finds_one_event_by_its_id(dead, capsys) -> None:
    other = CaseFactory().id
    drain_batch(Recorder(refusing=[other]), size=100)
    event = OutboxEvent.objects.get(case_id=dead, sequence=0).event_id

    assert command(capsys, "requeue_outbox", "--event", str(event))["requeued"] == 1
    assert states(other) == [State.DEAD]


def test_the_command_sends_waiting_ones_again_at_once_when_asked_to(capsys) -> None:
    case_id = CaseFactory().id
    drain_batch(Recorder(failing=[case_id]), size=100)

    assert command(capsys, "requeue_outbox", "--all")["requeued"] == 0
    assert command(capsys, "requeue_outbox", "--all", "--state", "waiting")["requeued"] == 1
    assert drained() == {case_id: [0]}


def test_what_waits_for_a_destination_that_is_gone_can_be_discarded(capsys) -> None:
    CaseFactory(status="SUBMITTED")
    OutboxEvent.objects.update(destination="pigeon")
    gone = ("requeue_outbox", "--destination", "pigeon", "--discard", "--reason", "Retired")

    assert command(capsys, *gone)["discarded"] == 0
    assert command(capsys, *gone, "--state", "pending", "--actor", "ada")["discarded"] == 2
    assert set(OutboxEvent.objects.values_list("discarded_by", flat=True)) == {"ada"}


@pytest.mark.parametrize(
    "arguments",
    [
        pytest.param([], id="which"),
        pytest.param(["--all", "--discard"], id="no-reason"),
        pytest.param(["--all", "--discard", "--reason", " "], id="blank-reason"),
        pytest.param(["--all", "--reason", "x"], id="reason-without-discard"),
        pytest.param(["--all", "--state", "pending"], id="pending-again"),
        pytest.param(["--all", "--discard", "--reason", "x" * 1001], id="long-reason"),
    ],
)
def test_wrong_usage_exits_with_2_and_decides_nothing(dead, arguments) -> None:
    with pytest.raises(CommandError) as refusal:
        call_command("requeue_outbox", *arguments)

    assert refusal.value.returncode == 2
    assert states(dead) == [State.DEAD, State.PENDING]


def dealt_with(case_id: str, *, days: int) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE outbox_events SET processed_at = now() - make_interval(days => %s)"
            " WHERE case_id = %s",
            [days, case_id],
        )


def test_a_purge_forgets_only_what_was_dealt_with_long_ago(dead, capsys) -> None:
    old, young, waiting = CaseFactory().id, CaseFactory().id, CaseFactory().id
    dealt_with(old, days=31)
    dealt_with(young, days=29)
    OutboxEvent.objects.filter(case_id__in=[dead, waiting]).update(
        written_at="2020-01-01T00:00Z", occurred_at="2020-01-01T00:00Z"
    )

    assert command(capsys, "purge_outbox", "--dry-run") == {"would_delete": 1}
    assert command(capsys, "purge_outbox", "--older-than", "30d") == {"deleted": 1}
    assert states(old) == []
    assert [states(each) for each in (young, waiting)] == [[State.DELIVERED], [State.PENDING]]
    assert states(dead) == [State.DEAD, State.PENDING]


def test_a_purge_goes_on_in_batches_and_passes_by_what_others_hold(monkeypatch) -> None:
    monkeypatch.setattr(services, "_PURGE_BATCH", 2)
    ids = [CaseFactory().id for _ in range(5)]
    for case_id in ids:
        dealt_with(case_id, days=3)
    held = OutboxEvent.objects.get(case_id=ids[1])
    other = connection.copy()
    try:
        with other.cursor() as cursor:
            cursor.execute(
                "BEGIN; SELECT FROM outbox_events WHERE id = " + str(held.pk) + " FOR UPDATE"
            )
        batches = list(services.purge(older_than=timedelta(days=1)))
    finally:
        other.close()

    assert batches == [1, 2, 1]
    assert list(OutboxEvent.objects.values_list("case_id", flat=True)) == [ids[1]]
