"""Clients side by side, each in a process of its own, and what they saw."""

from __future__ import annotations

import multiprocessing
import os
import random
import resource
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from multiprocessing.connection import Connection as Pipe
from pathlib import Path
from typing import Any, Final, NamedTuple

from tests.bench.mixes import MIXES, Client, Target

_START_DELAY: Final = 0.5  # seconds until all processes are there
_TICKS: Final = os.sysconf("SC_CLK_TCK")


class BenchError(Exception):
    """The bench cannot go on, or what it measured is worth nothing; the text says why."""


@dataclass(frozen=True, kw_only=True)
class Figures:
    """What one load brought. Times are milliseconds."""

    rate: float  # requests a second
    p50: float
    p95: float
    p99: float
    by_kind: dict[str, dict[str, float]]
    server_cpu: float | None  # ms of the server's processes per request, without the database
    driver_cpu: float  # ms of the clients per request
    connects: int

    def as_json(self) -> dict[str, Any]:
        """Return it for a JSON file."""
        return asdict(self)


class _Seen(NamedTuple):
    seconds: dict[str, list[float]]
    errors: int
    first_error: str | None
    took: float
    cpu: float
    connects: int


def put_under_load(
    target: Target,
    mix: str,
    *,
    clients: int,
    seconds: float,
    warmup: float,
    server_pid: int | None = None,
) -> Figures:
    """Let the clients play the mix and return what they saw.

    Args:
        target: the server.
        mix: a name from ``MIXES``.
        clients: how many callers, each with one request under way.
        seconds: how long is measured.
        warmup: seconds before that which do not count.
        server_pid: the server's first process, for its CPU time.

    Raises:
        BenchError: a request failed: then there is no figure.
    """
    context = multiprocessing.get_context("fork")
    begin = time.monotonic() + _START_DELAY
    pipes, processes = [], []
    for number in range(clients):
        receiver, sender = context.Pipe(duplex=False)
        process = context.Process(
            target=_play, args=(target, mix, number, begin, warmup, seconds, sender), daemon=True
        )
        process.start()
        pipes.append(receiver)
        processes.append(process)
    time.sleep(max(0.0, begin + warmup - time.monotonic()))
    before = cpu_seconds(server_pid) if server_pid else 0.0
    time.sleep(seconds)
    after = cpu_seconds(server_pid) if server_pid else 0.0
    seen: list[_Seen] = [_Seen(*pipe.recv()) for pipe in pipes]
    for process in processes:
        process.join()
    if errors := sum(one.errors for one in seen):
        first = next(one.first_error for one in seen if one.first_error)
        message = f"{errors} requests of {mix} went wrong, the first one: {first}"
        raise BenchError(message)
    return _figures(seen, after - before if server_pid else None, seconds)


def _play(
    target: Target,
    mix: str,
    number: int,
    begin: float,
    warmup: float,
    seconds: float,
    sender: Pipe,
) -> None:
    random.seed(number)
    client, play = Client(target), MIXES[mix]
    time.sleep(max(0.0, begin - time.monotonic()))
    _repeat(client, play, warmup)
    client.seconds = {}
    cpu = _own_cpu()
    took = _repeat(client, play, seconds)
    cpu = _own_cpu() - cpu
    connects = client.connection.connects
    sender.send((client.seconds, client.errors, client.first_error, took, cpu, connects))
    client.connection.close()


def _repeat(client: Client, play: Callable[[Client], None], seconds: float) -> float:
    started = time.monotonic()
    while time.monotonic() < started + seconds:
        play(client)
    return time.monotonic() - started


def _own_cpu() -> float:
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return usage.ru_utime + usage.ru_stime


def _figures(seen: list[_Seen], server_cpu: float | None, seconds: float) -> Figures:
    by_kind: dict[str, list[float]] = {}
    for one in seen:
        for kind, times in one.seconds.items():
            by_kind.setdefault(kind, []).extend(times)
    everything = sorted(time for times in by_kind.values() for time in times)
    if not everything:
        message = "Not one request was answered in the time given."
        raise BenchError(message)
    rate = sum(sum(map(len, one.seconds.values())) / one.took for one in seen)
    return Figures(
        rate=rate,
        **_percentiles(everything),
        by_kind={kind: _percentiles(sorted(times)) for kind, times in sorted(by_kind.items())},
        server_cpu=None if server_cpu is None else server_cpu * 1000 / (rate * seconds),
        driver_cpu=sum(one.cpu for one in seen) * 1000 / len(everything),
        connects=sum(one.connects for one in seen),
    )


def _percentiles(times: list[float]) -> dict[str, float]:
    """Return p50, p95 and p99 in milliseconds of sorted seconds, by nearest rank."""
    last = len(times) - 1
    return {
        f"p{share}": times[min(last, len(times) * share // 100)] * 1000 for share in (50, 95, 99)
    }


def cpu_seconds(pid: int) -> float:
    """Return the CPU time that a process and its living descendants have used so far (Linux)."""
    children: dict[int, list[int]] = {}
    used: dict[int, int] = {}
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            fields = (folder / "stat").read_text().rpartition(")")[2].split()
        except OSError:
            continue  # it has ended meanwhile
        children.setdefault(int(fields[1]), []).append(int(folder.name))
        used[int(folder.name)] = int(fields[11]) + int(fields[12])
    total, waiting = 0, [pid]
    while waiting:
        process = waiting.pop()
        total += used.get(process, 0)
        waiting += children.get(process, [])
    return total / _TICKS
