"""What the demo's cases are about: hand-written building blocks, a TOML file per category.

Braces are filled in per case: ``{firm}`` (the regulated party), ``{item}`` (what it is about),
``{place}``, ``{amount}`` and ``{count}``. All firms, people and places are invented.
"""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Final

LONG_TRAIL: Final = "Thematic review"
ABROAD: Final = "Post from abroad"


@dataclass(frozen=True, kw_only=True)
class Matter:
    """One kind of case, with everything that may be written on it."""

    category: str
    title: str
    items: tuple[str, ...]
    description: str
    notes: tuple[str, ...]  # in the order of the work
    closing: tuple[str, ...]
    escalation: str
    restriction: str  # why it is restricted; empty: it is not
    firms: tuple[str, ...]
    common_notes: tuple[str, ...]  # fit every matter of the category


@cache
def all_matters() -> dict[str, tuple[Matter, ...]]:
    """Return the matters by category, in the order of the files' names."""
    found: dict[str, tuple[Matter, ...]] = {}
    for path in sorted(Path(__file__).parent.glob("*.toml")):
        theme = tomllib.loads(path.read_text(encoding="utf-8"))
        found[theme["category"]] = tuple(_matter(theme, each) for each in theme["matters"])
    return found


def _matter(theme: dict[str, Any], matter: dict[str, Any]) -> Matter:
    return Matter(
        category=theme["category"],
        title=matter["title"],
        items=tuple(matter["items"]),
        description=matter["description"],
        notes=tuple(matter["notes"]),
        closing=tuple(matter["closing"]),
        escalation=matter["escalation"],
        restriction=matter.get("restriction", ""),
        firms=tuple(theme["firms"]),
        common_notes=tuple(theme["notes"]),
    )
