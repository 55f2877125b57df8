"""Rounds and verdicts: whose turn it is, what is compared with what, what is asked."""

from __future__ import annotations

import pytest

from tests.bench import report
from tests.bench.rounds import Ratio, Rounds, ratio_of


def rounds(**rates: list[float]) -> Rounds:
    found = Rounds()
    found.measured = {name.replace("_", "-"): list(row) for name, row in rates.items()}
    return found


def test_another_contender_begins_each_round() -> None:
    order: list[str] = []
    contenders = {name: lambda name=name: order.append(name) or 1.0 for name in "abc"}

    Rounds().play(contenders, 3, lambda _: None)

    assert "".join(order) == "abcbcacab"


def test_a_ratio_compares_within_rounds_before_it_takes_the_median() -> None:
    # The last round was slow for both: the medians of the rates would say 2.0 as well, the
    # spread would not say that they never differed.
    assert ratio_of([200.0, 100.0, 20.0], [100.0, 50.0, 10.0]) == Ratio(2.0, 2.0, 2.0)
    assert ratio_of([1.0, 2.0, 9.0], [1.0, 1.0, 1.0]) == Ratio(2.0, 1.0, 9.0)


@pytest.mark.parametrize(("rate", "lacks"), [(90.0, 1), (100.0, 0)])
def test_the_lifecycle_is_held_against_the_better_peer(rate: float, lacks: int) -> None:
    found = rounds(service=[rate], peer_sync=[80.0], peer_async=[100.0], pgbench=[1000.0])

    missed = report.missed({"lifecycle": found}, {})

    assert len(missed) == lacks
    assert all("peer-async" in sentence for sentence in missed)


def test_reads_are_to_be_half_as_fast_again_as_the_peer() -> None:
    found = rounds(service=[140.0], peer_sync=[100.0])

    assert report.missed({"detail": found, "list": found}, {}) == [
        "detail: 1.40 of peer-sync, asked 1.5",
        "list: 1.40 of peer-sync, asked 1.5",
    ]


def test_a_page_among_many_costs_its_time_among_few_by_the_ratio_of_the_rates() -> None:
    rates = {"first of 9": 10.0, "middle of 9": 10.0, "last of 9": 10.0}
    rates |= {"first of 3": 10.0, "middle of 3": 12.0, "last of 3": 16.0}
    pages = Rounds()
    pages.measured = {name: [rate] for name, rate in rates.items()}

    sizes = report.costs_of_size(pages, 9, 3)

    assert {place: ratio.median for place, ratio in sizes.items()} == {
        "first": 1.0, "middle": 1.2, "last": 1.6,
    }  # fmt: skip
    assert report.missed({}, sizes) == ["pages, last: 1.60 times, asked 1.5"]


def test_without_a_peer_nothing_is_asked() -> None:
    found = rounds(service=[1.0], pgbench=[1000.0])

    assert report.missed({"lifecycle": found}, {}) == []
    assert "lifecycle  : pgbench      0.00" in report.terminal({"lifecycle": found}, {})
