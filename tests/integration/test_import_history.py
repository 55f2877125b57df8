"""`import_history`: a past is played with its own times and actors, under our lifecycle."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest
from django.utils.timezone import now

from audit.models import AuditEvent
from cases.models import Case, Note
from outbox.models import OutboxEvent
from tests.factories import UserFactory
from tests.integration.import_runs import Run, assert_gapless, run

pytestmark = pytest.mark.django_db

HEADER = "case,at,action,actor,input"
# One officer does it all, which our role rules and four eyes would not allow.
ONE_CASE = (
    'A-1,2011-03-01T09:00:00Z,create,otto,"{""title"": ""Late"", ""priority"": ""HIGH""}"',
    "A-1,2011-03-01T10:00:00Z,submit,otto,",
    "A-1,2011-03-02T09:00:00Z,start_review,otto,",
    "A-1,2011-03-03T09:00:00Z,note,petra,Called the firm.",
    "A-1,2011-03-04T09:00:00Z,close,otto,Resolved",
)


@pytest.fixture(autouse=True)
def own_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def play(*lines: str, args: tuple[str, ...] = (), header: str = HEADER) -> Run:
    Path("log.csv").write_text("\n".join([header, *lines]) + "\n", encoding="utf-8")
    given = ("--source", "Archive", "--imported-by", "ingrid", "--json", *args)
    return run("import_history", "log.csv", *given)


def begun(*lines: str) -> Run:
    """Play lines (at 2011-03-02 and later) on a case that is under review."""
    return play(*ONE_CASE[:3], *lines)


def test_every_line_becomes_an_event_with_its_own_time_and_actor() -> None:
    before = now()
    done = play(*ONE_CASE)
    assert (done.exit, done.counts) == (0, {"cases": 1})
    assert done.report["applied"] == {
        "add_note": 1, "close": 1, "create": 1, "start_review": 1, "submit": 1
    }  # fmt: skip
    events = AuditEvent.objects.order_by("sequence")
    assert [(e.event_type, e.actor_id, e.occurred_at) for e in events] == [
        ("CASE_CREATED", "otto", datetime(2011, 3, 1, 9, tzinfo=UTC)),
        ("CASE_SUBMITTED", "otto", datetime(2011, 3, 1, 10, tzinfo=UTC)),
        ("CASE_REVIEW_STARTED", "otto", datetime(2011, 3, 2, 9, tzinfo=UTC)),
        ("CASE_NOTE_ADDED", "petra", datetime(2011, 3, 3, 9, tzinfo=UTC)),
        ("CASE_CLOSED", "otto", datetime(2011, 3, 4, 9, tzinfo=UTC)),
    ]
    assert all(before <= e.recorded_at <= now() for e in events)
    assert {e.details["imported_by"] for e in events} == {"ingrid"}
    assert_gapless(announced=False)


def test_the_case_is_as_the_past_left_it() -> None:
    play(*ONE_CASE)
    case = Case.objects.get()
    assert (case.title, case.priority, case.status) == ("Late", "HIGH", "CLOSED")
    assert (case.source, case.external_reference) == ("Archive", "A-1")
    assert (case.created_by, case.assigned_reviewer_id) == ("otto", "otto")
    assert case.created_at == case.received_at == datetime(2011, 3, 1, 9, tzinfo=UTC)
    assert case.closed_at == case.updated_at == datetime(2011, 3, 4, 9, tzinfo=UTC)
    assert (Note.objects.get().author, Note.objects.get().body) == ("petra", "Called the firm.")


def test_destinations_are_told_only_when_asked_for() -> None:
    play(*ONE_CASE, args=("--announce",))
    assert OutboxEvent.objects.count() == 5
    assert_gapless()


def test_a_second_run_leaves_alone_what_is_there() -> None:
    play(*ONE_CASE)
    again = play(*ONE_CASE, "B-1,2012-01-01T00:00:00Z,create,otto,Another")
    assert (again.exit, again.counts) == (0, {"cases": 1, "already_loaded": 5})
    assert AuditEvent.objects.count() == 6


def test_lines_of_several_cases_may_be_mixed() -> None:
    other = [line.replace("A-1", "B-1") for line in ONE_CASE]
    mixed = [line for pair in zip(ONE_CASE, other, strict=True) for line in pair]
    assert play(*mixed).counts == {"cases": 2}
    assert_gapless(announced=False)


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("A-1,2011-03-02T10:00:00Z,submit,otto,", "Possible are"),
        ("A-1,2011-03-02T10:00:00Z,return_to_review,otto,", "There is no action"),
        ("A-1,2011-03-02T10:00:00Z,return_to_review,otto,", "possible are assign, escalate, close"),
        ("A-1,2011-03-02T10:00:00Z,resume,otto,Go on", "Possible are"),
        ("A-1,2011-03-02T10:00:00Z,close,otto,", "reason: This field may not be blank."),
        ("A-1,2011-03-02T10:00:00Z,close,otto,  ", "reason: This field may not be blank."),
        ("A-1,2011-03-02T10:00:00Z,note,otto,", "body: This field may not be blank."),
        ("A-1,2011-03-02T10:00:00Z,create,otto,Again", "The case was created before"),
        ("A-1,2011-03-01T10:00:00Z,escalate,otto,Why", "before the case's last event"),
        ("A-1,2011-03-02T10:00:00Z,escalate,,Why", "actor: This field may not be blank."),
        ("A-1,yesterday,escalate,otto,Why", "at: Not a time"),
        ("A-1,,escalate,otto,Why", "at: Not a time"),
        ("A-1,2199-01-01T10:00:00Z,escalate,otto,Why", "at: It lies in the future"),
        ('A-1,2011-03-02T10:00:00Z,escalate,otto,"{""reason"": ""x"", ""status"": ""CLOSED""}"',
         "input: The action escalate takes no status."),
        ("A-1,0001-01-01T00:00:00+14:00,escalate,otto,Why", "at: The year"),
        ("A-1,2011-03-02T10:00:00Z,mark_overdue,system,", "mark_overdue is not possible"),
        ('A-1,2011-03-02T10:00:00Z,escalate,otto,"{""reason"": 7}"', "reason: Not a text."),
        ('A-1,2011-03-02T10:00:00Z,escalate,otto,"{""reason"":"', "input: Not JSON"),
        ('A-1,2011-03-02T10:00:00Z,set_due_date,otto,"{""due_at"": ""soon"", ""reason"": ""x""}"',
         "due_at: Not a time"),
        ("A-1,2011-03-02T10:00:00Z,grant_access,otto,nobody", "no active user of this name"),
        (",2011-03-02T10:00:00Z,escalate,otto,Why", "The line names no case."),
        ("A-1,2011-03-02T10:00:00Z,escalate,otto", "The row has 4 cells, the header 5."),
    ],
)  # fmt: skip
def test_what_the_rules_refuse_is_reported_by_line_and_the_rest_is_played(
    line: str, reason: str
) -> None:
    done = begun(line, ONE_CASE[3], ONE_CASE[4])
    assert (done.exit, done.counts) == (1, {"cases": 1, "refused": 1})
    assert list(done.reasons()) == [5]
    assert reason in done.reasons()[5]
    assert (Case.objects.get().status, Case.objects.get().version) == ("CLOSED", 4)
    assert_gapless(announced=False)


def test_after_the_closing_nothing_goes_on() -> None:
    done = play(*ONE_CASE, "A-1,2012-01-01T00:00:00Z,note,otto,One more thing")
    assert list(done.reasons()) == [7]
    assert "CLOSED" in done.reasons()[7]
    assert Note.objects.count() == 1


def test_a_case_that_is_never_created_is_refused_line_by_line() -> None:
    done = play(*ONE_CASE[1:])
    assert done.counts == {"refused": 4}
    assert set(done.reasons().values()) == {
        "action: The log has to create the case first, and it has not."
    }
    assert not Case.objects.exists()


def test_every_action_of_the_lifecycle_can_be_part_of_a_past() -> None:
    UserFactory(username="grace")
    access = '"{""user"": ""grace"", ""permission"": ""view_case""}"'
    due = '"{""due_at"": ""2011-03-10T17:00:00Z"", ""reason"": ""Hearing""}"'
    done = play(
        "A-1,2011-03-01T09:00:00Z,create,otto,Late",
        'A-1,2011-03-01T09:01:00Z,update,otto,"{""subject"": ""Firm""}"',
        "A-1,2011-03-01T09:02:00Z,submit,otto,",
        "A-1,2011-03-01T09:03:00Z,assign,sue,rob",
        "A-1,2011-03-01T09:04:00Z,start-review,rob,rosa",
        f"A-1,2011-03-01T09:05:00Z,set_due_date,sue,{due}",
        "A-1,2011-03-01T09:06:00Z,pause,rob,Waiting",
        "A-1,2011-03-03T09:00:00Z,resume,rob,They answered",
        "A-1,2011-03-03T09:01:00Z,restrict,sue,Witness",
        f"A-1,2011-03-03T09:02:00Z,grant_access,sue,{access}",
        f"A-1,2011-03-03T09:03:00Z,revoke_access,sue,{access}",
        "A-1,2011-03-03T09:04:00Z,unrestrict,sue,Published",
        "A-1,2011-03-15T00:00:00Z,mark_overdue,system,",
        "A-1,2011-03-16T00:00:00Z,escalate,rob,Beyond us",
        "A-1,2011-03-17T00:00:00Z,close,rob,Decided",
    )
    assert (done.exit, done.report["refused"]) == (0, 0)
    case = Case.objects.get()
    assert (case.subject, case.assigned_reviewer_id, case.version) == ("Firm", "rosa", 14)
    # Two working days of pause moved it.
    assert case.due_at == datetime(2011, 3, 14, 17, tzinfo=UTC)
    assert_gapless(announced=False)


def test_a_grant_that_was_refused_leaves_nothing_behind() -> None:
    done = begun("A-1,2011-03-02T10:00:00Z,grant_access,sue,grace", *ONE_CASE[3:])
    assert done.counts == {"cases": 1, "refused": 1}
    assert_gapless(announced=False)


def test_dry_run_plays_it_all_and_writes_nothing() -> None:
    done = play(*ONE_CASE, args=("--dry-run",))
    assert (done.exit, done.report["dry_run"], done.report["cases"]) == (0, True, 1)
    assert not Case.objects.exists()
    assert not AuditEvent.objects.exists()


def test_names_of_actions_and_columns_are_mapped() -> None:
    done = play(
        "A-1,2011-03-01T09:00,opened,otto,Late",
        "A-1,2011-07-01T09:00,remark,otto,Called",
        header="file,when,what,who,text",
        args=(
            "--map", "case=file", "--map", "at=when", "--map", "action=what", "--map", "actor=who",
            "--map", "input=text", "--action", "create=opened", "--action", "add_note=remark",
            "--time-zone", "Europe/Berlin",
        ),
    )  # fmt: skip
    assert done.report["applied"] == {"add_note": 1, "create": 1}
    times = AuditEvent.objects.order_by("sequence").values_list("occurred_at", flat=True)
    assert [at.hour for at in times] == [8, 7]


def test_json_lines_hold_their_input_nested() -> None:
    lines = [
        {"case": 1, "at": "2011-03-01T09:00:00Z", "action": "create", "actor": "otto",
         "input": {"title": "Late", "subject": "Firm"}},
        {"case": 1, "at": "2011-03-01T10:00:00Z", "action": "note", "actor": "otto",
         "input": "Called"},
    ]  # fmt: skip
    Path("log.jsonl").write_text("\n".join(map(json.dumps, lines)))
    done = run("import_history", "log.jsonl", "--json")
    assert (done.exit, done.report["applied"]) == (0, {"add_note": 1, "create": 1})
    assert (Case.objects.get().subject, Case.objects.get().external_reference) == ("Firm", "1")


@pytest.mark.parametrize(
    ("header", "args", "sentence"),
    [
        ("case,at,actor,input", (), "The log has no column 'action'"),
        (HEADER, ("--map", "body=remark"), "The log has no column 'remark'"),
        (HEADER, ("--action", "reopen=again"), "'reopen' is none of"),
        (HEADER, ("--imported-by", "x" * 151), "--imported-by: At most 150"),
        (HEADER, ("--time-zone", "Mars"), "'Mars' is no time zone"),
        (HEADER, ("--rejects", "nowhere/rejects.jsonl"), "nowhere/rejects.jsonl cannot be written"),
    ],
)
def test_wrong_usage_ends_with_exit_2_and_a_sentence(
    header: str, args: tuple[str, ...], sentence: str
) -> None:
    done = play(header=header, args=args)
    assert done.exit == 2
    assert sentence in done.error


def test_nul_in_a_key_is_refused_and_the_rest_is_played() -> None:
    done = play("A\0-1,2011-03-01T09:00:00Z,create,otto,Late", *ONE_CASE)
    assert done.counts == {"cases": 1, "refused": 1}
    assert "NUL" in done.reasons()[2]
