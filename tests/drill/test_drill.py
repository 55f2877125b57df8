"""The verdict of `make drill`: what counts as passed, and that each kind of fault is seen."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

import pytest

from tests.drill import __main__ as drill
from tests.drill.arrivals import Arrival, Verdict, judge
from tests.drill.faults import KINDS

COMMITTED = {"a": ("CASE-000001", 0), "b": ("CASE-000001", 1), "c": ("CASE-000002", 0)}
A, B, C = (Arrival(event, *where) for event, where in COMMITTED.items())
STRAY = Arrival("x", "CASE-000003", 0)
CLEAN = Verdict(3, 0, (), (), ())
GOOD = drill.Outcome(
    seed=7,
    seconds=20.0,
    changes=Counter({"changes": 640, "taken back": 31}),
    faults=Counter(dict.fromkeys(KINDS, 2)),
    committed=640,
    cases=80,
    verdicts={"webhook": replace(CLEAN, repeats=5)},
)


@pytest.mark.parametrize(
    ("arrivals", "verdict"),
    [
        ([A, B, C], CLEAN),
        ([C, A, B], CLEAN),
        # Repeats may come at any time: the first arrival counts.
        ([A, B, A, C, B], replace(CLEAN, arrivals=5, repeats=2)),
        ([A, C], replace(CLEAN, arrivals=2, losses=("b",))),
        ([B, A, C], replace(CLEAN, out_of_order=("CASE-000001",))),
        ([B, C], replace(CLEAN, arrivals=2, losses=("a",), out_of_order=("CASE-000001",))),
        ([A, B, C, STRAY], replace(CLEAN, arrivals=4, not_committed=("x",))),
        # Read and answered with an error: it has to come again.
        ([A, B._replace(taken=False), C], replace(CLEAN, losses=("b",))),
        # Read in order, but taken in another.
        ([A._replace(taken=False), B, A, C],
         replace(CLEAN, arrivals=4, repeats=1, out_of_order=("CASE-000001",))),
        ([A, B._replace(taken=False), C, B], replace(CLEAN, arrivals=4, repeats=1)),
        ([B._replace(taken=False), A, B, C],
         replace(CLEAN, arrivals=4, repeats=1, out_of_order=("CASE-000001",))),
    ],
)  # fmt: skip
def test_what_arrived_is_held_against_what_was_committed(arrivals, verdict) -> None:
    assert judge(COMMITTED, arrivals) == verdict
    assert verdict.passed == (replace(verdict, arrivals=3, repeats=0) == CLEAN)


def test_a_drill_that_lost_nothing_passes_and_says_its_figures(capsys) -> None:
    assert drill.conclude(GOOD) == 0

    said = capsys.readouterr().out
    assert "seed 7" in said
    assert "3 arrivals, 5 repeats, losses = 0, out of order = 0, not committed = 0" in said


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"verdicts": {"log": replace(CLEAN, losses=("a", "b"))}}, "log: 2 lost, such as a, b."),
        (
            {"verdicts": {"broker": replace(CLEAN, out_of_order=("CASE-000001",))}},
            "broker: 1 out of order, such as CASE-000001.",
        ),
        (
            {"verdicts": {"log": replace(CLEAN, not_committed=("x",))}},
            "log: 1 not committed, such as x.",
        ),
        ({"committed": 199}, "199 events are too few: at least 200 are asked."),
        ({"changes": Counter(changes=640)}, "No change was taken back."),
        (
            {"faults": GOOD.faults - Counter({KINDS[0]: 2})},
            "It never came to this: drainer killed.",
        ),
        ({"broken": ["A drainer ended with 1."]}, "A drainer ended with 1."),
    ],
)
def test_each_shortcoming_fails_the_drill(changes, sentence, capsys) -> None:
    assert drill.conclude(replace(GOOD, **changes)) == 1
    assert f"Not passed: {sentence}" in capsys.readouterr().out
