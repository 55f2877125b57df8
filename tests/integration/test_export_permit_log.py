"""The real permit log, loaded, written as XES and read back: nothing of it is lost or moved."""

from __future__ import annotations

import csv
from collections import Counter
from datetime import datetime
from pathlib import Path

import pytest

from cases.lifecycle import LIFECYCLE, CaseAction
from tests import xes
from tests.integration.import_runs import real_file, run
from tests.integration.test_import_history_permit_log import MAPPING

pytestmark = pytest.mark.django_db

# What the log calls our actions; a note is add_note.
OURS = {"note": CaseAction.ADD_NOTE}


def activity(command: str) -> str:
    return LIFECYCLE[OURS.get(command) or CaseAction(command)].event.type


def test_activities_resources_cases_and_times_are_those_of_the_source(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    source = real_file("receipt_20pct_commands.csv")
    loaded = run("import_history", source, "--source", "CoSeLoG", "--json", *MAPPING)
    refused = loaded.reasons()
    with source.open(encoding="utf-8", newline="") as file:
        lines = [
            line for number, line in enumerate(csv.DictReader(file), 2) if number not in refused
        ]

    done = run("export_audit", "--format", "xes", "--output", "log.xes", "--json")
    log = xes.read(Path("log.xes"))

    assert done.report["events"] == len(lines) == 3307 - len(refused)
    read = [
        (
            trace.attributes["external_reference"], event["time:timestamp"],
            event["concept:name"], event["org:resource"],
        )
        for trace in log.traces
        for event in trace.events
    ]  # fmt: skip
    told = [
        (
            line["case_id"], datetime.fromisoformat(line["at"]), activity(line["command"]),
            line["actor"],
        )
        for line in lines
    ]  # fmt: skip
    for place in (0, 2, 3):  # cases, activities, resources
        assert Counter(row[place] for row in read) == Counter(row[place] for row in told)
    assert sorted(read) == sorted(told)
    assert len(log.traces) == len({trace.attributes["concept:name"] for trace in log.traces}) == 300
    channels = Counter(
        line["text"].partition("channel=")[2].partition(";")[0]
        for line in lines
        if line["command"] == "create"
    )
    assert Counter(trace.attributes["source"] for trace in log.traces) == channels
