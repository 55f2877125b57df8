"""`make bench`, second part: one drainer on its way to RabbitMQ and to a slow webhook receiver."""

from __future__ import annotations

import argparse
import base64
import os
import subprocess
import sys
from collections.abc import Callable, Sequence
from functools import partial
from statistics import median
from typing import Final
from uuid import uuid4

import psycopg

from tests.bench import broker, databases, webhook
from tests.bench.databases import PROJECT
from tests.bench.load import BenchError
from tests.bench.rounds import Rounds
from tests.bench.servers import our_environment

NAME: Final = "regulatory_bench_destinations"
SHARE_ASKED: Final = 0.6  # of the bare client's rate
WEBHOOKS_ASKED: Final = 300.0  # a second, each answered after webhook.SECONDS
PER_CASE: Final = 5

# Rows as the receiver of events writes them; no case stands behind them, and none is asked for.
_FILL: Final = """
INSERT INTO outbox_events (event_id, destination, case_id, sequence, event_type, payload,
                           occurred_at, attempts, last_error)
SELECT id, %(destination)s, case_id, sequence, 'CASE_CLOSED',
       jsonb_build_object(
           'specversion', '1.0', 'id', id, 'source', '/regulatory-cases',
           'type', 'org.regulator.case.closed.v1', 'subject', case_id,
           'time', '2026-11-22T23:23:22.804187Z', 'datacontenttype', 'application/json',
           'sequence', lpad(sequence::text, 10, '0'),
           'data', jsonb_build_object('case_id', case_id, 'actor_id', 'reviewer-1',
                                      'from_status', 'UNDER_REVIEW', 'to_status', 'CLOSED',
                                      'reason', repeat('As agreed. ', 10))),
       now(), 0, ''
  FROM (SELECT gen_random_uuid() AS id, n / %(cases)s AS sequence,
               'CASE-' || lpad((n %% %(cases)s)::text, 6, '0') AS case_id
          FROM generate_series(0, %(count)s - 1) n ORDER BY n) event
"""
_RATE: Final = """
SELECT count(*) FILTER (WHERE processed_at > begun),
       extract(epoch FROM max(processed_at) - min(begun)),
       count(*) FILTER (WHERE processed_at IS NULL)
  FROM outbox_events, (SELECT min(processed_at) AS begun FROM outbox_events) first
"""


def say(text: str) -> None:
    """Tell the person who waits, on standard error."""
    sys.stderr.write(f"{text}\n")
    sys.stderr.flush()


class Drained:
    """A database with an outbox, and a drainer that empties it."""

    def __init__(self, url: str, count: int) -> None:
        self.url, self.count = url, count

    def fill(self, destination: str) -> list[str]:
        """Let the outbox owe as many events; returns the messages in the order of writing."""
        cases = self.count // PER_CASE
        with psycopg.connect(self.url, autocommit=True) as connection:
            connection.execute("TRUNCATE outbox_events")
            asked = {"destination": destination, "cases": cases, "count": self.count}
            connection.execute(_FILL, asked)
            connection.execute("VACUUM ANALYZE outbox_events")
            found = connection.execute("SELECT payload::text FROM outbox_events ORDER BY id")
            return [row[0] for row in found]

    def rate(self, destination: str, settings: dict[str, str]) -> float:
        """Drain with one drainer; returns events a second, from the first batch to the last.

        Raises:
            BenchError: something was not delivered.
        """
        environment = (
            our_environment(self.url, header_actors=False)
            | settings
            | {"OUTBOX_DESTINATIONS": destination}
        )
        done = subprocess.run(
            [sys.executable, "manage.py", "drain_outbox", "--destination", destination, "--json"],
            cwd=PROJECT,
            env=os.environ | environment | {"OUTBOX_DESTINATIONS": destination},
            capture_output=True,
            text=True,
            check=False,
        )
        with psycopg.connect(self.url) as connection:
            row = connection.execute(_RATE).fetchone()
        if done.returncode != 0 or row is None or row[2]:
            message = f"The drainer ended with {done.returncode}: {done.stderr[-500:]}"
            raise BenchError(message)
        return float(row[0] / row[1])


def broker_rates(drained: Drained, rounds: int) -> Rounds:
    """Let the drainer and the bare client take turns."""
    url = os.environ.get("BENCH_BROKER_URL", "amqp://guest:guest@127.0.0.1:5672/")
    exchange = f"bench-{uuid4().hex}"

    def by_drainer() -> float:
        drained.fill("broker")
        broker.clear(url, exchange)
        settings = {"OUTBOX_BROKER_URL": url, "OUTBOX_BROKER_EXCHANGE": exchange}
        reached = drained.rate("broker", settings)
        if (there := broker.clear(url, exchange)) != drained.count:
            message = f"{there} of {drained.count} messages are in the queue."
            raise BenchError(message)
        return reached

    def bare() -> float:
        bodies = drained.fill("nobody")
        broker.clear(url, exchange)
        return broker.bare_rate(url, exchange, bodies)

    broker.declare(url, exchange)
    try:
        return _played({"drainer": by_drainer, "bare client": bare}, rounds)
    finally:
        broker.delete(url, exchange)


def webhook_rates(drained: Drained, rounds: int) -> Rounds:
    """Let the drainer post to a receiver that takes its time."""
    secret = "whsec_" + base64.b64encode(os.urandom(32)).decode()

    def by_drainer(slow: webhook.Slow) -> float:
        drained.fill("webhook")
        slow.forget()
        reached = drained.rate(
            "webhook",
            {
                # Without TLS, which is for no production.
                "APP_ENV": "local",
                "OUTBOX_WEBHOOK_URL": f"http://127.0.0.1:{slow.port}/",
                "OUTBOX_WEBHOOK_SECRET": secret,
                "OUTBOX_WEBHOOK_ALLOW_PRIVATE": "on",
            },
        )
        slow.check(drained.count)
        return reached

    with webhook.slow_receiver() as slow:
        return _played({"drainer": partial(by_drainer, slow)}, rounds)


def _played(contenders: dict[str, Callable[[], float]], rounds: int) -> Rounds:
    brought = Rounds()
    brought.play(contenders, rounds, say)
    return brought


def main(given: Sequence[str] | None = None) -> int:
    """Run it; 0: all that is asked was reached, 1: not all, 2: nothing was measured."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench.destinations", description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--events", type=int, default=10_000, help="per round, to the broker")
    parser.add_argument("--webhooks", type=int, default=3_000, help="per round")
    options = parser.parse_args(given)
    try:
        with (
            databases.server() as maintenance,
            databases.database(maintenance, NAME, databases.migrate, "", keep=False) as url,
        ):
            say("broker")
            to_broker = broker_rates(Drained(url, options.events), options.rounds)
            say("webhook")
            to_webhook = webhook_rates(Drained(url, options.webhooks), options.rounds)
    except (BenchError, OSError) as error:
        say(str(error))
        return 2
    ratio = to_broker.ratio("drainer", "bare client")
    rate = median(to_webhook.rates("drainer"))
    sys.stdout.write(
        f"RabbitMQ, each message confirmed: drainer {median(to_broker.rates('drainer')):.0f}/s,"
        f" bare client {median(to_broker.rates('bare client')):.0f}/s, ratio {ratio}"
        f"   asked: {SHARE_ASKED}\n"
        f"Webhooks, {webhook.SECONDS * 1000:.0f} ms each: {rate:.0f}/s"
        f"   asked: {WEBHOOKS_ASKED:.0f}\n"
    )
    return 0 if ratio.median >= SHARE_ASKED and rate >= WEBHOOKS_ASKED else 1


if __name__ == "__main__":
    sys.exit(main())
