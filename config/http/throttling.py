"""How often one actor may call: ``API_RATE``, counted in this process or in a shared store."""

from __future__ import annotations

import math
import threading
import time
from functools import lru_cache
from typing import TYPE_CHECKING, Final

import structlog
from django.conf import settings
from limits import RateLimitItem, parse
from limits.errors import StorageError
from limits.storage import Storage, storage_from_string
from limits.strategies import FixedWindowRateLimiter
from rest_framework.request import Request
from rest_framework.throttling import BaseThrottle

from cases.policies import Actor
from config.http.addresses import client_address

if TYPE_CHECKING:  # DRF imports this module while it loads its own views
    from rest_framework.views import APIView

_SWEEP: Final = 60.0  # seconds between two looks for windows that have ended
_log = structlog.get_logger("throttling")


class CountersOfThisProcess(Storage):
    """Counts in memory.

    The library's own store in memory starts a thread for every request that comes more than a
    hundredth of a second after the last: some 250 µs. This one takes about 2.
    """

    STORAGE_SCHEME = None

    def __init__(self) -> None:
        super().__init__()
        self._lock = threading.Lock()
        self._windows: dict[str, tuple[int, float]] = {}
        self._swept = time.time()

    @property
    def base_exceptions(self) -> tuple[type[Exception], ...]:
        """Return what an outage of the store would raise: memory has none."""
        return ()

    def incr(self, key: str, expiry: float, amount: int = 1) -> int:
        """Count, in a window of ``expiry`` seconds that the first request opens."""
        now = time.time()
        with self._lock:
            count, end = self._windows.get(key, (0, 0.0))
            if end <= now:
                count, end = 0, now + expiry
            self._windows[key] = (count + amount, end)
            if now - self._swept > _SWEEP:
                self._swept = now
                self._windows = {k: w for k, w in self._windows.items() if w[1] > now}
        return count + amount

    def get(self, key: str) -> int:
        """Return the count of the window that is open."""
        count, end = self._windows.get(key, (0, 0.0))
        return count if end > time.time() else 0

    def get_expiry(self, key: str) -> float:
        """Return when the window ends, in seconds since 1970."""
        return self._windows.get(key, (0, time.time()))[1]

    def check(self) -> bool:
        """Say that the store works."""
        return True

    def reset(self) -> int:
        """Forget everything."""
        count = len(self._windows)
        self._windows = {}
        return count

    def clear(self, key: str) -> None:
        """Forget one window."""
        self._windows.pop(key, None)


@lru_cache(maxsize=8)
def limiter(storage: str) -> FixedWindowRateLimiter:
    """Return the counters behind a ``THROTTLE_STORAGE``.

    Raises:
        ConfigurationError: no such kind of store, or its package is not installed.
    """
    if storage == "memory://":
        return FixedWindowRateLimiter(CountersOfThisProcess())
    return FixedWindowRateLimiter(storage_from_string(storage, wrap_exceptions=True))


# Parsing takes longer than counting.
rate: Final = lru_cache(maxsize=8)(parse)


def seconds_to_wait(*who: str) -> float | None:
    """Count one request; return how long to wait if there have been too many, else None.

    A shared store that is away stops nobody: the limit is there to keep the service usable.
    """
    if not settings.API_RATE:
        return None
    item: RateLimitItem = rate(settings.API_RATE)
    counters = limiter(settings.THROTTLE_STORAGE)
    try:
        if counters.hit(item, *who):
            return None
        return max(counters.get_window_stats(item, *who).reset_time - time.time(), 1.0)
    except StorageError as error:
        _log.warning("throttle_storage_away", cause=type(error.storage_error).__name__)
        return None


class ActorThrottle(BaseThrottle):
    """Counts the requests of each actor, whichever way and from wherever they come."""

    def allow_request(self, request: Request, view: APIView) -> bool:
        """Count the request and tell whether it may go on."""
        del view
        actor = request.auth
        self._wait = seconds_to_wait("actor", actor.id) if isinstance(actor, Actor) else None
        return self._wait is None

    def wait(self) -> float | None:
        """Return for how many seconds the actor is to wait."""
        return self._wait


def stranger_to_wait(request: Request) -> int | None:
    """Count a request that named no actor, for its address; return the seconds to wait, if any."""
    wait = seconds_to_wait("address", client_address(request._request) or "none")  # noqa: SLF001 (Django's, below DRF's)
    return None if wait is None else math.ceil(wait)
