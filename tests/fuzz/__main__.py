"""`make fuzz`: Schemathesis against the live service, every check, every phase."""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

from tests.bench.databases import PROJECT
from tests.fuzz import service, verdict

CONFIGURATION = Path(__file__).with_name("schemathesis.toml")
SEED = 2026
EXAMPLES = 20  # per operation and phase that draws them


def arguments(given: Sequence[str] | None) -> argparse.Namespace:
    """Read the command line; `make fuzz` fills it from variables of the same names."""
    parser = argparse.ArgumentParser(prog="make fuzz", description=__doc__)
    parser.add_argument("--seed", type=int, default=SEED, help="repeats a run; %(default)s")
    parser.add_argument("--max-examples", type=int, default=EXAMPLES, help="%(default)s")
    parser.add_argument("--include-operation-id", action="append", default=[], metavar="ID")
    parser.add_argument("--phases", default=",".join(verdict.PHASES), help="with commas")
    return parser.parse_args(given)


def attack(target: service.Service, options: argparse.Namespace, folder: Path) -> verdict.Figures:
    """Run Schemathesis once; all that it writes lies in the folder."""
    configuration = folder / "schemathesis.toml"
    configuration.write_text("\n".join((CONFIGURATION.read_text(), *_known(target))))
    report, events = folder / "report.json", folder / "events.ndjson"
    command = [sys.executable, "-m", "schemathesis.cli", "--config-file", str(configuration), "run"]
    command += [f"{target.url}/openapi.json", "--no-color", "--checks", "all"]
    command += ["--phases", options.phases, "--seed", str(options.seed)]
    command += ["--max-examples", str(options.max_examples), "--report", "json,ndjson"]
    command += ["--report-json-path", str(report), "--report-ndjson-path", str(events)]
    for name in options.include_operation_id:
        command += ["--include-operation-id", name]
    environment = os.environ | {"FUZZ_TOKEN": target.token, "PYTHONPATH": str(PROJECT)}
    done = subprocess.run(command, cwd=folder, env=environment, check=False)
    return verdict.read(report, events, done.returncode)


def _known(target: service.Service) -> Iterator[str]:
    """Write down what is only known now, in the words of ``schemathesis.toml``."""
    for name, values in target.dictionaries.items():
        yield f"[dictionaries.{name}]\nvalues = {json.dumps(values)}"
    for action in target.actions:
        yield f"[[operations]]\ninclude-operation-id = {json.dumps(action)}"
        yield f'parameters."path.case_id" = {{ dictionary = "{action}", probability = 0.8 }}'
        # Of the versions that are drawn, hardly one is the case's.
        yield 'parameters."header.If-Match" = { dictionary = "versions", probability = 0.5 }'


def main(given: Sequence[str] | None = None) -> int:
    """Attack the service; 0: it stood, 1: something was found or the run was too small to tell."""
    options = arguments(given)
    with tempfile.TemporaryDirectory() as folder, service.running() as target:
        figures = attack(target, options, Path(folder))
    return conclude(figures, options.seed)


def conclude(figures: verdict.Figures, seed: int) -> int:
    """Say what happened and what is lacking; returns the exit code."""
    each = ", ".join(f"{phase} {figures.examples[phase]}" for phase in verdict.PHASES)
    total = sum(figures.examples.values())
    lacks = verdict.shortcomings(figures)
    said = [f"{total} examples in {figures.seconds:.0f} s ({each}), seed {seed}."]
    said += [f"Not passed: {sentence}" for sentence in lacks]
    sys.stdout.write("\n".join(said) + "\n")
    return 1 if lacks else 0


if __name__ == "__main__":
    sys.exit(main())
