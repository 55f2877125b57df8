"""Room for what a thread calls, in one piece.

CPython keeps what functions work with in pieces of 16 KB. Where a loop calls across the border of
two, each call has the system give a piece and take it back (python/cpython#142183; mended in
versions of 2026). Which loops do so is a matter of their depth, and of luck.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, ParamSpec, TypeVar

P = ParamSpec("P")
R = TypeVar("R")

# Words. More than 128 KB, so CPython takes a piece of 256 KB and leaves its other half, some
# hundreds of calls, to what is called. Nothing is ever written to this one.
_STACK: Final = 2**14 + 1


def with_room(call: Callable[P, R]) -> Callable[P, R]:
    """Return what does the same, and keeps all that is called from there in one piece."""

    def roomy(*args: P.args, **kwargs: P.kwargs) -> R:
        return call(*args, **kwargs)

    roomy.__code__ = roomy.__code__.replace(co_stacksize=_STACK)
    return roomy
