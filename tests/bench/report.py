"""The outcome, as tables for a terminal and as JSON for a file."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from statistics import median
from typing import Any, Final

from tests.bench.rounds import Ratio, Rounds, ratio_of

SERVICE: Final = "service"
# What is asked of the service against the better of its peers, and of a page's depth.
WANTED: Final = {"lifecycle": 1.0, "detail": 1.5, "list": 1.5}
DEEPEST: Final = 1.5
PLACES: Final = ("first", "middle", "last")


def better_peer(rounds: Rounds) -> str | None:
    """Return the peer with the higher median, or None where none was measured."""
    peers = [name for name in rounds.measured if name.startswith("peer-")]
    return max(peers, key=lambda name: median(rounds.rates(name)), default=None)


def comparisons(mixes: dict[str, Rounds]) -> Iterator[tuple[str, str, Ratio, float | None]]:
    """Yield mix, other contender, ratio of the service to it, and what is asked of that ratio."""
    for mix, rounds in mixes.items():
        if SERVICE not in rounds.measured:
            continue
        best = better_peer(rounds)
        for other in rounds.measured:
            if other != SERVICE:
                wanted = WANTED.get(mix) if other == best else None
                yield mix, other, rounds.ratio(SERVICE, other), wanted


def costs_of_size(pages: Rounds, large: int, small: int) -> dict[str, Ratio]:
    """Return what a page costs among many cases, as a multiple of its cost among few.

    Closed loops: the time of a request is the number of clients by the rate, so that the ratio of
    the rates, turned round, is that of the times.
    """
    return {
        place: ratio_of(pages.rates(f"{place} of {small}"), pages.rates(f"{place} of {large}"))
        for place in PLACES
    }


def terminal(mixes: dict[str, Rounds], sizes: dict[str, Ratio]) -> str:
    """Return all tables, in words and columns that a person reads."""
    head = ("mix", "contender", "req/s", "least-most", "p50", "p95", "p99", "cpu/req (ms)")
    lines = ["{:<10} {:<20} {:>8} {:>14} {:>7} {:>7} {:>7} {:>7}".format(*head)]
    for mix, rounds in mixes.items():
        lines += [_line(mix, name, rounds) for name in rounds.measured]
    lines += ["", "The service against the others, requests a second: median (least-most)"]
    for mix, other, ratio, wanted in comparisons(mixes):
        verdict = "" if wanted is None else f"   asked: {wanted}  {_verdict(ratio, wanted)}"
        lines.append(f"  {mix:<10} : {other:<12} {ratio}{verdict}")
    lines += ["", "A page among many cases, as a multiple of its cost among few"]
    for place, ratio in sizes.items():
        good = "yes" if ratio.median <= DEEPEST else "NO"
        lines.append(f"  {place:<10} {ratio}   asked: at most {DEEPEST}  {good}")
    return "\n".join(lines)


def _line(mix: str, name: str, rounds: Rounds) -> str:
    rates = rounds.rates(name)
    spread = f"{min(rates):.0f}-{max(rates):.0f}"
    columns = [
        rounds.middle(name, lambda one: one.p50),
        rounds.middle(name, lambda one: one.p95),
        rounds.middle(name, lambda one: one.p99),
        rounds.middle(name, lambda one: one.server_cpu),
    ]
    cells = " ".join(f"{'-' if value is None else f'{value:.2f}':>7}" for value in columns)
    return f"{mix:<10} {name:<20} {median(rates):8.1f} {spread:>14} {cells}"


def _verdict(ratio: Ratio, wanted: float) -> str:
    return "yes" if ratio.median >= wanted else "NO"


def as_json(
    setting: dict[str, Any], mixes: dict[str, Rounds], sizes: dict[str, Ratio]
) -> dict[str, Any]:
    """Return everything measured, every round of it, for a JSON file."""
    return {
        "setting": setting,
        "rounds": {
            mix: {
                name: {
                    "rates": rounds.rates(name),
                    "seen": [one.as_json() for one in rounds.figures(name)],
                }
                for name in rounds.measured
            }
            for mix, rounds in mixes.items()
        },
        "ratios": [
            {"mix": mix, "other": other, **vars(ratio), "wanted": wanted}
            for mix, other, ratio, wanted in comparisons(mixes)
        ],
        "cost_of_size": {place: vars(ratio) for place, ratio in sizes.items()},
    }


def missed(mixes: dict[str, Rounds], sizes: dict[str, Ratio]) -> Sequence[str]:
    """Return what was asked for and not reached, a sentence each."""
    return [
        f"{mix}: {ratio.median:.2f} of {other}, asked {wanted}"
        for mix, other, ratio, wanted in comparisons(mixes)
        if wanted is not None and ratio.median < wanted
    ] + [
        f"pages, {place}: {ratio.median:.2f} times, asked {DEEPEST}"
        for place, ratio in sizes.items()
        if ratio.median > DEEPEST
    ]
