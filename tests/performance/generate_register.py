"""Writes a register of any size, to measure how fast `manage.py import_cases` takes it in.

    python tests/performance/generate_register.py 100000 > register.csv
    /usr/bin/time -v .venv/bin/python manage.py import_cases register.csv --source Register

The same number of rows is always the same file. Needs nothing but Python's standard library.
"""

from __future__ import annotations

import csv
import random
import sys
from collections.abc import Iterator

COLUMNS = (
    "external_reference",
    "title",
    "description",
    "category",
    "subject",
    "priority",
    "received_at",
)
CATEGORIES = ("Payments", "Lending", "Insurance", "Food hygiene", "Labelling", "Market conduct")
MATTERS = (
    "Late reporting",
    "Fees not disclosed",
    "Claim refused without reasons",
    "Cold chain interrupted",
    "Allergen not named",
    "Account closed without notice",
)
WORDS = (
    "the firm", "has not", "answered", "since", "the branch", "was told", "in writing",
    "that", "a refund", "would follow", "within", "ten days", "but", "nothing", "arrived",
)  # fmt: skip
PRIORITIES = ("LOW", "NORMAL", "NORMAL", "NORMAL", "HIGH", "URGENT")


def rows(count: int, seed: int = 1) -> Iterator[tuple[str, ...]]:
    """Yield so many rows; descriptions have about 300 characters, as complaints on the web do."""
    chance = random.Random(seed)
    for number in range(1, count + 1):
        matter = chance.choice(MATTERS)
        yield (
            f"REG-{number:07}",
            f"{matter}, report {number}",
            " ".join(chance.choices(WORDS, k=45)).capitalize() + ".",
            chance.choice(CATEGORIES),
            f"Firm {chance.randrange(count // 20 + 1):05}",
            chance.choice(PRIORITIES),
            f"2026-{chance.randrange(1, 11):02}-{chance.randrange(1, 29):02}T09:00:00+00:00",
        )


def main() -> None:
    """Write as many rows as the first argument says to standard output."""
    writer = csv.writer(sys.stdout, lineterminator="\n")
    writer.writerow(COLUMNS)
    writer.writerows(rows(int(sys.argv[1])))


if __name__ == "__main__":
    main()
