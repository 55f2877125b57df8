"""What master and workers of the web server know of each other, in memory that they share.

A worker that is told to end looks here for why: the whole service stops, and a balancer has to
notice; or newer workers take its place, and have to be up first.
"""

from __future__ import annotations

import mmap
import struct
from collections.abc import Callable
from typing import Any, Final

# Made by whoever imports this first, which is the master: its children inherit it.
_SHARED: Final = mmap.mmap(-1, 16)
_STOPS: Final = 0
_NEWEST: Final = 8

drain_seconds = 0
"""For how long a service that stops goes on serving, and says that it is not ready."""


def announcing(stop: Callable[..., None]) -> Callable[..., None]:
    """Return the master's ``stop`` with a word to its workers before."""

    def announced(*args: Any, **options: Any) -> None:
        _SHARED[_STOPS] = 1
        stop(*args, **options)

    return announced


def stopping() -> bool:
    """Tell whether the whole service is about to end."""
    return _SHARED[_STOPS] == 1


def serves(age: int) -> None:
    """Say that the worker of this age, which is higher the later it was born, is up."""
    if age > newest():
        struct.pack_into("Q", _SHARED, _NEWEST, age)


def newest() -> int:
    """Return the age of the last worker that has come up."""
    found: tuple[int] = struct.unpack_from("Q", _SHARED, _NEWEST)
    return found[0]
