"""manage.py drain_outbox: its options, its exit codes, and how it ends."""

from __future__ import annotations

import contextlib
import json
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import timedelta
from typing import Any
from urllib.request import urlopen

import pytest
from django.core.management import CommandError, call_command
from django.utils.timezone import now

from outbox import destinations
from outbox.checks import check_backlog
from outbox.models import OutboxEvent
from outbox.queue import due
from tests import starts
from tests.destinations import Recorder
from tests.factories import CaseFactory
from tests.starts import PROJECT, Process, in_test

pytestmark = pytest.mark.usefixtures("committed")


@pytest.fixture(autouse=True)
def keep_signal_handlers() -> Iterator[None]:
    """Put back what the command takes over: Ctrl-C must go on ending the tests."""
    numbers = (signal.SIGTERM, signal.SIGINT)
    before = [signal.getsignal(number) for number in numbers]
    yield
    for number, handler in zip(numbers, before, strict=True):
        signal.signal(number, handler)


def lines(capsys: pytest.CaptureFixture[str]) -> list[dict[str, Any]]:
    return [json.loads(line) for line in capsys.readouterr().out.splitlines()]


def test_once_delivers_all_that_is_due_and_ends(capsys) -> None:
    ids = [CaseFactory(status="SUBMITTED").id for _ in range(3)]
    capsys.readouterr()

    call_command("drain_outbox", batch_size=2)

    told = [(m["subject"], m["type"].split(".")[-2]) for m in lines(capsys)]
    assert sorted(told) == sorted((i, t) for i in ids for t in ("created", "submitted"))
    assert due("log") == 0


def test_a_limit_ends_it_earlier(capsys) -> None:
    for _ in range(5):
        CaseFactory()
    capsys.readouterr()

    call_command("drain_outbox", limit=3)

    assert len(lines(capsys)) == 3
    assert due("log") == 2


def test_a_dry_run_says_what_is_due_and_delivers_nothing(capsys) -> None:
    CaseFactory(status="SUBMITTED")
    capsys.readouterr()

    call_command("drain_outbox", "--dry-run", "--json")

    assert lines(capsys) == [{"due": {"log": 2}, "not_configured": {}}]
    assert due("log") == 2


def test_a_dry_run_tells_a_person_how_old_and_how_bad_it_is(capsys) -> None:
    CaseFactory(status="SUBMITTED")
    CaseFactory()
    OutboxEvent.objects.filter(event_type="CASE_SUBMITTED").update(
        written_at=now() - timedelta(seconds=1_500), attempts=3
    )
    OutboxEvent.objects.filter(case_id=CaseFactory().id).update(dead_at=now())
    capsys.readouterr()

    call_command("drain_outbox", "--dry-run")

    due_now, figures = capsys.readouterr().err.splitlines()
    assert due_now == "Due: 3 for log"
    assert re.fullmatch(
        r"log: 3 pending, the oldest for 1,5\d\d s; 1 of them failed before; 1 dead\.", figures
    )


def test_json_says_what_was_done_in_the_last_line(capsys) -> None:
    CaseFactory()
    capsys.readouterr()

    call_command("drain_outbox", "--json")

    assert lines(capsys)[-1] == {"delivered": 1, "failed": 0, "dead": 0, "away": {}}


def test_nothing_due_is_no_trouble(capsys) -> None:
    call_command("drain_outbox", "--json")

    assert lines(capsys) == [{"delivered": 0, "failed": 0, "dead": 0, "away": {}}]


@pytest.mark.parametrize(
    "given",
    [
        pytest.param({"destination": ["pigeon"]}, id="unknown-destination"),
        pytest.param({"batch_size": 0}, id="batches-of-nothing"),
        pytest.param({"limit": 0}, id="limit-of-nothing"),
    ],
)
def test_wrong_usage_exits_with_2_and_delivers_nothing(given) -> None:
    CaseFactory()

    with pytest.raises(CommandError) as refusal:
        call_command("drain_outbox", **given)

    assert refusal.value.returncode == 2
    assert due("log") == 1


def test_failures_exit_with_1_once_everything_else_is_delivered(monkeypatch) -> None:
    """The batch that fails whole must not end the run: other cases are due as well."""
    bad, *good = (CaseFactory().id for _ in range(3))

    class Picky(Recorder):
        def __init__(self) -> None:
            super().__init__(failing=[bad])

    monkeypatch.setattr(destinations, "configured", lambda: {"log": Picky})

    with pytest.raises(CommandError) as refusal:
        call_command("drain_outbox", batch_size=1)

    assert refusal.value.returncode == 1
    delivered = OutboxEvent.objects.filter(processed_at__isnull=False)
    assert sorted(delivered.values_list("case_id", flat=True)) == sorted(good)


def start(*arguments: str) -> Process:
    """Start the real command against the test database."""
    command, pipe = ("manage.py", "drain_outbox", *arguments), subprocess.PIPE
    return starts.start(*command, environment=in_test(), out=pipe, err=pipe)


def test_followed_it_delivers_what_comes_and_ends_on_sigterm() -> None:
    first = CaseFactory().id
    process = start("--follow", "--json")
    try:
        assert process.stdout is not None
        assert json.loads(process.stdout.readline())["subject"] == first
        second = CaseFactory().id
        assert json.loads(process.stdout.readline())["subject"] == second

        process.send_signal(signal.SIGTERM)
        out, err = process.communicate(timeout=15)
    finally:
        process.kill()

    assert process.returncode == 0, err
    assert json.loads(out) == {"delivered": 2, "failed": 0, "dead": 0, "away": {}}
    assert due("log") == 0


def test_killed_outright_it_loses_nothing() -> None:
    for _ in range(30):
        CaseFactory()
    process = start("--follow", "--batch-size", "1")
    assert process.stdout is not None
    process.stdout.readline()
    process.kill()
    process.wait(timeout=15)
    process.communicate()

    deadline = time.monotonic() + 10
    while time.monotonic() < deadline and due("log"):
        call_command("drain_outbox")

    assert OutboxEvent.objects.filter(processed_at__isnull=False).count() == 30


def test_a_log_that_speaks_only_ascii_still_gets_every_message() -> None:
    CaseFactory(title="Überfällige Meldung 逾期")

    done = subprocess.run(  # the interpreter looks at this when it starts
        [sys.executable, "manage.py", "drain_outbox"], capture_output=True, check=False,
        cwd=PROJECT, env=in_test(PYTHONIOENCODING="ascii", PYTHONUTF8="0"),
    )  # fmt: skip

    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["data"]["title"] == "Überfällige Meldung 逾期"


def test_rows_of_a_destination_that_is_gone_stay_and_are_reported(capsys, caplog) -> None:
    CaseFactory(status="SUBMITTED")
    OutboxEvent.objects.update(destination="pigeon")
    capsys.readouterr()

    call_command("drain_outbox", "--dry-run", "--json")
    assert lines(capsys) == [{"due": {"log": 0}, "not_configured": {"pigeon": 2}}]
    call_command("drain_outbox", "--json")

    assert lines(capsys) == [{"delivered": 0, "failed": 0, "dead": 0, "away": {}}]
    assert set(OutboxEvent.objects.values_list("processed_at", "attempts")) == {(None, 0)}
    [warning] = [r.msg for r in caplog.records if "outbox_destination_unknown" in str(r.msg)]
    assert (warning["destination"], warning["pending"], warning["dead"]) == ("pigeon", 2, 0)
    [told] = check_backlog(databases=["default"])
    assert told.id == "outbox.W001"
    assert "2 events wait for 'pigeon'" in told.msg


def test_a_destination_that_is_away_is_told_and_exits_with_1(monkeypatch, capsys) -> None:
    CaseFactory()

    class Away(Recorder):
        def __init__(self) -> None:
            super().__init__()
            self.away = "nobody answers"

    monkeypatch.setattr(destinations, "configured", lambda: {"log": Away})
    capsys.readouterr()

    with pytest.raises(CommandError, match="log could not be reached") as refusal:
        call_command("drain_outbox", "--json")

    assert refusal.value.returncode == 1
    assert lines(capsys) == [
        {"delivered": 0, "failed": 0, "dead": 0, "away": {"log": "nobody answers"}}
    ]
    assert list(OutboxEvent.objects.values_list("attempts", flat=True)) == [0]


@pytest.mark.parametrize(
    "given",
    [
        pytest.param({"metrics_port": 9000}, id="metrics-of-a-command-that-ends"),
        pytest.param({"follow": True, "metrics_port": 70_000}, id="no-port"),
    ],
)
def test_metrics_are_served_by_a_follower_on_a_port(given) -> None:
    with pytest.raises(CommandError) as refusal:
        call_command("drain_outbox", **given)

    assert refusal.value.returncode == 2


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def test_a_follower_serves_its_counters_and_the_backlog() -> None:
    port = free_port()
    CaseFactory()
    process = start("--follow", "--metrics-port", str(port))
    try:
        assert process.stdout is not None
        process.stdout.readline()
        deadline, text = time.monotonic() + 20, ""
        while 'outbox_delivered_total{destination="log"} 1.0' not in text:
            assert time.monotonic() < deadline, text
            with contextlib.suppress(OSError):
                text = urlopen(f"http://127.0.0.1:{port}/metrics").read().decode()
        assert 'outbox_pending{destination="log"} 0.0' in text
        assert 'outbox_dead{destination="log"} 0.0' in text
    finally:
        process.terminate()
        process.communicate(timeout=20)
    assert process.returncode == 0


def test_the_second_signal_ends_it_at_once_and_nothing_is_lost() -> None:
    """The output is a pipe that nobody empties: the batch in hand cannot be finished."""
    case = CaseFactory()
    text = "x" * 300_000
    OutboxEvent.objects.update(payload={"type": "t", "subject": case.id, "data": text})
    process = start("--follow")
    try:
        assert process.stdout is not None
        process.stdout.read(1)  # it is in the middle of the line
        process.send_signal(signal.SIGTERM)
        with pytest.raises(subprocess.TimeoutExpired):
            process.wait(timeout=1.5)
        process.send_signal(signal.SIGTERM)
        assert process.wait(timeout=10) == 128 + signal.SIGTERM
    finally:
        process.kill()
        process.communicate()
    assert due("log") == 1
