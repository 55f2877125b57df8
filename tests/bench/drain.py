"""What is timed in `tests.bench.outbox`, each in a process of its own: a drainer and its rivals.

The only part of the bench that imports the service: a destination that does nothing is no setting.
"""

from __future__ import annotations

import argparse
import json
import signal
import sys
import time
from collections.abc import Sequence
from typing import Any

import psycopg

DESTINATION = "log"  # what the service writes rows for; nothing is ever logged here
POISONED = "CASE-000000"
BATCH = 100

_CLAIM = """
SELECT id, payload::text FROM outbox_events
 WHERE destination = %s AND processed_at IS NULL AND dead_at IS NULL AND attempts = 0
 ORDER BY id LIMIT %s FOR UPDATE SKIP LOCKED
"""
_MARK = "UPDATE outbox_events SET processed_at = now(), attempts = attempts + 1 WHERE id = ANY (%s)"


def bare(url: str) -> int:
    """Claim and mark by psycopg alone, with no order per case; returns how many rows."""
    count = 0
    with psycopg.connect(url, autocommit=True) as connection:
        while True:
            with connection.transaction():
                rows = connection.execute(_CLAIM, [DESTINATION, BATCH], prepare=True).fetchall()
                if not rows:
                    return count
                connection.execute(_MARK, [[row[0] for row in rows]], prepare=True)
                count += len(rows)


def service(*, poisoned: bool, lanes: int) -> int:
    """Drain by the service's own drainer; returns how many were delivered."""
    from outbox.drainer import Drainer, Plan  # noqa: PLC0415 (needs Django)

    taker = nothing(poisoned=poisoned, lanes=lanes)
    tally = Drainer(Plan(destinations={DESTINATION: taker}, batch_size=BATCH)).run()
    if tally.broken or tally.database_away:
        sys.exit(tally.broken or tally.database_away)
    return tally.delivered


def nothing(*, poisoned: bool = False, lanes: int = 1, seen: list[Any] | None = None) -> Any:
    """Return a destination that does nothing; with ``seen`` it notes when it was handed what."""
    from outbox.destinations import base  # noqa: PLC0415 (needs Django)

    class Nothing(base.Destination):
        name = DESTINATION

        def deliver(self, messages: Sequence[base.Message]) -> Sequence[base.Outcome]:
            if seen is not None:
                now = time.monotonic()
                seen.extend((message.id, now) for message in messages)
            if not poisoned:
                return [base.DELIVERED] * len(messages)
            return [
                base.failed("poisoned") if message.subject == POISONED else base.DELIVERED
                for message in messages
            ]

    Nothing.lanes = lanes
    return Nothing


def follow() -> dict[str, float]:
    """Follow until SIGTERM; returns when each event was handed over, by its id."""
    from outbox.drainer import Drainer, Plan  # noqa: PLC0415 (needs Django)

    seen: list[Any] = []
    drainer = Drainer(Plan(destinations={DESTINATION: nothing(seen=seen)}, follow=True))
    signal.signal(signal.SIGTERM, lambda *_: drainer.stop())
    sys.stdout.write("following\n")
    sys.stdout.flush()
    drainer.run()
    return dict(seen)


def write(count: int) -> dict[str, float]:
    """Create cases by the service, one at a time; returns when each was committed, by event id."""
    from django.db import connection  # noqa: PLC0415 (needs Django)

    from cases import services  # noqa: PLC0415 (needs Django)
    from cases.policies import DEFAULT_ROLES, Actor  # noqa: PLC0415 (needs Django)

    actor = Actor(id="bench", permissions=DEFAULT_ROLES["admin"])
    committed: dict[str, float] = {}
    for _ in range(count):
        case = services.create_case(fields={"title": "Wake up"}, actor=actor)
        committed[case.id] = time.monotonic()
        time.sleep(0.02)
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT case_id, event_id::text FROM outbox_events WHERE case_id = ANY (%s)",
            [list(committed)],
        )
        return {event: committed[case] for case, event in cursor.fetchall()}


def main() -> None:
    """Run one of them and write what it brought as JSON."""
    parser = argparse.ArgumentParser()
    parser.add_argument("what", choices=("bare", "service", "poisoned", "follow", "write"))
    parser.add_argument("--url", required=True)
    parser.add_argument("--lanes", type=int, default=1)
    parser.add_argument("--count", type=int, default=100)
    given = parser.parse_args()
    if given.what != "bare":
        import django  # noqa: PLC0415 (the rival needs none)

        django.setup()
    if given.what in ("follow", "write"):
        sys.stdout.write(json.dumps(follow() if given.what == "follow" else write(given.count)))
        return
    began = time.perf_counter()
    if given.what == "bare":
        count = bare(given.url)
    else:
        count = service(poisoned=given.what == "poisoned", lanes=given.lanes)
    sys.stdout.write(json.dumps({"events": count, "seconds": time.perf_counter() - began}))


if __name__ == "__main__":
    main()
