"""`make drill`: everything fails at random while cases change; nothing is lost or disordered."""

from __future__ import annotations

import argparse
import base64
import os
import random
import secrets
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from contextlib import ExitStack, closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import psycopg

from tests.bench import databases
from tests.drill import receiver
from tests.drill.arrivals import Verdict, judge
from tests.drill.broker import EXCHANGE, Node
from tests.drill.faults import KINDS, Faults
from tests.drill.processes import Clients, Drainers, environment

NAME: Final = "regulatory_drill"
DRAIN_SECONDS: Final = 180.0
EVENTS_LEAST: Final = 200
LONGER: Final = 4  # times the seconds asked for, at most


@dataclass
class Outcome:
    """What a drill brought."""

    seed: int
    seconds: float
    changes: Counter[str]
    faults: Counter[str]
    committed: int
    cases: int
    verdicts: dict[str, Verdict]
    broken: list[str] = field(default_factory=list)
    """Faults of the drill itself, or drainers that did not end with 0."""


def arguments(given: Sequence[str] | None) -> argparse.Namespace:
    """Read the command line; `make drill` fills it from variables of the same names."""
    parser = argparse.ArgumentParser(prog="make drill", description=__doc__)
    parser.add_argument("--seed", type=int, default=None, help="which faults; by chance otherwise")
    parser.add_argument(
        "--seconds", type=float, default=180, help="of faults, or more; %(default)s"
    )
    parser.add_argument("--drainers", type=int, default=3, help="%(default)s")
    parser.add_argument("--clients", type=int, default=2, help="%(default)s")
    return parser.parse_args(given)


def main(given: Sequence[str] | None = None) -> int:
    """Drill; 0: it stood, 1: events were lost or disordered, or the drill was too small to tell."""
    options = arguments(given)
    options.seed = secrets.randbelow(1_000_000) if options.seed is None else options.seed
    say(f"Seed {options.seed}")
    return conclude(drill(options))


def drill(options: argparse.Namespace) -> Outcome:
    """Bring everything up, let it fail for a while, let it recover, and read what arrived."""
    secret = "whsec_" + base64.b64encode(random.randbytes(32)).decode()
    with ExitStack() as up:
        folder = Path(up.enter_context(tempfile.TemporaryDirectory()))
        broker = up.enter_context(closing(Node(folder)))
        broker.start()
        maintenance = up.enter_context(databases.server())
        database = up.enter_context(
            databases.database(
                maintenance, f"{NAME}_{os.getpid()}", databases.migrate, "", keep=False
            )
        )
        broker.wait()
        broker.bind()
        webhooks = up.enter_context(receiver.running(secret))
        settings = environment(
            database, port=webhooks.port, secret=secret, broker=broker.url, exchange=EXCHANGE
        )
        drainers = Drainers(options.drainers, settings, folder)
        up.callback(drainers.close)
        clients = up.enter_context(closing(Clients(options.clients, settings, options.seed)))
        faults = Faults(options.seed, drainers, broker, webhooks, database)
        say(f"Things go wrong for {options.seconds:.0f} s")
        faults.start()
        up.callback(faults.end)
        seconds = let_it_fail(options.seconds, database, faults)
        changes = clients.stop()
        faults.end()
        say("All is well again; waiting for what is still owed")
        wait_until_delivered(database)
        codes = [f"A drainer ended with {code}." for code in drainers.close() if code]
        committed = read_committed(database)
        arrived = {
            "log": drainers.lines(),
            "webhook": list(webhooks.arrivals),
            "broker": broker.read(),
        }
        return Outcome(
            seed=options.seed,
            seconds=seconds,
            changes=changes,
            faults=faults.counts,
            committed=len(committed),
            cases=len({case_id for case_id, _ in committed.values()}),
            verdicts={name: judge(committed, got) for name, got in arrived.items()},
            broken=faults.broken + codes,
        )


def let_it_fail(seconds: float, database: str, faults: Faults) -> float:
    """Wait so long, and on a slow machine longer, until the drill is large enough to tell."""
    began = time.monotonic()
    time.sleep(seconds)
    while time.monotonic() - began < seconds * LONGER and not faults.broken:
        if len(read_committed(database)) >= EVENTS_LEAST and not missing(faults.counts):
            break
        time.sleep(1)
    return time.monotonic() - began


def missing(faults: Mapping[str, int]) -> list[str]:
    """Return what never happened; that the broker was killed is for long drills."""
    return [kind for kind in KINDS if not faults.get(kind) and "broker killed" not in kind]


def wait_until_delivered(database: str) -> None:
    """Wait until nothing is owed, or for so long that it never will be; the verdict tells then."""
    deadline = time.monotonic() + DRAIN_SECONDS
    with psycopg.connect(database, autocommit=True) as connection:
        while time.monotonic() < deadline:
            owed = "SELECT count(*) FROM outbox_events WHERE processed_at IS NULL"
            row = connection.execute(owed).fetchone()
            if row == (0,):
                return
            time.sleep(0.5)
    say("Something is still owed")


def read_committed(database: str) -> dict[str, tuple[str, int]]:
    """Return case and sequence of every fact: from the trail, which the outbox does not write."""
    with psycopg.connect(database) as connection:
        rows = connection.execute("SELECT id::text, case_id, sequence FROM audit_events")
        return {event: (case_id, sequence) for event, case_id, sequence in rows}


def shortcomings(outcome: Outcome) -> list[str]:
    """Return why a drill is not passed, a sentence each."""
    lacks = list(outcome.broken)
    for name, verdict in outcome.verdicts.items():
        findings: Mapping[str, Sequence[str]] = {
            "lost": verdict.losses,
            "out of order": verdict.out_of_order,
            "not committed": verdict.not_committed,
        }
        lacks += [
            f"{name}: {len(found)} {what}, such as {', '.join(found[:3])}."
            for what, found in findings.items()
            if found
        ]
    if outcome.committed < EVENTS_LEAST:
        lacks.append(f"{outcome.committed} events are too few: at least {EVENTS_LEAST} are asked.")
    if not outcome.changes["taken back"]:
        lacks.append("No change was taken back.")
    lacks += [f"It never came to this: {kind}." for kind in missing(outcome.faults)]
    return lacks


def conclude(outcome: Outcome) -> int:
    """Say what happened and what is lacking; returns the exit code."""
    did = ", ".join(f"{count} {what}" for what, count in sorted(outcome.changes.items()))
    said = [
        f"{outcome.seconds:.0f} s of faults, seed {outcome.seed}",
        f"{outcome.committed} events committed, of {outcome.cases} cases; transactions: {did}",
        "faults: " + ", ".join(f"{kind} {outcome.faults[kind]}" for kind in KINDS),
    ]
    said += [
        f"{name:<8} {verdict.arrivals} arrivals, {verdict.repeats} repeats,"
        f" losses = {len(verdict.losses)}, out of order = {len(verdict.out_of_order)},"
        f" not committed = {len(verdict.not_committed)}"
        for name, verdict in outcome.verdicts.items()
    ]
    lacks = shortcomings(outcome)
    said += [f"Not passed: {sentence}" for sentence in lacks]
    sys.stdout.write("\n".join(said) + "\n")
    return 1 if lacks else 0


def say(text: str) -> None:
    """Tell the person who waits, on standard error."""
    sys.stderr.write(f"{text}\n")
    sys.stderr.flush()


if __name__ == "__main__":
    sys.exit(main())
