"""docs/security.md names every requirement of ASVS 4.0.3, levels 1 and 2, and proofs that exist."""

from __future__ import annotations

import ast
import re
from collections import Counter
from functools import cache
from pathlib import Path

import pytest
from django.conf import settings

from config.environment import VARIABLES
from tests.unit.documents import page, rows

PROJECT = Path(__file__).parents[2]
# The last parts of the numbers, by their first two; some of level 2 are met by the system's help.
NUMBERS = {
    "1.1": "1-7",
    "1.2": "1-4",
    "1.4": "1 4-5",
    "1.5": "1-4",
    "1.6": "1-4",
    "1.7": "1-2",
    "1.8": "1-2",
    "1.9": "1-2",
    "1.10": "1",
    "1.11": "1-2",
    "1.12": "2",
    "1.14": "1-6",
    "2.1": "1-12",
    "2.2": "1-3",
    "2.3": "1-3",
    "2.4": "1-5",
    "2.5": "1-7",
    "2.6": "1-3",
    "2.7": "1-6",
    "2.8": "1-7",
    "2.9": "1-3",
    "2.10": "1-4",
    "3.1": "1",
    "3.2": "1-4",
    "3.3": "1-4",
    "3.4": "1-5",
    "3.5": "1-3",
    "3.7": "1",
    "4.1": "1-3 5",
    "4.2": "1-2",
    "4.3": "1-3",
    "5.1": "1-5",
    "5.2": "1-8",
    "5.3": "1-10",
    "5.4": "1-3",
    "5.5": "1-4",
    "6.1": "1-3",
    "6.2": "1-6",
    "6.3": "1-2",
    "6.4": "1-2",
    "7.1": "1-4",
    "7.2": "1-2",
    "7.3": "1 3-4",
    "7.4": "1-3",
    "8.1": "1-4",
    "8.2": "1-3",
    "8.3": "1-8",
    "9.1": "1-3",
    "9.2": "1-4",
    "10.2": "1-2",
    "10.3": "1-3",
    "11.1": "1-8",
    "12.1": "1-3",
    "12.2": "1",
    "12.3": "1-6",
    "12.4": "1-2",
    "12.5": "1-2",
    "12.6": "1",
    "13.1": "1 3-5",
    "13.2": "1-3 5-6",
    "13.3": "1-2",
    "13.4": "1-2",
    "14.1": "1-4",
    "14.2": "1-6",
    "14.3": "2-3",
    "14.4": "1-7",
    "14.5": "1-4",
}
STATES = {"met", "partly", "not met", "n/a"}


def numbers() -> list[str]:
    found = []
    for section, parts in NUMBERS.items():
        for part in parts.split():
            first, _, last = part.partition("-")
            found += [f"{section}.{n}" for n in range(int(first), int(last or first) + 1)]
    return found


ROWS = list(rows(page("security.md"), width=4))
# Tables of other pages that name proofs in their last column, by how wide they are.
PROVEN = {"threat-model.md": 4, "reference/data-classes.md": 2}
PROOFS = sorted(
    {name for row in ROWS for name in re.findall(r"`([^`]+)`", row[3])}
    | {
        name
        for name_of_page, width in PROVEN.items()
        for row in rows(page(name_of_page), width=width)
        for name in re.findall(r"`(tests/[^`]+|make [^`]+)`", row[-1])
    }
)


@cache
def functions(path: str) -> frozenset[str]:
    tree = ast.parse((PROJECT / path).read_text())
    return frozenset(node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef))


def exists(name: str) -> bool:
    """Tell whether there is what a proof names: a test, a file, a setting, a target, an event."""
    path, _, test = name.partition("::")
    if test:
        return test in functions(path)
    if "/" in name or name.endswith((".toml", ".txt", ".md")):
        return (PROJECT / name).exists()
    if name.isupper() or name in VARIABLES.known:
        return name in VARIABLES.known or hasattr(settings, name)
    if name.startswith("make "):
        return f"\n{name.removeprefix('make ')}:" in (PROJECT / "Makefile").read_text()
    return name in OTHERS


# Words of logs, options and libraries that proofs name.
OTHERS = {
    "__Host-", "/", "check --deploy", "cryptography", "login_locked", "pyjwt", "search", "secrets",
    "second_factor_failed", "second_factor_reset", "second_factor_set_up", "sslmode",
    "sslmode=verify-full", "standardwebhooks", "verify_audit",
}  # fmt: skip


def test_every_threat_has_its_proof_and_every_boundary_its_letters() -> None:
    threats = list(rows(page("threat-model.md"), width=4))
    boundaries = re.findall(r"^## (B\d)", page("threat-model.md"), re.MULTILINE)

    assert boundaries == ["B1", "B2", "B3", "B4", "B5"]
    assert {row[0] for row in threats} == set("STRIDE")
    assert [row[1] for row in threats if not re.search(r"`[^`]+`|\]\(", row[3])] == []


def test_every_requirement_of_both_levels_has_its_row_in_order() -> None:
    assert [row[0] for row in ROWS] == numbers()
    assert len(ROWS) == 259


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row[0])
def test_a_row_has_a_state_and_what_is_met_has_a_proof_or_a_reason(row: list[str]) -> None:
    _, short, state, proof = row

    assert short
    assert state in STATES
    assert proof


def test_what_is_met_is_proven_by_more_than_words_or_is_a_thing_that_is_not_there() -> None:
    bare = [row[0] for row in ROWS if row[2] == "met" and not re.search(r"`[^`]+`|\]\(", row[3])]

    assert bare == WORDS


# Nothing is there that could be wrong, or rules of the linter see to it.
WORDS = ["2.5.1", "2.5.2", "5.3.8", "6.2.5"]


@pytest.mark.parametrize("name", PROOFS)
def test_what_a_proof_names_exists(name: str) -> None:
    assert exists(name), name


def test_the_page_counts_right() -> None:
    counted = Counter(row[2] for row in ROWS)
    said = " ".join(page("security.md").split())

    assert (
        f"{len(ROWS)} in all, of which {counted['met']} are met, {counted['partly']} partly,"
        f" {counted['not met']} not, and {counted['n/a']} do not apply"
    ) in said
