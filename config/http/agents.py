"""What a browser says that it is, in two words; what it sends is nothing to show to people."""

from __future__ import annotations

from typing import Final

# The first that is found: most of them name the ones that they descend from, too.
_PROGRAMS: Final = {
    "Edg": "Edge",
    "OPR/": "Opera",
    "Firefox/": "Firefox",
    "FxiOS/": "Firefox",
    "CriOS/": "Chrome",
    "Chrome/": "Chrome",
    "Safari/": "Safari",
}
_SYSTEMS: Final = {
    "Windows": "Windows",
    "Android": "Android",
    "iPhone": "iPhone",
    "iPad": "iPad",
    "Macintosh": "macOS",
    "CrOS": "ChromeOS",
    "Linux": "Linux",
}


def described(agent: str) -> str:
    """Return words for a ``User-Agent``, like "Firefox on Linux"; it proves nothing."""
    program = next((name for mark, name in _PROGRAMS.items() if mark in agent), "Another program")
    system = next((name for mark, name in _SYSTEMS.items() if mark in agent), "")
    return f"{program} on {system}" if system else program
