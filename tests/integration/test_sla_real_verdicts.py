"""Our verdicts beside those of a city that published its own: Boston's OnTime_Status."""

from __future__ import annotations

import csv
import json
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from zoneinfo import ZoneInfo

import pytest

from cases import reports
from cases.lifecycle import CaseStatus, closed_in_time
from cases.models import Case
from tests.cast import AUDITOR
from tests.integration.import_runs import real_file, run

pytestmark = pytest.mark.django_db

BOSTON = ZoneInfo("America/New_York")
AFTER = datetime(2026, 11, 1, tzinfo=UTC)


def local(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=BOSTON)


def judged() -> list[dict[str, str]]:
    """Return the requests that had a target and were closed."""
    with real_file("boston311_20pct.csv").open(encoding="utf-8-sig", newline="") as file:
        return [
            row for row in csv.DictReader(file)
            if row["TARGET_DT"].strip() and row["CLOSED_DT"].strip()
        ]  # fmt: skip


def test_every_verdict_is_that_of_the_city() -> None:
    rows = judged()
    assert len(rows) == 896

    for row in rows:
        closed = local(row["CLOSED_DT"])
        case = SimpleNamespace(
            status=CaseStatus.CLOSED,
            due_at=local(row["TARGET_DT"]),
            closed_at=closed,
            paused_at=None,
        )
        verdict = "ONTIME" if closed_in_time(case) else "OVERDUE"
        assert verdict == row["OnTime_Status"], row["CASE_ENQUIRY_ID"]


def test_a_loaded_past_is_reported_as_the_city_reports_it(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.chdir(tmp_path)
    late = [row for row in judged() if row["OnTime_Status"] == "OVERDUE"]
    in_time = [row for row in judged() if row["OnTime_Status"] == "ONTIME"][:40]
    log = tmp_path / "boston.jsonl"
    with log.open("w") as file:
        for row in late + in_time:
            opened, closed = row["OPEN_DT"], row["CLOSED_DT"]
            due_at = local(row["TARGET_DT"]).isoformat()
            given = json.dumps({"title": row["CASE_TITLE"], "due_at": due_at})
            for action, at, told in (
                ("create", opened, given),
                ("submit", opened, ""),
                ("start_review", opened, "crew-1"),
                ("close", closed, "Done"),
            ):
                line = {
                    "case": row["CASE_ENQUIRY_ID"], "at": local(at).isoformat(),
                    "action": action, "actor": "crew-1", "input": told,
                }  # fmt: skip
                file.write(json.dumps(line) + "\n")

    done = run("import_history", log, "--source", "Boston", "--json")
    weeks = reports.sla_kept(AUDITOR, at=AFTER, weeks=640)

    assert done.exit == 0, done
    verdicts = {case.external_reference: closed_in_time(case) for case in Case.objects.iterator()}
    assert verdicts == {
        row["CASE_ENQUIRY_ID"]: row["OnTime_Status"] == "ONTIME" for row in late + in_time
    }
    assert sum(week.total.missed for week in weeks) == len(late) == 98
    assert sum(week.total.kept for week in weeks) == len(in_time)
