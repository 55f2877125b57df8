"""Where the pieces of a plot stand, and how long they are."""

from __future__ import annotations

import pytest

from cases.admin.plots import BASE, LEFT, TOP, Bar, bars, of_a_whole, share, side_by_side


def across(piece) -> tuple[float, float]:
    begin = float(piece.x.rstrip("%"))
    return begin, begin + float(piece.width.rstrip("%"))


def upwards(piece) -> tuple[float, float]:
    return BASE - float(piece.y) - float(piece.height), BASE - float(piece.y)


NAMES = [f"week {n}" for n in range(12)]


def test_the_longest_bar_stands_for_the_greatest_number_and_nothing_for_none() -> None:
    rows = [Bar("a", 40, "?", part=10), Bar("b", 10, "?"), Bar("c", 0, "?")]

    drawn = bars(rows, what="Letter", said="Some.").rows

    assert [row.width for row in drawn] == ["100.00%", "25.00%", "0"]
    assert [row.part_width for row in drawn] == ["25.00%", "0", "0"]


def test_one_of_a_million_can_still_be_seen() -> None:
    assert share(1, 1_000_000) == "0.60%"


def test_columns_are_as_high_as_their_numbers_and_stand_side_by_side() -> None:
    created, closed = [10] * 11 + [40], [5] * 12

    plot = side_by_side(NAMES, [("created", "created", created), ("closed", "closed", closed)])

    heights = [float(piece.height) for piece in plot.pieces if piece.kind == "created"]
    assert heights[-1] == pytest.approx(BASE - TOP)
    assert heights[0] == pytest.approx((BASE - TOP) / 4)
    edges = [edge for piece in plot.pieces for edge in across(piece)]
    assert edges == sorted(edges)
    assert edges[0] >= LEFT
    assert edges[-1] <= 100
    assert [upwards(piece)[0] for piece in plot.pieces] == pytest.approx([0] * 24)


def test_a_column_says_what_it_is_and_one_of_nothing_is_not_there() -> None:
    numbers = [0] * 11 + [1234]

    [piece] = side_by_side(NAMES, [("created", "created", numbers)]).pieces

    assert piece.said == "week 11: 1,234 created"


@pytest.mark.parametrize(
    ("most", "top"),
    [(0, 2), (1, 2), (3, 4), (9, 10), (11, 20), (42, 60), (99, 100), (101, 200), (84_321, 100_000)],
)
def test_the_scale_ends_with_an_even_number_that_holds_the_most(most, top) -> None:
    plot = side_by_side(NAMES, [("created", "created", [most] * 12)])

    assert [mark.text for mark in plot.scale] == ["0", f"{top // 2:,}", f"{top:,}"]


def test_the_parts_of_a_whole_fill_it_from_the_base_to_the_top() -> None:
    parts = [(3, 1), (0, 2), (0, 0), *[(1, 0)] * 9]

    plot = of_a_whole(NAMES, parts, kinds=("kept", "missed"), said=("in time", "late"))

    first = [piece for piece in plot.pieces if piece.said.startswith("week 0:")]
    assert [piece.said for piece in first] == ["week 0: 3 in time, 75%", "week 0: 1 late, 25%"]
    assert [piece.kind for piece in first] == ["kept", "missed"]
    assert upwards(first[0])[0] == 0
    assert upwards(first[0])[1] == pytest.approx(upwards(first[1])[0], abs=0.1)
    assert upwards(first[1])[1] == pytest.approx(BASE - TOP)
    assert not [piece for piece in plot.pieces if piece.said.startswith("week 2:")]
    assert len(plot.pieces) == 2 + 1 + 0 + 9


def test_the_last_column_is_named_and_so_is_every_third_before_it() -> None:
    plot = side_by_side(NAMES, [("created", "created", [1] * 12)])

    assert [mark.text for mark in plot.names] == ["week 2", "week 5", "week 8", "week 11"]
