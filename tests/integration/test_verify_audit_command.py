"""verify_audit as an operator runs it: what it says, how it ends, one process or two."""

from __future__ import annotations

import io
import json
import multiprocessing
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psycopg
import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django.utils.timezone import now

from audit.management.commands.verify_audit import connection_parameters
from audit.signed_note import SigningKey
from audit.verify import run
from cases import services
from cases.models import Case
from tests.cast import WRITER
from tests.factories import CaseFactory
from tests.integration.guards import guards_off

REFUSED = "connection refused"
KEY = SigningKey.generate("office.example/audit")

Verify = Callable[..., tuple[int, str]]


@pytest.fixture
def verify(committed: None, settings: Any, monkeypatch: pytest.MonkeyPatch) -> Verify:
    """Return what runs the command: exit code and standard output."""
    settings.AUDIT_ANCHOR_KEY = KEY.text
    # The command ends cleanly on SIGTERM; the test session keeps its own ways.
    monkeypatch.setattr("signal.signal", lambda *_: None)

    def command(**options: Any) -> tuple[int, str]:
        out = io.StringIO()
        try:
            call_command("verify_audit", stdout=out, **options)
        except CommandError as error:
            return error.returncode, f"{out.getvalue()}{error}"
        return 0, out.getvalue()

    return command


def tampered(case: Case, change: str = "actor_id = 'mallory'") -> None:
    """Change the first event of a case past all guards, and commit."""
    with guards_off("audit_events") as cursor:
        cursor.execute(
            f"UPDATE audit_events SET {change} WHERE case_id = %s AND sequence = 0", [case.id]
        )


def test_an_empty_service_has_nothing_wrong(verify: Verify) -> None:
    code, said = verify()

    assert code == 0
    assert said.startswith("0 cases, 0 events, 0 notes and 0 grants verified in ")


@pytest.mark.parametrize("processes", [1, 2])
def test_everything_is_counted_and_found_right(verify, monkeypatch, processes) -> None:
    monkeypatch.setattr(run, "_LARGE", 0)
    monkeypatch.setattr(run, "PER_RANGE", 3)
    for status in ("DRAFT", "CLOSED", "ESCALATED", "SUBMITTED"):
        CaseFactory(status=status)
    services.add_note(case_id=CaseFactory().id, body="Called", actor=WRITER)

    code, said = verify(json=True, processes=processes)

    outcome = json.loads(said)
    assert code == 0
    assert {name: outcome[name] for name in ("ok", "cases", "events", "notes", "grants")} == {
        "ok": True, "cases": 5, "events": 13, "notes": 1, "grants": 0,
    }  # fmt: skip
    assert outcome["findings"] == []


@pytest.mark.parametrize("processes", [1, 2])
def test_a_changed_event_is_told_by_case_and_number(verify, monkeypatch, processes) -> None:
    monkeypatch.setattr(run, "_LARGE", 0)
    monkeypatch.setattr(run, "PER_RANGE", 3)
    cases = [CaseFactory(status="SUBMITTED") for _ in range(6)]
    tampered(cases[3])

    code, said = verify(processes=processes)

    assert code == 1
    where = f"{cases[3].id}, event 0: content_hash is not the hash of its content"
    assert where in said
    assert f"{cases[3].id}: created_by is 'wanda', but by its trail it must be 'mallory'" in said
    assert all(case.id not in said for case in cases if case is not cases[3])


def test_the_ranges_cover_every_case_once_whatever_the_sample_says(verify, monkeypatch) -> None:
    monkeypatch.setattr(run, "PER_RANGE", 2)
    cases = [CaseFactory(status="SUBMITTED").id for _ in range(9)]

    with run.snapshot(connection_parameters()) as read_only:
        parts, events = run.ranges(read_only, run.Scope())

    assert events == 18
    assert len(parts) > 1
    assert parts[0].first == ""
    assert parts[-1].end is None
    assert [part.end for part in parts[:-1]] == [part.first for part in parts[1:]]
    for case_id in [*cases, "A", "Z"]:
        held = [p for p in parts if p.first <= case_id and (p.end is None or case_id < p.end)]
        assert len(held) == 1


def test_one_case_is_verified_alone(verify: Verify) -> None:
    good, bad = CaseFactory(), CaseFactory()
    tampered(bad)

    assert verify(case=good.id)[0] == 0
    assert verify(case=bad.id)[0] == 1


def test_a_case_that_nothing_knows_of_is_a_wrong_call(verify: Verify) -> None:
    code, said = verify(case="CASE-404404")

    assert code == 2
    assert "Nothing is known of a case 'CASE-404404'" in said


def test_since_a_moment_only_cases_that_changed_are_verified(verify: Verify) -> None:
    old, changed = CaseFactory(), CaseFactory()
    tampered(old)
    moment = now().isoformat()
    services.submit_case(case_id=changed.id, actor=WRITER)

    code, said = verify(since=moment, json=True)

    assert code == 0
    assert json.loads(said)["events"] == 2  # the whole trail of that case
    assert verify()[0] == 1


@pytest.mark.parametrize("since", ["yesterday", "2026-13-01T00:00:00Z", "2026-01-01T00:00:00"])
def test_a_moment_that_is_none_is_a_wrong_call(verify: Verify, since: str) -> None:
    code, said = verify(since=since)

    assert code == 2
    assert said.startswith("--since: ")


def test_an_anchor_is_compared_and_named(verify: Verify, tmp_path: Path) -> None:
    case, path = CaseFactory(status="SUBMITTED"), tmp_path / "anchor.txt"
    call_command("anchor_audit", output=path, stderr=io.StringIO())
    CaseFactory()

    code, said = verify(anchor=[path], key=str(KEY.public))

    assert code == 0
    assert ", anchor 1 of 20" in said
    with guards_off("audit_events") as cursor:
        cursor.execute("UPDATE audit_events SET hash = %s", [bytes(32)])
    code, said = verify(anchor=[path])
    assert code == 1
    assert f"{case.id}, event 1: anchor 1 covers another hash: it was rewritten" in said


def test_an_anchor_of_another_key_is_a_finding(verify: Verify, tmp_path: Path) -> None:
    path = tmp_path / "anchor.txt"
    call_command("anchor_audit", output=path, stderr=io.StringIO())
    other = SigningKey.generate("office.example/audit").public

    code, said = verify(anchor=[path], key=str(other))

    assert code == 1
    assert "has not signed this" in said


@pytest.mark.parametrize(
    "key",
    ["nonsense", KEY.text, "", "/nowhere/key"],
    ids=["nonsense", "private", "empty", "path"],
)
def test_a_key_that_is_none_is_a_wrong_call_and_not_repeated(verify, tmp_path, key) -> None:
    path = tmp_path / "anchor.txt"
    path.write_text("x")

    code, said = verify(anchor=[path], key=key)

    assert code == 2
    assert KEY.text not in said


def test_an_anchor_without_any_key_or_file_is_a_wrong_call(verify, settings, tmp_path) -> None:
    assert verify(anchor=[tmp_path / "nowhere"])[0] == 2
    settings.AUDIT_ANCHOR_KEY = ""
    code, said = verify(anchor=[tmp_path / "nowhere"])
    assert code == 2
    assert "--key is missing" in said


def test_a_database_that_is_away_ends_with_75(verify: Verify, monkeypatch) -> None:
    def away(*_: object) -> None:
        raise psycopg.OperationalError(REFUSED)

    monkeypatch.setattr(run, "snapshot", away)

    code, said = verify()

    assert code == 75
    assert REFUSED in said


def test_a_table_that_cannot_be_read_is_no_finding(verify: Verify) -> None:
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE case_notes RENAME TO case_notes_away")
        try:
            code, said = verify()
        finally:
            cursor.execute("ALTER TABLE case_notes_away RENAME TO case_notes")

    assert code == 75
    assert said.startswith('The database cannot be read: relation "case_notes" does not exist')


def test_a_killed_process_is_no_proof(verify: Verify, monkeypatch) -> None:
    monkeypatch.setattr(run, "_LARGE", 0)
    monkeypatch.setattr(run, "PER_RANGE", 2)
    for _ in range(4):
        CaseFactory(status="SUBMITTED")
    carried_out = run._side_by_side

    def killed(pool: Any, parts: list[run.Range], scope: run.Scope) -> Any:
        yield next(carried_out(pool, parts, scope))
        for child in multiprocessing.active_children():
            child.kill()
        yield pool.submit(run._check_here, parts[0], scope).result()

    monkeypatch.setattr(run, "_side_by_side", killed)

    code, said = verify(processes=2)

    assert code == 75
    assert said.startswith("A process that verified was killed")
    assert "nothing found" not in said


def test_a_broken_trail_does_not_fill_the_memory_with_findings(verify, monkeypatch) -> None:
    monkeypatch.setattr(run, "MOST_FINDINGS", 3)
    for _ in range(4):
        tampered(CaseFactory())

    code, said = verify(json=True)

    outcome, _ = json.JSONDecoder().raw_decode(said)
    assert code == 1
    assert len(outcome["findings"]) == 3
    assert outcome["further_findings"] == 9
