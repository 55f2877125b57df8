"""What an outsider does: an export, an anchor, a proof, a key, and one file of Python."""

from __future__ import annotations

import io
import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command

from audit import standalone_verifier
from audit.exports import EventFilter, events_as_jsonl
from audit.signed_note import SigningKey
from cases import services
from cases.models import Case
from tests.cast import ADMIN, SUPERVISOR, WRITER
from tests.factories import CaseFactory
from tests.integration.test_replay import long_story  # noqa: F401 (a fixture)

KEY = SigningKey.generate("office.example/audit")
OTHER_KEY = SigningKey.generate("office.example/audit")

Verify = Callable[..., tuple[int, str]]


@pytest.fixture
def folder(committed: None, long_story: list[Case], settings: Any, tmp_path: Path) -> Path:  # noqa: F811
    """Return a folder with what the office gave out: anchor 1, a proof, then later an export."""
    settings.AUDIT_ANCHOR_KEY = KEY.text
    for title in ("Zweitens: Müller & Söhne", "Third"):
        services.create_case(fields={"title": title}, actor=WRITER)
    case_id = long_story[0].id
    quiet = {"stdout": io.StringIO(), "stderr": io.StringIO()}
    call_command("anchor_audit", output=tmp_path / "anchor.txt", **quiet)
    for case in Case.objects.exclude(status="CLOSED"):
        services.add_note(case_id=case.id, body="After the anchor", actor=SUPERVISOR)
    CaseFactory(status="SUBMITTED")
    call_command("anchor_audit", heads=True, output=tmp_path / "heads.txt", **quiet)
    call_command("anchor_audit", prove=case_id, output=tmp_path / "case.tlog-proof", **quiet)
    with (tmp_path / "export.jsonl").open("wb") as file:
        file.writelines(events_as_jsonl(ADMIN, EventFilter()).start())
    return tmp_path


@pytest.fixture
def verify(folder: Path, capsys: pytest.CaptureFixture[str]) -> Verify:
    """Return what runs the verifier in the folder: its exit code and what it said."""

    def run(*given: str, key: SigningKey = KEY) -> tuple[int, str]:
        names = [str(folder / name) if "." in name else name for name in given]
        capsys.readouterr()
        code = standalone_verifier.main([*names, "--key", str(key.public)])
        return code, capsys.readouterr().out

    return run


def lines_of(folder: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (folder / "export.jsonl").read_text().splitlines()]


def write(folder: Path, lines: list[dict[str, Any]]) -> None:
    (folder / "export.jsonl").write_text("".join(f"{json.dumps(line)}\n" for line in lines))


def test_an_export_an_anchor_and_a_proof_are_found_right(verify: Verify) -> None:
    code, said = verify(
        "export.jsonl", "--anchor", "anchor.txt", "--heads", "heads.txt",
        "--proof", "case.tlog-proof",
    )  # fmt: skip

    assert code == 0, said
    assert "37 events of 4 cases verified against anchor 1" in said
    assert said.endswith("nothing found.\n")


def test_it_runs_as_a_program_on_its_own(folder: Path) -> None:
    command = [sys.executable, "-I", "-S", standalone_verifier.__file__, "export.jsonl"]

    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)

    assert (done.returncode, done.stderr) == (0, "")


def test_without_the_list_of_heads_a_trail_that_went_on_cannot_be_compared(verify) -> None:
    code, said = verify("export.jsonl", "--anchor", "anchor.txt")

    assert code == 1
    assert "covers 3 cases, these are 4" in said


def test_an_export_made_with_the_anchor_needs_no_list_of_heads(folder: Path, verify) -> None:
    call_command("anchor_audit", output=folder / "anchor.txt", stderr=io.StringIO())

    code, said = verify("export.jsonl", "--anchor", "anchor.txt")

    assert code == 0, said


@pytest.mark.parametrize("name", ["anchor.txt", "case.tlog-proof"])
def test_another_key_and_a_changed_statement_are_found(folder: Path, verify, name) -> None:
    option = "--anchor" if name == "anchor.txt" else "--proof"

    code, said = verify("export.jsonl", option, name, key=OTHER_KEY)
    assert code == 1
    assert "has not signed it" in said

    text = (folder / name).read_text()
    (folder / name).write_text(text.replace("events 33", "events 32"))
    code, said = verify("export.jsonl", option, name)
    assert code == 1
    assert "has not signed it" in said


CHANGES: dict[str, Callable[[dict[str, Any]], Any]] = {
    "id": lambda _: "00000000-0000-7000-8000-000000000000",
    "sequence": lambda event: event["sequence"] + 1,
    "actor_id": lambda _: "mallory",
    "event_type": lambda _: "CASE_CLOSED",
    "occurred_at": lambda event: event["occurred_at"].replace("2026", "2025"),
    "recorded_at": lambda event: event["recorded_at"].replace("Z", "0Z"),
    "request_id": lambda _: "another",
    "details": lambda event: {**event["details"], "reason": "Nothing to see"},
    "previous_hash": lambda _: "00" * 32,
    "hash": lambda _: "00" * 32,
}


@pytest.mark.parametrize("name", CHANGES)
def test_whatever_of_a_line_is_changed_is_found(folder: Path, verify, name: str) -> None:
    lines = lines_of(folder)
    lines[17][name] = CHANGES[name](lines[17])
    write(folder, lines)

    code, said = verify("export.jsonl")

    assert code == 1
    assert f"{lines[17]['case_id']}, event" in said


def test_a_line_that_is_missing_double_or_elsewhere_is_found(folder: Path, verify) -> None:
    lines = lines_of(folder)
    for wrong, words in {
        "missing": (lines[:5] + lines[6:], "events 5 to 5 are missing"),
        "first": (lines[1:], "events before number 1 are missing"),
        "double": (lines[:6] + lines[5:], "comes after event 5"),
        "swapped": ([*lines[:5], lines[6], lines[5], *lines[7:]], "are missing before it"),
        "apart": (lines[31:] + lines[:31], "not in the order"),
    }.values():
        write(folder, wrong)

        code, said = verify("export.jsonl")

        assert code == 1
        assert words in said


def test_a_dropped_case_and_a_cut_trail_are_found_against_the_anchor(folder: Path, verify) -> None:
    lines = lines_of(folder)
    last = lines[-3]["case_id"]
    for wrong in ([one for one in lines if one["case_id"] != last], lines[:30] + lines[31:]):
        write(folder, wrong)
        code, said = verify("export.jsonl")
        assert code == 0, said

        code, said = verify("export.jsonl", "--anchor", "anchor.txt", "--heads", "heads.txt")

        assert code == 1
        assert "the anchor covers it, and it is missing" in said


def test_a_chain_written_anew_is_found_against_anchor_and_proof(folder: Path, verify) -> None:
    lines, previous = lines_of(folder), standalone_verifier.GENESIS
    case_id = lines[0]["case_id"]
    for event in lines:
        if event["case_id"] == case_id:
            event["request_id"] = "another"
            content = standalone_verifier.content_hash(event)
            event["previous_hash"] = previous.hex()
            previous = standalone_verifier.hashlib.sha256(previous + content).digest()
            event["hash"] = previous.hex()
    write(folder, lines)

    assert verify("export.jsonl")[0] == 0
    for given, words in {
        ("--anchor", "anchor.txt", "--heads", "heads.txt"): "covers another hash",
        ("--proof", "case.tlog-proof"): "about another hash",
    }.items():
        code, said = verify("export.jsonl", *given)
        assert code == 1
        assert words in said


def test_a_list_of_heads_in_line_with_a_forged_trail_does_not_help(folder: Path, verify) -> None:
    heads = (folder / "heads.txt").read_text().splitlines()
    (folder / "heads.txt").write_text("\n".join(heads[:-1]) + "\n")

    code, said = verify("export.jsonl", "--anchor", "anchor.txt", "--heads", "heads.txt")

    assert code == 1
    assert "covers 3 cases, these are 2" in said


@pytest.mark.parametrize(
    "line", ["", "{", "[]", "null", '{"id": 1}', "NaN", '{"id": 1, "id": 1}', "[" * 5000]
)
def test_a_line_that_is_no_event_is_told_and_the_rest_goes_on(folder: Path, verify, line) -> None:
    text = (folder / "export.jsonl").read_text()
    (folder / "export.jsonl").write_text(f"{line}\n{text}")

    code, said = verify("export.jsonl")

    assert code == 1
    assert "line 1 is no event" in said
    assert "37 events" in said


@pytest.mark.parametrize(
    "given",
    [["nowhere.jsonl"], ["export.jsonl", "--anchor", "nowhere.txt"],
     ["export.jsonl", "--heads", "heads.txt"]],
)  # fmt: skip
def test_a_wrong_call_ends_with_2(folder: Path, given: list[str]) -> None:
    names = [str(folder / name) if "." in name else name for name in given]
    command = [sys.executable, standalone_verifier.__file__, *names, "--key", str(KEY.public)]

    done = subprocess.run(command, capture_output=True, text=True, check=False)

    assert done.returncode == 2
    assert done.stderr
    assert "Traceback" not in done.stderr
