"""Plots as places and lengths, which templates draw as SVG: no script, and no style in the page.

Widths are shares of the plot, heights are pixels, so that a plot fits any page and its words keep
their size. Two kinds: rows with a bar each, and columns in the order of time.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import chain
from typing import Final, NamedTuple

# Where columns stand: right of the numbers of the scale, between top and base.
LEFT: Final = 11.0
TOP: Final = 14.0
BASE: Final = 164.0
# Names need more room than columns have: one in so many is named, the last one among them.
NAMED: Final = 3


class Bar(NamedTuple):
    """A row: what it is about, how many, how long its bar is, and where the cases are.

    Some of them may stand out from the rest: ``part``.
    """

    label: str
    number: int
    url: str
    part: int = 0
    part_url: str = ""
    # What it is drawn as, where that is not the same for all rows.
    kind: str = ""
    width: str = "0"
    part_width: str = "0"


class Bars(NamedTuple):
    """Rows of one kind; ``said`` is what they show, in a sentence."""

    what: str
    said: str
    rows: Sequence[Bar]
    # What the part of a bar is called that stands out, if there is one.
    part: str
    # What is not shown row by row.
    rest: str


class Piece(NamedTuple):
    """A rectangle of a column, and what it says to a pointer."""

    x: str
    y: str
    width: str
    height: str
    kind: str
    said: str


class Mark(NamedTuple):
    """A word at a place."""

    at: str
    text: str


class Columns(NamedTuple):
    """Columns in the order of time, with a scale at the left and names beneath."""

    pieces: Sequence[Piece]
    scale: Sequence[Mark]
    names: Sequence[Mark]


def share(number: int, most: int) -> str:
    """Return how much a number is of the most, as a length; what is there at all can be seen."""
    return f"{max(100 * number / most, 0.6):.2f}%" if number else "0"


def bars(rows: Sequence[Bar], *, what: str, said: str, part: str = "", rest: str = "") -> Bars:
    """Return rows with bars, the longest for the greatest number."""
    most = max((row.number for row in rows), default=0)
    drawn = [
        row._replace(width=share(row.number, most), part_width=share(row.part, most))
        for row in rows
    ]
    return Bars(what, said, drawn, part, rest)


def side_by_side(names: Sequence[str], series: Sequence[tuple[str, str, Sequence[int]]]) -> Columns:
    """Return columns of several series beside each other.

    Args:
        names: what each group of columns is called.
        series: of each its kind, what it is in words, and a number for each name.
    """
    top = _round_up(max(chain.from_iterable(numbers for _, _, numbers in series)))
    room = _room(names)
    wide = room * 0.8 / len(series)
    pieces = [
        _piece(
            (LEFT + (n + 0.1) * room + at * wide, wide * 0.92),
            (0, numbers[n] / top),
            kind,
            f"{name}: {numbers[n]:,} {words}",
        )
        for n, name in enumerate(names)
        for at, (kind, words, numbers) in enumerate(series)
        if numbers[n]
    ]
    return Columns(pieces, _scale(top), _beneath(names))


def of_a_whole(
    names: Sequence[str],
    parts: Sequence[tuple[int, int]],
    *,
    kinds: tuple[str, str],
    said: tuple[str, str],
) -> Columns:
    """Return columns that show two parts of a whole, the first one from the base up.

    Args:
        names: what each column is called.
        parts: the two numbers of each; a whole of nothing has no column.
        kinds: the kind of either part.
        said: what either is, in words.
    """
    room = _room(names)
    pieces = []
    for n, (name, numbers) in enumerate(zip(names, parts, strict=True)):
        below = 0.0
        for kind, words, number in zip(kinds, said, numbers, strict=True):
            if number:
                part = number / sum(numbers)
                place = (LEFT + (n + 0.15) * room, room * 0.7)
                told = f"{name}: {number:,} {words}, {part:.0%}"
                pieces.append(_piece(place, (below, part), kind, told))
                below += part
    return Columns(pieces, _scale(100, "%"), _beneath(names))


def _piece(
    across: tuple[float, float], upwards: tuple[float, float], kind: str, said: str
) -> Piece:
    """Return a rectangle: where it begins and how wide it is, and the same upwards."""
    (x, width), (below, part) = across, upwards
    high = (BASE - TOP) * part
    top = BASE - (BASE - TOP) * below - high
    return Piece(f"{x:.2f}%", f"{top:.1f}", f"{width:.2f}%", f"{max(high, 1):.1f}", kind, said)


def _room(names: Sequence[str]) -> float:
    return (100 - LEFT) / len(names)


def _beneath(names: Sequence[str]) -> list[Mark]:
    room = _room(names)
    return [
        Mark(f"{LEFT + (n + 0.5) * room:.2f}%", name)
        for n, name in enumerate(names)
        if (len(names) - 1 - n) % NAMED == 0
    ]


def _scale(top: int, unit: str = "") -> list[Mark]:
    return [
        Mark(f"{BASE - (BASE - TOP) * number / top:.1f}", f"{number:,}{unit}")
        for number in (0, top // 2, top)
    ]


def _round_up(most: int) -> int:
    """Return the end of a scale that holds the most: even, and easily read."""
    step = 1
    while True:
        for one in (2, 4, 6, 8, 10):
            if one * step >= most:
                return one * step
        step *= 10
