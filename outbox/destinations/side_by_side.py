"""How destinations on a network hand over many messages at once, each case's in order."""

from __future__ import annotations

import asyncio
import threading
from collections import deque
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from typing import Any, Final, TypeVar

from outbox.destinations.base import Message, Outcome, Result, untried

T = TypeVar("T")
_STOP_SECONDS: Final = 5.0


class Loop:
    """An event loop in a thread of its own, so that connections live on between batches.

    A broker wants heartbeats and tells of its end while nobody delivers.
    """

    def __init__(self, name: str) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name=name, daemon=True)
        self._thread.start()

    def run(self, work: Coroutine[Any, Any, T], *, seconds: float) -> T:
        """Return what the coroutine returns.

        Raises:
            TimeoutError: it took longer than ``seconds``; it was cancelled.
            Exception: what it raised.
        """
        future = asyncio.run_coroutine_threadsafe(work, self._loop)
        try:
            return future.result(seconds)
        except TimeoutError:
            future.cancel()
            raise

    def close(self) -> None:
        """Stop the loop; what still runs in it is cancelled."""
        asyncio.run_coroutine_threadsafe(self._cancel_all(), self._loop)
        self._thread.join(_STOP_SECONDS)
        if not self._thread.is_alive():
            self._loop.close()

    async def _cancel_all(self) -> None:
        tasks = asyncio.all_tasks() - {asyncio.current_task()}
        for task in tasks:
            task.cancel()
        await asyncio.wait(tasks, timeout=_STOP_SECONDS / 2) if tasks else None
        self._loop.stop()


async def side_by_side(
    messages: Sequence[Message],
    send: Callable[[Message, int], Awaitable[Outcome]],
    *,
    at_once: int,
    seconds: float,
) -> list[Outcome]:
    """Send messages, subjects side by side, those of one subject one after another.

    A subject ends with its first message that was not delivered. When a message is untried, the
    destination is away: nothing more is begun, and what was not begun is untried as well.

    Args:
        messages: the messages, those of a subject in their order.
        send: sends one and returns its outcome; has a time-out of its own. It is told by which of
            the ``at_once`` hands, counted from 0: each sends one message at a time.
        at_once: how many are on their way at the same time, at most.
        seconds: after that nothing more is begun.

    Returns:
        An outcome for each message, in the order given.
    """
    outcomes: list[Outcome | None] = [None] * len(messages)
    queues: dict[str, list[int]] = {}
    for place, message in enumerate(messages):
        queues.setdefault(message.subject, []).append(place)
    waiting = deque(queues.values())
    away: list[Outcome] = []
    until = asyncio.get_running_loop().time() + seconds

    async def work(hand: int) -> None:
        while waiting:
            for place in waiting.popleft():
                if away:
                    return
                if asyncio.get_running_loop().time() >= until:
                    away.append(
                        untried(f"The destination is too slow for {len(messages)} at once.")
                    )
                    return
                outcome = outcomes[place] = await send(messages[place], hand)
                if outcome.result is Result.UNTRIED:
                    away.append(outcome)
                if outcome.result is not Result.DELIVERED:
                    break

    async with asyncio.TaskGroup() as group:
        for hand in range(min(at_once, len(waiting))):
            group.create_task(work(hand))
    rest = away[0] if away else untried("An earlier message of the case was not delivered.")
    return [rest if outcome is None else outcome for outcome in outcomes]
