"""manage.py check_slas: what it marks, beside whom, and how it ends."""

from __future__ import annotations

import json
import signal
import subprocess
import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext
from django.utils.timezone import now

from audit.models import AuditEvent
from cases import selectors, services
from cases.errors import PermissionDenied
from cases.filters import CaseFilter
from cases.models import Case
from outbox.models import OutboxEvent
from tests import starts
from tests.cast import AUDITOR, REVIEWER, SUPERVISOR, SYSTEM, WRITER
from tests.factories import CaseFactory
from tests.starts import in_test

pytestmark = pytest.mark.usefixtures("committed")

PROJECT = Path(__file__).parents[2]
PAST = datetime(2026, 1, 5, 12, tzinfo=UTC)


@pytest.fixture(autouse=True)
def keep_signal_handlers() -> Iterator[None]:
    """Put back what the command takes over: Ctrl-C must go on ending the tests."""
    numbers = (signal.SIGTERM, signal.SIGINT)
    before = [signal.getsignal(number) for number in numbers]
    yield
    for number, handler in zip(numbers, before, strict=True):
        signal.signal(number, handler)


def check(capsys: pytest.CaptureFixture[str], *options: str) -> int:
    """Run the command and return how many cases it marked."""
    capsys.readouterr()
    call_command("check_slas", "--json", *options)
    return int(json.loads(capsys.readouterr().out)["marked"])


def overdue(count: int, **fields: Any) -> list[Case]:
    rows = [
        {"title": f"Late {n}", "due_at": PAST + timedelta(minutes=n), **fields}
        for n in range(count)
    ]
    return services.create_cases(rows=rows, actor=WRITER)


def marked() -> set[str]:
    return set(Case.objects.exclude(overdue_at=None).values_list("id", flat=True))


def test_it_marks_every_case_whose_due_date_has_passed_and_no_other(capsys) -> None:
    late = [
        CaseFactory(status=status, due_at=PAST) for status in ("DRAFT", "SUBMITTED", "ESCALATED")
    ]
    late.append(CaseFactory(status="UNDER_REVIEW", due_at=PAST, restricted=True))
    for status in ("SUBMITTED", "CLOSED"):
        CaseFactory(status=status, due_at=now() + timedelta(hours=1))
    CaseFactory(status="CLOSED", due_at=PAST)
    CaseFactory(status="UNDER_REVIEW", due_at=PAST, paused=True)
    CaseFactory()

    assert check(capsys) == 4
    assert marked() == {case.id for case in late}
    shown = selectors.visible_cases(AUDITOR, CaseFilter(overdue=True))
    assert {case.id for case in shown} == marked()


def test_each_mark_is_an_event_of_the_system_with_its_row_in_trail_and_outbox(capsys) -> None:
    [case] = overdue(1)

    check(capsys)

    case = Case.objects.get(pk=case.id)
    event = AuditEvent.objects.get(case_id=case.id, event_type="CASE_OVERDUE")
    assert (event.actor_id, event.sequence, case.version) == ("system", 1, 1)
    assert event.details == {"due_at": "2026-01-05T12:00:00.000000Z"}
    assert event.occurred_at == case.overdue_at == case.updated_at
    assert event.request_id.startswith("check_slas:")
    assert OutboxEvent.objects.filter(event_id=event.id, destination="log").count() == 1


def test_a_due_date_is_marked_once_and_another_one_again(capsys) -> None:
    case = CaseFactory(status="UNDER_REVIEW", due_at=PAST)
    again = {"case_id": case.id, "actor": SUPERVISOR, "reason": "Once more"}

    first, second = check(capsys), check(capsys)
    services.set_due_date(due_at=PAST + timedelta(days=1), **again)
    third, fourth = check(capsys), check(capsys)

    assert (first, second, third, fourth) == (1, 0, 1, 0)
    assert AuditEvent.objects.filter(event_type="CASE_OVERDUE").count() == 2


def test_a_clock_that_runs_again_after_the_due_date_is_marked_then(capsys) -> None:
    case = CaseFactory(status="UNDER_REVIEW", due_at=PAST, paused=True)

    before = check(capsys)
    services.resume_clock(case_id=case.id, actor=SUPERVISOR, reason="Answered")

    assert (before, check(capsys)) == (0, 1)


def test_batches_and_limits_take_the_longest_overdue_first(capsys) -> None:
    cases = overdue(7)

    assert check(capsys, "--batch-size", "2", "--limit", "5") == 5
    assert marked() == {case.id for case in cases[:5]}
    assert check(capsys, "--batch-size", "2") == 2


def test_a_batch_costs_4_statements_whatever_its_size() -> None:
    def cost(size: int) -> int:
        overdue(size)
        with CaptureQueriesContext(connection) as captured:
            assert services.mark_overdue_cases(size=size).number == size
        frame = ("BEGIN", "COMMIT", "NOTIFY")  # the notice to drainers is sent now and then
        return len([q for q in captured if not q["sql"].startswith(frame)])

    assert cost(2) == cost(300) == 4


def test_only_who_may_marks() -> None:
    overdue(1)

    with pytest.raises(PermissionDenied):
        services.mark_overdue_cases(size=1, actor=SUPERVISOR)

    assert marked() == set()
    assert services.SYSTEM.permissions == SYSTEM.permissions


def test_a_dry_run_counts_and_marks_nothing(capsys) -> None:
    overdue(3)
    capsys.readouterr()

    call_command("check_slas", "--dry-run", "--json")
    call_command("check_slas", "--dry-run", "--limit", "2")

    assert capsys.readouterr().out.splitlines() == [
        '{"would_mark": 3}',
        "2 cases would be marked overdue.",
    ]
    assert marked() == set()


def test_two_runs_at_once_mark_each_case_once(at_once) -> None:
    cases = overdue(400)

    def run() -> int:
        number, place = 0, None
        while (done := services.mark_overdue_cases(size=20, after=place)).number:
            number, place = number + done.number, done.place
        return number

    numbers = at_once(run, run, run)

    assert sum(numbers) == 400
    assert len(marked()) == AuditEvent.objects.filter(event_type="CASE_OVERDUE").count() == 400
    assert {case.version for case in Case.objects.filter(pk__in=[c.id for c in cases])} == {1}


def test_a_case_that_somebody_works_on_is_passed_by_and_nobody_waits(at_once) -> None:
    first, second = overdue(2)
    locked, done = threading.Event(), threading.Event()

    def person() -> None:
        with transaction.atomic():
            selectors.get_case(first.id, WRITER, for_update=True)
            locked.set()
            assert done.wait(20)

    def run() -> set[str]:
        assert locked.wait(20)
        number = services.mark_overdue_cases(size=10).number
        found = marked()
        done.set()
        assert number == 1
        return found

    assert at_once(person, run)[1] == {second.id}
    assert services.mark_overdue_cases(size=10).number == 1


def test_a_case_that_was_closed_while_the_batch_looked_is_not_marked(at_once) -> None:
    """Loop two rivals: whatever comes first, a closed case bears no mark that came after."""
    ids = [CaseFactory(status="UNDER_REVIEW", due_at=PAST).id for _ in range(8)]

    def close() -> None:
        for case_id in ids:
            services.close_case(case_id=case_id, reason="Resolved", actor=REVIEWER)

    def run() -> None:
        while services.mark_overdue_cases(size=1).number:
            pass

    assert at_once(close, run) == [None, None]
    for case in Case.objects.filter(pk__in=ids):
        trail = list(
            AuditEvent.objects.filter(case_id=case.id)
            .order_by("sequence")
            .values_list("event_type", "sequence")
        )
        assert [number for _, number in trail] == list(range(case.version + 1))
        assert trail[-1][0] == "CASE_CLOSED"


@pytest.mark.parametrize("option", ["--batch-size", "--limit"])
def test_wrong_numbers_are_usage(option) -> None:
    with pytest.raises(CommandError) as refused:
        call_command("check_slas", option, "0")

    assert refused.value.returncode == 2


def test_without_a_database_it_says_so_and_asks_to_come_back() -> None:
    closed_port = in_test("postgresql://nobody@127.0.0.1:9/nowhere")
    done = starts.run("manage.py", "check_slas", environment=closed_port)

    assert done.returncode == 75
    assert "The database does not answer" in done.stderr
    assert "Traceback" not in done.stderr


def test_sigterm_finishes_the_batch_in_hand() -> None:
    overdue(3_000)
    command = ("manage.py", "check_slas", "--batch-size", "10", "--json")
    process = starts.start(*command, environment=in_test(), out=subprocess.PIPE)
    until = time.monotonic() + 30
    while not marked() and time.monotonic() < until:
        time.sleep(0.02)
    process.send_signal(signal.SIGTERM)
    out, _ = process.communicate(timeout=30)

    told = json.loads(out.splitlines()[-1])["marked"]
    assert process.returncode == 0
    assert 0 < told < 3_000
    assert told == len(marked()) == AuditEvent.objects.filter(event_type="CASE_OVERDUE").count()
    assert told % 10 == 0
