"""What a run has shown, and what it lacks to be a good one: read from Schemathesis' own reports."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

PHASES: Final = ("examples", "coverage", "fuzzing", "stateful")
LEAST: Final = 2_000  # examples per run
# A method that the address does not have: no operation, and refused.
_OTHER_METHOD: Final = "unspecified_http_method"


@dataclass
class Figures:
    """What happened in a run."""

    exit_code: int
    complete: bool
    seconds: float
    operations: int
    tested: int
    # Requests sent by each phase, probes of checks not counted.
    examples: Counter[str] = field(default_factory=Counter)
    # What was found: how often, by its name.
    findings: dict[str, int] = field(default_factory=dict)
    # Answers 2xx or 304 by operation; every operation that was called has a line.
    successes: Counter[str] = field(default_factory=Counter)


def read(report: Path, events: Path, exit_code: int) -> Figures:
    """Read the reports ``json`` and ``ndjson`` of a run."""
    said: dict[str, Any] = json.loads(report.read_text())
    operations = said["operations"] or {"selected": 0, "tested": 0}
    figures = Figures(
        exit_code=exit_code,
        complete=bool(said["complete"]),
        seconds=said["running_time"] or 0.0,
        operations=operations["selected"],
        tested=operations["tested"],
        findings={row["title"]: row["count"] for row in (*said["failures"], *said["errors"])},
    )
    with events.open() as lines:
        _count(map(json.loads, lines), figures)
    return figures


def _count(events: Iterable[dict[str, Any]], figures: Figures) -> None:
    for event in events:
        if (scenario := event.get("ScenarioFinished")) is None:
            continue
        recorder = scenario["recorder"]
        interactions = recorder.get("interactions", {})
        for case, node in recorder.get("cases", {}).items():
            if case not in interactions:
                continue
            figures.examples[scenario["phase"].lower()] += 1
            if _kind(node["value"]) != _OTHER_METHOD:
                operation = f"{node['value']['method']} {node['value']['path']}"
                answer = interactions[case].get("response") or {}
                figures.successes[operation] += 200 <= answer.get("status_code", 0) < 305


def _kind(case: dict[str, Any]) -> str | None:
    kind: str | None = case.get("meta", {}).get("phase", {}).get("data", {}).get("scenario")
    return kind


def shortcomings(figures: Figures) -> list[str]:
    """Return a sentence for each reason why the run does not count as passed."""
    found = [f"{title}: {count}" for title, count in figures.findings.items()]
    if figures.exit_code and not found:
        found.append(f"Schemathesis ended with {figures.exit_code}.")
    if not figures.complete:
        found.append("The run was broken off.")
    total = sum(figures.examples.values())
    if total < LEAST:
        found.append(f"{total} examples are too few: at least {LEAST} are asked.")
    found += [
        f"The phase {phase} made no example." for phase in PHASES if not figures.examples[phase]
    ]
    if not 0 < figures.operations == figures.tested:
        found.append(f"{figures.tested} of {figures.operations} operations were tested.")
    # A service that refuses everything violates nothing.
    found += [
        f"{operation} never succeeded, so its answer was not looked at."
        for operation, successes in sorted(figures.successes.items())
        if not successes
    ]
    return found
