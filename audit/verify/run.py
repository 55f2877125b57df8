"""Verifies all cases, or those asked for: one snapshot, ranges of cases, two processes if it pays.

Plain psycopg, no Django: a process of the pool loads none of it, so it starts at once and is small.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from concurrent.futures import Executor, Future, ProcessPoolExecutor, as_completed
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from multiprocessing import active_children, get_context, parent_process
from threading import Thread
from typing import Any, Final, NamedTuple

import psycopg

from audit.verify.findings import Report
from audit.verify.rows import SESSION, check_rows

Parameters = dict[str, Any]
Progress = Callable[[float, Report], None]

PER_RANGE: Final = 20_000  # events
_LARGE: Final = 100_000  # events, from which a second process pays
_SAMPLED: Final = 300  # pages
MOST_FINDINGS: Final = 10_000  # that are kept; the others are counted


@dataclass(frozen=True)
class Scope:
    """Which cases are verified: one, those with an event recorded since a moment, or all."""

    case_id: str | None = None
    since: str | None = None


class Range(NamedTuple):
    """Cases from ``first`` on, up to but without ``end``; ids compare as bytes."""

    first: str = ""
    end: str | None = None

    def condition(self, scope: Scope) -> tuple[str, Parameters]:
        """Return the SQL that picks its cases, and the values in it."""
        if scope.case_id is not None:
            return "{key} = %(case)s", {"case": scope.case_id}
        parts, values = ["{key} >= %(first)s"], {"first": self.first}
        if self.end is not None:
            parts.append("{key} < %(end)s")
            values["end"] = self.end
        if scope.since is not None:
            inner = " AND ".join(part.replace("{key}", "case_id") for part in parts)
            parts.append(
                "{key} IN (SELECT case_id FROM ONLY audit_events "  # noqa: S608 (constants)
                f"WHERE {inner} AND recorded_at >= %(since)s::timestamptz)"
            )
            values["since"] = scope.since
        return " AND ".join(parts), values


@contextmanager
def snapshot(parameters: Parameters, name: str | None = None) -> Iterator[psycopg.Connection[Any]]:
    """Yield a connection in a read-only transaction that sees one moment.

    Args:
        parameters: what psycopg connects with.
        name: the exported snapshot to see; None takes a new one.
    """
    with psycopg.connect(**parameters) as connection:
        connection.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
        connection.read_only = True
        if name is not None:
            # As the first statement of the transaction, and without a placeholder.
            connection.execute(f"SET TRANSACTION SNAPSHOT '{name}'")
        connection.execute(SESSION)
        yield connection


def _check(connection: psycopg.Connection[Any], part: Range, scope: Scope) -> Report:
    return check_rows(connection, *part.condition(scope)).shortened(MOST_FINDINGS)


def ranges(connection: psycopg.Connection[Any], scope: Scope) -> tuple[list[Range], int]:
    """Cut the cases into ranges of about the same work; return them and the number of events.

    A sample of pages says where to cut. It may be wrong: that costs time, never a case, since the
    ranges together always cover everything.
    """
    if scope.case_id is not None:
        return [Range()], 1
    size = "SELECT pg_relation_size('audit_events') / current_setting('block_size')::int"
    [(pages,)] = connection.execute(size).fetchall()
    share = min(100.0, 100.0 * _SAMPLED / max(pages, 1))
    sample = f"SELECT case_id FROM ONLY audit_events TABLESAMPLE SYSTEM ({share}) REPEATABLE (0)"  # noqa: S608 (a number)
    seen = sorted(case_id for (case_id,) in connection.execute(sample))
    events = round(len(seen) * 100 / share)
    count = max(1, round(events / PER_RANGE))
    cuts = sorted({seen[len(seen) * n // count] for n in range(1, count)})
    return [Range(*pair) for pair in zip(["", *cuts], [*cuts, None], strict=True)], events


class _Process:
    """What a process of the pool keeps for as long as it lives."""

    def __init__(self) -> None:
        self.transaction = ExitStack()
        self.connections: list[psycopg.Connection[Any]] = []


_here: Final = _Process()


def _open(parameters: Parameters, name: str) -> None:
    Thread(target=_leave_with_parent, daemon=True).start()
    _here.connections.append(_here.transaction.enter_context(snapshot(parameters, name)))


def _leave_with_parent() -> None:
    """End at once when the parent was killed: nobody else would close this transaction."""
    parent = parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)


def _check_here(part: Range, scope: Scope) -> Report:
    return _check(_here.connections[0], part, scope)


def verify(
    parameters: Parameters,
    scope: Scope,
    *,
    processes: int,
    progress: Progress = lambda _share, _so_far: None,
) -> Report:
    """Verify the cases of a scope, all as of one moment.

    Args:
        parameters: what psycopg connects with; plain values, since processes are told of them.
        scope: which cases.
        processes: the most that work side by side; a small trail is checked in this one.
        progress: is told which share is done, 0 to 1, and what has come up so far.

    Raises:
        psycopg.Error: the database cannot be read.
    """
    report = Report()
    with snapshot(parameters) as connection:
        parts, events = ranges(connection, scope)
        progress(0.0, report)
        if processes < 2 or events < _LARGE:  # noqa: PLR2004 (side by side takes two)
            for done, part in enumerate(parts, start=1):
                report.add(_check(connection, part, scope), MOST_FINDINGS)
                progress(done / len(parts), report)
            return report.sorted()
        [(name,)] = connection.execute("SELECT pg_export_snapshot()").fetchall()
        with ProcessPoolExecutor(
            min(processes, len(parts)), get_context("spawn"), _open, (parameters, name)
        ) as pool:
            try:
                for done, found in enumerate(_side_by_side(pool, parts, scope), start=1):
                    report.add(found, MOST_FINDINGS)
                    progress(done / len(parts), report)
            except BaseException:
                # Whoever waits for a lock of the database would be waited for, and nobody wants
                # to know any more what it finds. What has not begun ends with them: cancelled
                # before, it would be a traceback of the pool's own thread.
                for process in active_children():
                    process.terminate()
                raise
    return report.sorted()


def _side_by_side(pool: Executor, parts: list[Range], scope: Scope) -> Iterator[Report]:
    tasks: list[Future[Report]] = [pool.submit(_check_here, part, scope) for part in parts]
    for task in as_completed(tasks):
        yield task.result()
