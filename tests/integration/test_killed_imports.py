"""Imports that are killed: what was committed is whole, and the next run completes the rest."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from audit.models import AuditEvent
from cases.models import Case
from tests.integration.import_runs import assert_gapless, killed_after, run, start

pytestmark = pytest.mark.usefixtures("committed")


@pytest.fixture(autouse=True)
def own_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def test_killed_in_the_middle_the_next_run_completes_and_nothing_is_there_twice() -> None:
    lines = [f"R-{n},Late reporting {n},,NORMAL" for n in range(3_000)]
    path = Path("register.csv").resolve()
    path.write_text("\n".join(["external_reference,title,description,priority", *lines]) + "\n")
    deadline = time.monotonic() + 60
    with killed_after(start("import_cases", path, "--source", "Register", "--submit")):
        while not Case.objects.exists() and time.monotonic() < deadline:
            time.sleep(0.02)
    assert 0 < (found := Case.objects.count()) < 3_000
    assert found % 500 == 0
    assert_gapless()
    done = run("import_cases", path, "--source", "Register", "--json", "--submit")
    assert done.counts == {"created": 3_000 - found, "unchanged": found}
    assert Case.objects.values("external_reference").distinct().count() == 3_000
    assert not Case.objects.exclude(status="SUBMITTED").exists()
    assert_gapless()


def test_killed_in_the_middle_every_case_is_whole_and_the_next_run_completes() -> None:
    began = datetime(2011, 1, 1, tzinfo=UTC)
    lines = [
        f"K-{case},{(began + timedelta(days=step)).isoformat()},{action},otto,{given}"
        for case in range(60)
        for step, (action, given) in enumerate(
            [("create", "Late"), ("submit", ""), ("start_review", ""), *[("note", "Called.")] * 6]
        )
    ]
    path = Path("log.csv").resolve()
    path.write_text("\n".join(["case,at,action,actor,input", *lines]) + "\n", encoding="utf-8")
    deadline = time.monotonic() + 60
    with killed_after(start("import_history", path, "--source", "Archive")):
        while not Case.objects.exists() and time.monotonic() < deadline:
            time.sleep(0.02)
    assert 0 < (found := Case.objects.count()) < 60
    assert set(Case.objects.values_list("version", flat=True)) == {8}
    done = run("import_history", path, "--source", "Archive", "--json")
    assert done.counts == {"cases": 60 - found, "already_loaded": found * 9}
    assert AuditEvent.objects.count() == 60 * 9
    assert_gapless(announced=False)
