"""The real permit log replayed: its own totals, times and actors, and nothing of it announced."""

from __future__ import annotations

import csv
import json
from collections import Counter
from datetime import datetime
from pathlib import Path

import pytest

from audit.models import AuditEvent
from cases.models import Case
from tests.integration.import_runs import assert_gapless, real_file, run

pytestmark = pytest.mark.django_db

MAPPING = [
    part
    for pair in (
        "case=case_id", "action=command", "title=case_id", "source=text:channel",
        "due_at=text:deadline", "reason=text", "body=text",
    )
    for part in ("--map", pair)
]  # fmt: skip
# Ours, and what the log calls it.
COUNTED = {"add_note": "note"}


def test_the_replay_ends_in_the_expected_totals(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    path = real_file("receipt_20pct_commands.csv")
    expected = json.loads(real_file("receipt_20pct_expected.json").read_text())
    done = run("import_history", path, "--source", "CoSeLoG", "--json", *MAPPING)

    wanted = Counter(expected["by_command"])
    refused = wanted.pop("refused_after_close") + wanted.pop("return_to_review")
    assert {COUNTED.get(k, k): v for k, v in done.report["applied"].items()} == wanted
    assert done.counts == {"cases": expected["cases"], "refused": refused}
    assert done.exit == 1
    assert Counter(Case.objects.values_list("status", flat=True)) == expected["final_state"]
    assert_gapless(announced=False)

    with path.open(encoding="utf-8", newline="") as file:
        lines = list(csv.DictReader(file))
    by_line = dict(enumerate(lines, start=2))
    assert {by_line[n]["command"] for n in done.reasons()} == {
        "refused_after_close", "return_to_review"
    }  # fmt: skip
    returned = [n for n, line in by_line.items() if line["command"] == "return_to_review"]
    assert all("ESCALATED" in done.reasons()[n] for n in returned)
    assert all("close" in done.reasons()[n] for n in returned)

    # Times and actors are those of the log.
    keys = dict(Case.objects.values_list("id", "external_reference"))
    played = [
        (keys[case_id], actor, at)
        for case_id, actor, at in AuditEvent.objects.order_by("case_id", "sequence").values_list(
            "case_id", "actor_id", "occurred_at"
        )
    ]
    logged = [
        (line["case_id"], line["actor"], datetime.fromisoformat(line["at"]))
        for number, line in by_line.items()
        if number not in done.reasons()
    ]
    assert sorted(played) == sorted(logged)

    # Individual deadlines and channels came out of the compound cell.
    first = Case.objects.get(external_reference="case-10024")
    assert first.due_at == datetime.fromisoformat("2011-12-01T00:06:40Z")
