"""Contenders taking turns: a round measures all of them, so that a slow minute hits all alike."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from tests.bench.load import Figures

Measure = Callable[[], Figures | float]


@dataclass(frozen=True)
class Ratio:
    """One contender against another: the median of the rounds' ratios, and how far they spread."""

    median: float
    least: float
    most: float

    def __str__(self) -> str:
        return f"{self.median:.2f} ({self.least:.2f}-{self.most:.2f})"


class Rounds:
    """What all rounds of one mix brought, by contender."""

    def __init__(self) -> None:
        self.measured: dict[str, list[Figures | float]] = {}

    def play(
        self, contenders: Mapping[str, Measure], count: int, say: Callable[[str], None]
    ) -> None:
        """Measure every contender once a round; who begins changes from round to round."""
        for number in range(count):
            for name in rotated(list(contenders), number):
                brought = contenders[name]()
                self.measured.setdefault(name, []).append(brought)
                say(f"  round {number + 1}  {name:<12} {_rate(brought):9.1f} /s")

    def rates(self, name: str) -> list[float]:
        """Return requests a second, a figure per round."""
        return [_rate(brought) for brought in self.measured[name]]

    def figures(self, name: str) -> list[Figures]:
        """Return what the load driver saw, an entry per round; nothing for pgbench."""
        return [brought for brought in self.measured[name] if isinstance(brought, Figures)]

    def middle(self, name: str, value: Callable[[Figures], float | None]) -> float | None:
        """Return the median over the rounds of one of the driver's figures."""
        values = [found for one in self.figures(name) if (found := value(one)) is not None]
        return statistics.median(values) if values else None

    def ratio(self, name: str, other: str) -> Ratio:
        """Compare two contenders round by round, so that what slowed both down cancels out."""
        return ratio_of(self.rates(name), self.rates(other))


def ratio_of(ones: Sequence[float], others: Sequence[float]) -> Ratio:
    """Return the median, least and greatest of the quotients of two rows of figures."""
    quotients = [one / other for one, other in zip(ones, others, strict=True)]
    return Ratio(statistics.median(quotients), min(quotients), max(quotients))


def rotated(names: list[str], by: int) -> list[str]:
    """Return the names, starting with another one each time."""
    start = by % len(names)
    return names[start:] + names[:start]


def _rate(brought: Figures | float) -> float:
    return brought.rate if isinstance(brought, Figures) else brought
