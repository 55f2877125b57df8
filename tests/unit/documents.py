"""Reads the pages of the documentation: sections, tables, and what stands between backticks."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

PROJECT = Path(__file__).parents[2]
DOCS = PROJECT / "docs"
NOT_OURS = {"var", "staticfiles", "node_modules"}


def page(name: str) -> str:
    """Return a page of docs/, or of the project's root."""
    path = DOCS / name
    return (path if path.exists() else PROJECT / name).read_text()


def section(name: str, heading: str) -> str:
    """Return what stands below a heading, up to the next one that is as high."""
    text = page(name)
    start = re.search(rf"^(#+) {re.escape(heading)}$", text, re.MULTILINE)
    assert start is not None, f"{name} has no heading {heading!r}"
    rest = text[start.end() :]
    end = re.search(rf"^#{{1,{len(start[1])}}} ", rest, re.MULTILINE)
    return rest[: end.start()] if end else rest


def rows(text: str, *, width: int) -> Iterator[list[str]]:
    """Yield the rows of the tables of this width, without their heads."""
    table: list[list[str]] = []
    for line in [*text.splitlines(), ""]:
        cells = [cell.strip() for cell in line.strip("|").split("|")] if line[:1] == "|" else []
        if cells:
            table.append(cells)
        else:
            yield from (row for row in table[2:] if len(row) == width)
            table = []


def names(cell: str) -> list[str]:
    """Return what stands between backticks."""
    return re.findall(r"`([^`]+)`", cell)


def code(cell: str) -> str:
    """Return the one text between backticks, or an empty one."""
    return next(iter(names(cell)), "")


def markdown_files() -> list[Path]:
    return [
        path
        for path in sorted(PROJECT.rglob("*.md"))
        if not any(
            part in NOT_OURS or part.startswith(".") for part in path.relative_to(PROJECT).parts
        )
    ]
