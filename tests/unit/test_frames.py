"""Room for what a thread calls: no call asks the system for memory, however deep it is made."""

from __future__ import annotations

import resource
from threading import Thread

from config.frames import with_room

CALLS = 200


def nothing() -> None:
    """Take more room than a step into the depth, so no border is stepped over."""
    a = b = c = d = e = f = g = h = i = j = k = m = n = o = p = q = r = s = t = u = v = w = 0
    del a, b, c, d, e, f, g, h, i, j, k, m, n, o, p, q, r, s, t, u, v, w


def faults_at(depth: int) -> int:
    """Return how many pages the system gave to a loop of calls that is so deep."""
    if depth:
        return faults_at(depth - 1)
    before = resource.getrusage(resource.RUSAGE_THREAD).ru_minflt
    for _ in range(CALLS):
        nothing()
    return resource.getrusage(resource.RUSAGE_THREAD).ru_minflt - before


def test_a_loop_of_calls_is_given_no_memory_whatever_its_depth() -> None:
    found: list[int] = []

    def look() -> None:
        found.extend(faults_at(depth) for depth in range(200))

    thread = Thread(target=with_room(look))
    thread.start()
    thread.join()

    assert len(found) == 200
    assert max(found) < CALLS / 4


def test_what_it_does_stays_the_same() -> None:
    def told(one: int, *, other: str) -> tuple[int, str]:
        return one, other

    assert with_room(told)(1, other="two") == (1, "two")
