"""`make bench`: the complete service against a peer, against bare SQL, against its own size."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import replace
from functools import partial
from pathlib import Path

from tests.bench import databases, exports, office, peer, pgbench, report, servers, slas, trail
from tests.bench.load import BenchError, put_under_load
from tests.bench.mixes import Target
from tests.bench.places import starts
from tests.bench.rounds import Measure, Rounds

UNRESTRICTED = "NOT restricted"


def say(text: str) -> None:
    """Tell the person who waits, on standard error."""
    sys.stderr.write(f"{text}\n")
    sys.stderr.flush()


def arguments(given: Sequence[str] | None) -> argparse.Namespace:
    """Read the command line; `make bench` fills it from variables of the same names."""
    parser = argparse.ArgumentParser(prog="make bench", description=__doc__)
    parser.add_argument("--peer", type=Path, help="folder that holds main.py and main_async.py")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=5.0, help="per contender and round")
    parser.add_argument("--clients", type=int, default=8)
    parser.add_argument("--cases", type=int, default=1_000_000)
    parser.add_argument("--few", type=int, default=10_000, help="cases of the small database")
    parser.add_argument("--server", choices=servers.SERVERS, default=servers.SERVERS[0])
    parser.add_argument("--threads", type=int, default=2, help="per worker of the service")
    parser.add_argument("--callers", choices=("tokens", "headers"), default="tokens")
    mixes = "live,lifecycle,detail,list,pages,verify,exports,slas,office"
    parser.add_argument("--mixes", default=mixes, help="with commas (%(default)s)")
    parser.add_argument("--keep", action="store_true", help="keep the databases for the next run")
    parser.add_argument("--json", type=Path, help="file for everything that was measured")
    return parser.parse_args(given)


class Bench:
    """One run: what is up, and the turns of the contenders."""

    def __init__(self, options: argparse.Namespace, up: ExitStack) -> None:
        self.options, self.up = options, up
        self.maintenance = up.enter_context(databases.server())
        self.verification: trail.Verification | None = None

    def exports(self) -> exports.Exports | None:
        """Measure the exports of the trail, where they are asked for."""
        if exports.MIX not in self.options.mixes.split(","):
            return None
        say(exports.MIX)
        url = self.filled("regulatory_bench_trail", trail.CASES)
        return exports.measure(url, self.options.rounds, say)

    def office(self) -> list[office.Office | slas.Marking]:
        """Measure the back office and the timer, which share a database, where asked for."""
        mixes, name = {office.MIX, slas.MIX} & set(self.options.mixes.split(",")), office.DATABASE
        found: list[office.Office | slas.Marking] = []
        url = self.filled(name, office.CASES) if mixes else ""
        if slas.MIX in mixes:
            say(slas.MIX)
            found.append(slas.measure(self.maintenance, name, self.options.rounds, say))
        if office.MIX in mixes:
            say(office.MIX)
            found.append(office.measure(url, self.options.rounds, say))
        return found

    def run(self) -> tuple[dict[str, Rounds], dict[str, report.Ratio]]:
        """Bring everything up, let the contenders take turns; returns the rounds by mix."""
        options = self.options
        alone = (exports.MIX, office.MIX, slas.MIX)
        mixes = [mix for mix in options.mixes.split(",") if mix not in alone]
        if not mixes:
            return {}, {}
        many_url, many = self.service(options.cases)
        contenders: dict[str, dict[str, Measure]] = {
            mix: {report.SERVICE: many(mix)} for mix in ("live", "lifecycle", "detail", "list")
        }
        if options.peer is not None:
            self.add_peers(contenders)
        self.add_pgbench(contenders, many_url)
        # Last, or what the other mixes write would be verified at one time and not at another.
        if trail.MIX in mixes:
            self.verification = trail.Verification(self.trail())
            contenders[trail.MIX] = {"verify_audit": self.verification}
        contenders["pages"] = {}
        if "pages" in mixes:
            few_url, few = self.service(options.few)
            for size, url, measure in (
                (options.cases, many_url, many),
                (options.few, few_url, few),
            ):
                for place, start in starts(url).items():
                    contenders["pages"][f"{place} of {size}"] = measure("pages", start=start)
        brought: dict[str, Rounds] = {}
        for mix in mixes:
            say(mix)
            brought[mix] = Rounds()
            brought[mix].play(contenders[mix], options.rounds, say)
        pages = brought.get("pages")
        sizes = report.costs_of_size(pages, options.cases, options.few) if pages else {}
        return brought, sizes

    def service(self, count: int) -> tuple[str, Callable[..., Measure]]:
        """Bring up the service on a database with as many cases."""
        options, name = self.options, f"regulatory_bench_{count}"
        url = self.filled(name, count)
        headers = options.callers == "headers"
        environment = servers.our_environment(url, header_actors=headers)
        servers.collect_static(environment)
        port = servers.free_port()
        command = servers.our_command(options.server, port, options.threads)
        server = self.up.enter_context(
            servers.running(name, command, environment, databases.PROJECT, port)
        )
        writer, reviewer = (
            servers.actor_headers(who, role) if headers else servers.write_token(environment, who)
            for who, role in (("writer-1", "case_writer"), ("reviewer-1", "reviewer"))
        )
        ids = databases.readable_ids(url, UNRESTRICTED)
        target = Target(
            host=servers.HOST, port=port, writer=writer, reviewer=reviewer, case_ids=ids
        )
        return url, partial(self.measure, server.pid, target)

    def filled(self, name: str, count: int) -> str:
        """Return the URL of a database with as many cases."""

        def fill(url: str) -> None:
            say(f"Loading {count} cases into {name}")
            databases.migrate(url)
            databases.fill_with_cases(url, count, say)

        mark = databases.mark_of(count, *databases.SERVICE_FILES)
        url = self.up.enter_context(
            databases.database(self.maintenance, name, fill, mark, keep=self.options.keep)
        )
        databases.migrate(url)  # a kept database may be older than the code
        return url

    def trail(self) -> dict[str, str]:
        """Return the settings for a database of its own, whose trail is true to the last event.

        In the others pgbench writes events with hashes that are none.
        """
        url = self.filled("regulatory_bench_trail", trail.CASES)
        return servers.our_environment(url, header_actors=False)

    def measure(self, pid: int, target: Target, mix: str, start: str = "") -> Measure:
        """Return what measures one server once."""
        options = self.options
        return partial(
            put_under_load,
            replace(target, start=start),
            mix,
            clients=options.clients,
            seconds=options.seconds,
            warmup=1.0,
            server_pid=pid,
        )

    def add_peers(self, contenders: dict[str, dict[str, Measure]]) -> None:
        """Bring up both variants of the peer on one database of their own."""
        folder, count = peer.checked(self.options.peer.resolve()), self.options.cases
        name = "regulatory_bench_peer"

        def fill(url: str) -> None:
            say(f"Loading {count} cases into {name}")
            peer.fill(url, folder, count)

        mark = databases.mark_of(count, *peer.sql_files(folder))
        url = self.up.enter_context(
            databases.database(self.maintenance, name, fill, mark, keep=self.options.keep)
        )
        both = servers.actor_headers("bench-1", "case_writer,reviewer")
        ids = databases.readable_ids(url, "true")
        for variant in peer.VARIANTS:
            server = self.up.enter_context(peer.serving(variant, folder, self.maintenance, name))
            target = Target(
                host=servers.HOST, port=server.port, writer=both, reviewer=both, case_ids=ids
            )
            for mix in ("lifecycle", "detail", "list"):
                contenders[mix][variant] = self.measure(server.pid, target, mix)

    def add_pgbench(self, contenders: dict[str, dict[str, Measure]], url: str) -> None:
        """Let pgbench take part, where it is installed."""
        path = pgbench.find()
        if path is None:
            say(pgbench.ABSENT)
            return
        options = self.options
        for mix in pgbench.SCRIPTS:
            contenders[mix]["pgbench"] = partial(
                pgbench.rate,
                path,
                url,
                mix,
                cases=options.cases,
                clients=options.clients,
                seconds=options.seconds,
            )


def main(given: Sequence[str] | None = None) -> int:
    """Run the bench; 0: all that is asked was reached, 1: not all, 2: nothing was measured."""
    options = arguments(given)
    try:
        with ExitStack() as up:
            bench = Bench(options, up)
            exported = bench.exports()
            offices = bench.office()
            brought, sizes = bench.run()
    except BenchError as error:
        say(str(error))
        return 2
    lacks: list[str] = []
    if brought:
        sys.stdout.write(report.terminal(brought, sizes) + "\n")
        lacks += report.missed(brought, sizes)
    if exported is not None:
        sys.stdout.write(exported.terminal() + "\n")
        lacks += exported.missed()
    for one in offices:
        sys.stdout.write(f"\n{one.terminal()}\n")
        lacks += one.missed()
    if bench.verification is not None:
        sys.stdout.write(f"\n{bench.verification.sentence()}\n")
        lacks += bench.verification.missed()
    if options.json is not None:
        setting = {key: str(value) for key, value in vars(options).items() if key != "peer"}
        figures = report.as_json(setting, brought, sizes)
        text = json.dumps(figures | {"exports": exported and exported.as_json()}, indent=1)
        options.json.write_text(text + "\n")
    for sentence in lacks:
        say(f"Not reached: {sentence}")
    return 1 if lacks else 0


if __name__ == "__main__":
    sys.exit(main())
