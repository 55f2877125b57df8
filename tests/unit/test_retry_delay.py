"""How long a failed delivery waits: longer each time, never too long, never in step."""

from __future__ import annotations

from datetime import timedelta

import pytest

from outbox.relay import retry_delay

HOUR = 3600


@pytest.mark.parametrize(
    ("attempts", "longest"),
    [(1, 1), (2, 2), (3, 4), (4, 8), (8, 128), (12, 2048), (13, HOUR), (50, HOUR), (10**6, HOUR)],
)
def test_the_wait_doubles_to_an_hour_and_at_most_half_of_it_is_chance(attempts, longest) -> None:
    waits = [retry_delay(attempts) for _ in range(200)]

    assert timedelta(seconds=longest / 2) <= min(waits)
    assert max(waits) <= timedelta(seconds=longest)


def test_deliveries_that_failed_together_are_not_retried_together() -> None:
    assert len({retry_delay(5) for _ in range(50)}) > 40
