"""A caller's trace is taken over when it is one, and left alone when it is not."""

from __future__ import annotations

import pytest

from cases.signals import trace_context
from config.http.tracing import trace_of
from outbox.cloudevents import cloudevent
from tests.unit.samples import SAMPLES

TRACE, PARENT = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"
GOOD = f"00-{TRACE}-{PARENT}-01"


def test_a_valid_trace_is_taken_over_as_it_is() -> None:
    given = {"traceparent": GOOD, "tracestate": "congo=t61rcWkgMzE,rojo=00f067aa0ba902b7"}

    assert trace_of(given) == given


@pytest.mark.parametrize(
    "wrong",
    [
        "",
        "00",
        GOOD.upper(),
        f"00-{'0' * 32}-{PARENT}-01",
        f"00-{TRACE}-{'0' * 16}-01",
        f"ff-{TRACE}-{PARENT}-01",
        f"{GOOD}-extra",
        f"{GOOD},{GOOD}",
        f"{GOOD}\n",
        f"00-{TRACE}-{PARENT}-1",
    ],
)
def test_what_is_no_traceparent_means_that_there_is_no_trace(wrong) -> None:
    assert trace_of({"traceparent": wrong, "tracestate": "a=1"}) == {}


def test_of_a_later_version_the_known_part_is_passed_on() -> None:
    later = f"01-{TRACE}-{PARENT}-ff-what-comes-later"

    assert trace_of({"traceparent": later}) == {"traceparent": GOOD}


@pytest.mark.parametrize(
    "wrong",
    ["no-equals", "a=", "a=1,a=2", "=1", "A=1", "a=b=c", f"a={'x' * 600}", "a=\x7f",
     ",".join(f"k{n}=1" for n in range(33))],
)  # fmt: skip
def test_a_wrong_tracestate_is_left_out_alone(wrong) -> None:
    assert trace_of({"traceparent": GOOD, "tracestate": wrong}) == {"traceparent": GOOD}


@pytest.mark.parametrize(
    ("given", "kept"),
    [("a=1, b=2", "a=1,b=2"), (" a=1 ,,\tb=2", "a=1,b=2"), ("t@v=x y", "t@v=x y")],
)
def test_blanks_between_the_members_of_a_tracestate_mean_nothing(given, kept) -> None:
    assert trace_of({"traceparent": GOOD, "tracestate": given})["tracestate"] == kept


def test_a_message_carries_the_trace_of_its_moment_and_none_without_one() -> None:
    event = next(iter(SAMPLES.values()))
    token = trace_context.set({"traceparent": GOOD, "tracestate": "a=1"})
    try:
        message = cloudevent(event)
    finally:
        trace_context.reset(token)

    assert (message["traceparent"], message["tracestate"]) == (GOOD, "a=1")
    assert {"traceparent", "tracestate"}.isdisjoint(cloudevent(event))
