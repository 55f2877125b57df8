"""Pages lead to where they say, and decisions are called by their numbers."""

from __future__ import annotations

import re
from pathlib import Path
from urllib.parse import unquote

import pytest

from tests.unit.documents import DOCS, PROJECT, markdown_files


def test_decisions_are_numbered_without_gaps_and_have_their_four_parts() -> None:
    pages = sorted((DOCS / "decisions").glob("*.md"))

    assert [path.name[:4] for path in pages] == [f"{n:04}" for n in range(1, len(pages) + 1)]
    for path in pages:
        text = path.read_text()
        assert text.startswith(f"# {path.name[:4]} ")
        assert re.findall(r"^## (.+)$", text, re.MULTILINE) == [
            "Context", "Decision", "Rejected", "Consequences",
        ]  # fmt: skip


def test_a_decision_is_named_by_its_own_number() -> None:
    texts = [path.read_text() for path in PROJECT.glob("docs/**/*.md")]
    named = [pair for text in texts for pair in re.findall(r"\[(\d{4})\]\(\S*?(\d{4})-", text)]

    assert named
    assert [(shown, meant) for shown, meant in named if shown != meant] == []


def anchors(text: str) -> set[str]:
    """Return the anchors of a page's headings, as the usual Markdown viewers make them."""
    prose = re.sub(r"^```.*?^```", "", text, flags=re.DOTALL | re.MULTILINE)
    headings = re.findall(r"^#+ (.+)$", prose, re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("path", markdown_files(), ids=lambda path: str(path.relative_to(PROJECT)))
def test_every_relative_link_leads_somewhere(path: Path) -> None:
    prose = re.sub(r"^```.*?^```", "", path.read_text(), flags=re.DOTALL | re.MULTILINE)
    lost = []
    for link in re.findall(r"\]\(([^)\s]+)\)", prose):
        if re.match(r"[a-z]+:", link):
            continue
        name, _, anchor = unquote(link).partition("#")
        target = path if not name else path.parent / name
        there = target.exists() and (
            not anchor or target.suffix != ".md" or anchor in anchors(target.read_text())
        )
        if not there:
            lost.append(link)

    assert lost == []
