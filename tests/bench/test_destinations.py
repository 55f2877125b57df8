"""The slow receiver of the bench takes its time, and finds what is missing or out of order."""

from __future__ import annotations

import json
import time
import urllib.request

import pytest

from tests.bench.load import BenchError
from tests.bench.webhook import SECONDS, Slow, slow_receiver


def came(*messages: tuple[str, str]) -> Slow:
    slow = Slow()
    for subject, sequence in messages:
        slow.by_case.setdefault(subject, []).append(sequence)
    return slow


def test_what_came_once_and_in_order_is_taken() -> None:
    came(("A", "0"), ("B", "0"), ("A", "1")).check(3)


@pytest.mark.parametrize(
    ("messages", "said"),
    [
        ([("A", "0")], "1 of 2 webhooks came"),
        ([("A", "1"), ("A", "0")], "of A came as"),
        ([("A", "0"), ("A", "0")], "of A came as"),
    ],
    ids=["missing", "out of order", "twice"],
)
def test_what_did_not_is_no_result(messages, said) -> None:
    with pytest.raises(BenchError, match=said):
        came(*messages).check(2)


def test_the_receiver_answers_after_its_time() -> None:
    with slow_receiver() as slow:
        body = json.dumps({"subject": "A", "sequence": "0"}).encode()
        request = urllib.request.Request(f"http://127.0.0.1:{slow.port}/", data=body)
        began = time.monotonic()
        with urllib.request.urlopen(request) as answer:
            assert answer.status == 204

        assert time.monotonic() - began >= SECONDS
        slow.check(1)
