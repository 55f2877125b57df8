"""Waking: what comes while somebody is busy is not lost on them."""

from __future__ import annotations

import threading
import time

from outbox.wakeup import Wakings


def test_who_was_woken_meanwhile_does_not_wait() -> None:
    wakings = Wakings()
    before = wakings.count
    wakings.wake()

    began = time.monotonic()

    assert wakings.wait(since=before, seconds=30)
    assert time.monotonic() - began < 10


def test_who_is_not_woken_waits_no_longer_than_asked() -> None:
    wakings = Wakings()

    assert not wakings.wait(since=wakings.count, seconds=0.01)


def test_everybody_who_waits_is_woken() -> None:
    wakings, woken = Wakings(), []
    since = wakings.count
    threads = [
        threading.Thread(target=lambda: woken.append(wakings.wait(since=since, seconds=30)))
        for _ in range(3)
    ]
    for thread in threads:
        thread.start()
    wakings.wake()
    for thread in threads:
        thread.join(20)

    assert woken == [True, True, True]
