"""Lengths of time as operators write them."""

from __future__ import annotations

import argparse
import re
from datetime import timedelta
from typing import Final

_DURATION: Final = re.compile(r"([0-9]{1,6})([smhdw])")
_UNITS: Final = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days", "w": "weeks"}


def duration(text: str) -> timedelta:
    """Read ``90s``, ``15m``, ``36h``, ``30d`` or ``2w``, as the type of a command's argument.

    Raises:
        argparse.ArgumentTypeError: it is none of these.
    """
    found = _DURATION.fullmatch(text)
    if found is None:
        message = f"{text!r} is no length of time: write 15m, 36h, 30d or 2w."
        raise argparse.ArgumentTypeError(message)
    return timedelta(**{_UNITS[found[2]]: int(found[1])})
