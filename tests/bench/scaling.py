"""`make bench-scaling`: what more processes and a replica bring on this very machine."""

from __future__ import annotations

import argparse
import os
import statistics
import sys
from collections.abc import Sequence
from contextlib import ExitStack
from functools import partial
from typing import Final

from config import embedded_postgres
from config.embedded_postgres.place import locate
from tests.api.postgres import Postgres, streaming_replica
from tests.bench import databases, outbox, servers
from tests.bench.__main__ import UNRESTRICTED, say
from tests.bench.load import BenchError, put_under_load
from tests.bench.mixes import Target
from tests.bench.rounds import Measure, Rounds

MIXES: Final = ("lifecycle", "detail", "list")
# Contender and what its ratio is taken of.
COMPARED: Final = {
    "2 workers": "1 worker",
    "2 and a replica": "2 workers",
    "2 drainers": "1 drainer",
}


def arguments(given: Sequence[str] | None) -> argparse.Namespace:
    """Read the command line; `make bench-scaling` fills it from variables of the same names."""
    parser = argparse.ArgumentParser(prog="make bench-scaling", description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=5.0, help="per contender and round")
    parser.add_argument("--clients", type=int, default=8)
    parser.add_argument("--cases", type=int, default=1_000_000)
    parser.add_argument("--keep", action="store_true", help="keep the databases for the next run")
    return parser.parse_args(given)


def serving(options: argparse.Namespace, up: ExitStack) -> dict[str, dict[str, Measure]]:
    """Bring the service up with one worker, with two, and with two and a replica."""
    maintenance = up.enter_context(databases.server())
    name = f"regulatory_bench_{options.cases}"

    def fill(url: str) -> None:
        say(f"Loading {options.cases} cases into {name}")
        databases.migrate(url)
        databases.fill_with_cases(url, options.cases, say)

    mark = databases.mark_of(options.cases, *databases.SERVICE_FILES)
    url = up.enter_context(databases.database(maintenance, name, fill, mark, keep=options.keep))
    databases.migrate(url)
    ids = databases.readable_ids(url, UNRESTRICTED)
    environment = servers.our_environment(url, header_actors=False)
    servers.collect_static(environment)
    writer, reviewer = (servers.write_token(environment, who) for who in ("writer-1", "reviewer-1"))
    brought: dict[str, dict[str, Measure]] = {mix: {} for mix in MIXES}
    replica = {"DATABASE_REPLICA_URL": _replica(up, name)}
    for contender, workers, more in (
        ("1 worker", 1, {}),
        ("2 workers", 2, {}),
        ("2 and a replica", 2, replica),
    ):
        port = servers.free_port()
        command = servers.our_command(servers.SERVERS[0], port, threads=2, workers=workers)
        server = up.enter_context(
            servers.running(
                contender.replace(" ", "-"), command, environment | more, databases.PROJECT, port
            )
        )
        target = Target(
            host=servers.HOST, port=port, writer=writer, reviewer=reviewer, case_ids=ids
        )
        for mix in MIXES:
            brought[mix][contender] = partial(
                put_under_load,
                target,
                mix,
                clients=options.clients,
                seconds=options.seconds,
                warmup=1.0,
                server_pid=server.pid,
            )
    return brought


def _replica(up: ExitStack, name: str) -> str:
    """Return the URL of a replica: BENCH_REPLICA_URL, or a standby of the embedded server."""
    if url := os.environ.get("BENCH_REPLICA_URL"):
        return databases.with_database(url, name)
    if "BENCH_DATABASE_URL" in os.environ:
        message = "BENCH_DATABASE_URL needs BENCH_REPLICA_URL, a streaming replica of its server."
        raise BenchError(message)
    say("Copying the server")
    standby = up.enter_context(streaming_replica(Postgres(locate("local")), log_statement="none"))
    return databases.with_database(standby.url, name)


def draining(options: argparse.Namespace, up: ExitStack) -> dict[str, Measure]:
    """Let one drainer deliver all there is, or two at once."""
    url = outbox.made(up, up.enter_context(databases.server()), keep=options.keep)

    def together(count: int) -> float:
        outbox.refill(url, outbox.EVENTS)
        drainers = [outbox.start("service", url) for _ in range(count)]
        brought = [outbox.brought_by(drainer, "service") for drainer in drainers]
        if (events := sum(one["events"] for one in brought)) != outbox.EVENTS:
            message = f"{count} drainers brought {events} of {outbox.EVENTS}"
            raise BenchError(message)
        return float(events / max(one["seconds"] for one in brought))

    return {"1 drainer": partial(together, 1), "2 drainers": partial(together, 2)}


def main(given: Sequence[str] | None = None) -> int:
    """Measure; 0: measured, 2: not."""
    options = arguments(given)
    brought: dict[str, Rounds] = {}
    try:
        with ExitStack() as up:
            up.enter_context(embedded_postgres.running())
            contenders = serving(options, up) | {"drain": draining(options, up)}
            for mix, those in contenders.items():
                say(mix)
                brought[mix] = Rounds()
                brought[mix].play(those, options.rounds, say)
    except BenchError as error:
        say(str(error))
        return 2
    for mix, rounds in brought.items():
        for name in rounds.measured:
            rate = statistics.median(rounds.rates(name))
            other = COMPARED.get(name)
            of = f" = {rounds.ratio(name, other)} of {other}" if other else ""
            sys.stdout.write(f"{mix:<9} {name:<15} {rate:8.1f} /s{of}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
