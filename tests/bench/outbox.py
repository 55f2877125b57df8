"""`make bench-outbox`: how fast the outbox drains beside bare psycopg, how soon it wakes up."""

from __future__ import annotations

import argparse
import json
import os
import signal
import statistics
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from typing import Any, Final

import psycopg

from tests.bench import databases
from tests.bench.__main__ import say
from tests.bench.drain import DESTINATION
from tests.bench.load import BenchError
from tests.bench.rounds import Rounds
from tests.performance.outbox_rows import FILL

EVENTS: Final = 20_000
PENDING: Final = 1_000
# Mix, contender, other contender, what is asked of their ratio.
ASKED: Final = (
    ("drain", "service", "bare", 0.60),
    ("history", "long", "none", 0.90),
    ("poisoned", "one case", "none", 0.95),
)
WAKE_UP_MS: Final = 50.0


def arguments(given: Sequence[str] | None) -> argparse.Namespace:
    """Read the command line; `make bench-outbox` fills it from variables of the same names."""
    parser = argparse.ArgumentParser(prog="make bench-outbox", description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--history", type=int, default=1_000_000, help="delivered events")
    parser.add_argument("--keep", action="store_true", help="keep the databases for the next run")
    parser.add_argument("--only", default="drain,history,poisoned,wake-up", help="with commas")
    parser.add_argument("--json", type=Path, help="file for everything that was measured")
    return parser.parse_args(given)


def run(what: str, url: str, **options: int) -> dict[str, Any]:
    """Run one contender in a process of its own; returns what it wrote."""
    return brought_by(start(what, url, **options), what)


def brought_by(process: subprocess.Popen[str], what: str) -> dict[str, Any]:
    """Wait for a contender; returns what it wrote.

    Raises:
        BenchError: it failed.
    """
    out, _ = process.communicate()
    if process.returncode:
        message = f"{what} ended with {process.returncode}"
        raise BenchError(message)
    brought: dict[str, Any] = json.loads(out.splitlines()[-1])
    return brought


def start(what: str, url: str, **options: int) -> subprocess.Popen[str]:
    """Start one contender."""
    command = [sys.executable, "-m", "tests.bench.drain", what, "--url", url]
    for name, value in options.items():
        command += [f"--{name}", str(value)]
    environment = os.environ | {
        "APP_ENV": "local",
        "DATABASE_URL": url,
        "DJANGO_SETTINGS_MODULE": "config.settings",
        "LOG_LEVEL": "ERROR",
    }
    return subprocess.Popen(
        command, cwd=databases.PROJECT, env=environment, stdout=subprocess.PIPE, text=True
    )


def refill(url: str, events: int, *, history: int = 0) -> None:
    """Leave so many events pending, four a case, beside as much history as there is."""
    with psycopg.connect(url, autocommit=True) as connection:
        if history:
            connection.execute("DELETE FROM outbox_events WHERE case_id < 'CASE-500000'")
        else:
            connection.execute("TRUNCATE outbox_events")
        values = {"destination": DESTINATION, "per_case": 4, "first": 0, "delivered": False}
        connection.execute(FILL, {**values, "events": events})
        connection.execute("VACUUM ANALYZE outbox_events")


def drained(what: str, url: str, events: int, *, history: int = 0) -> float:
    """Fill, drain, and return the events a second."""
    refill(url, events, history=history)
    brought = run(what, url)
    expected = events - (4 if what == "poisoned" else 0)
    if brought["events"] != expected:
        message = f"{what} brought {brought['events']} of {expected}"
        raise BenchError(message)
    return float(brought["events"] / brought["seconds"])


def wake_ups(url: str) -> list[float]:
    """Return for each of many single commits the milliseconds until its event was handed over."""
    refill(url, 0)
    follower = start("follow", url)
    assert follower.stdout is not None
    if follower.stdout.readline().strip() != "following":
        message = "the follower did not start"
        raise BenchError(message)
    committed = run("write", url, count=200)
    follower.send_signal(signal.SIGTERM)
    out, _ = follower.communicate(timeout=60)
    seen = json.loads(out.splitlines()[-1])
    if missing := committed.keys() - seen.keys():
        message = f"{len(missing)} events were not handed over"
        raise BenchError(message)
    return sorted(1000 * (seen[event] - at) for event, at in committed.items())


def contenders(empty: str, full: str, history: int) -> Mapping[str, dict[str, Callable[[], float]]]:
    """Return who takes turns in which mix."""
    return {
        "drain": {
            "service": partial(drained, "service", empty, EVENTS),
            "bare": partial(drained, "bare", empty, EVENTS),
        },
        "history": {
            "long": partial(drained, "service", full, PENDING, history=history),
            "none": partial(drained, "service", empty, PENDING),
        },
        "poisoned": {
            "one case": partial(drained, "poisoned", empty, EVENTS),
            "none": partial(drained, "service", empty, EVENTS),
        },
    }


def main(given: Sequence[str] | None = None) -> int:
    """Measure; 0: all that is asked was reached, 1: not all, 2: nothing was measured."""
    options = arguments(given)
    wanted = options.only.split(",")
    try:
        with ExitStack() as up:
            maintenance = up.enter_context(databases.server())
            make = partial(made, up, maintenance, keep=options.keep)
            empty = make()
            full = make("regulatory_bench_history", options.history) if "history" in wanted else ""
            brought: dict[str, Rounds] = {}
            for mix, those in contenders(empty, full, options.history).items():
                if mix in wanted:
                    say(mix)
                    brought[mix] = Rounds()
                    # A thousand events are gone in a tenth of a second: more rounds make up for it.
                    often = 3 if mix == "history" else 1
                    brought[mix].play(those, options.rounds * often, say)
            waits = wake_ups(empty) if "wake-up" in wanted else []
    except BenchError as error:
        say(str(error))
        return 2
    lacks = report(brought, waits)
    if options.json is not None:
        rates = {mix: rounds.measured for mix, rounds in brought.items()}
        text = json.dumps({"rates": rates, "wake_up_ms": waits}, indent=1)
        options.json.write_text(text + "\n")
    return 1 if lacks else 0


def report(brought: Mapping[str, Rounds], waits: Sequence[float]) -> list[str]:
    """Write what was measured, and return what was asked for and not reached."""
    lacks = []
    for mix, one, other, asked in ASKED:
        if mix not in brought:
            continue
        ratio = brought[mix].ratio(one, other)
        rates = [statistics.median(brought[mix].rates(name)) for name in (one, other)]
        sys.stdout.write(
            f"{mix:<9} {one} {rates[0]:.0f}/s : {other} {rates[1]:.0f}/s = {ratio}"
            f"   asked: {asked}  {'yes' if ratio.median >= asked else 'NO'}\n"
        )
        if ratio.median < asked:
            lacks.append(mix)
    if waits:
        middle, late = statistics.median(waits), waits[int(len(waits) * 0.99) - 1]
        sys.stdout.write(
            f"wake-up   p50 {middle:.1f} ms, p99 {late:.1f} ms, most {waits[-1]:.1f} ms"
            f"   asked: p99 below {WAKE_UP_MS:.0f}  {'yes' if late < WAKE_UP_MS else 'NO'}\n"
        )
        if late >= WAKE_UP_MS:
            lacks.append("wake-up")
    return lacks


def made(
    up: ExitStack,
    maintenance: str,
    name: str = "regulatory_bench_relay",
    history: int = 0,
    *,
    keep: bool,
) -> str:
    """Return the URL of a database with so many delivered events."""

    def fill(url: str) -> None:
        databases.migrate(url)
        say(f"Filling {name} with {history} delivered events")
        values = {"destination": DESTINATION, "per_case": 4, "first": 500_000, "delivered": True}
        with psycopg.connect(url, autocommit=True) as connection:
            connection.execute(FILL, {**values, "events": history})
            connection.execute("VACUUM ANALYZE outbox_events")

    mark = f"{history} delivered"
    url = up.enter_context(databases.database(maintenance, name, fill, mark, keep=keep))
    databases.migrate(url)  # a kept database may be older than the code
    return url


if __name__ == "__main__":
    sys.exit(main())
