"""The Makefile explains itself."""

import re
import subprocess
from pathlib import Path

PROJECT = Path(__file__).parents[2]


def test_help_names_every_target() -> None:
    phony = re.search(r"^\.PHONY: (.+)$", (PROJECT / "Makefile").read_text(), re.MULTILINE)
    assert phony is not None
    said = subprocess.run(
        ["make", "--no-print-directory", "help"],
        cwd=PROJECT,
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    assert sorted(re.findall(r"^  make ([\w-]+) +\S", said, re.MULTILINE)) == sorted(
        phony[1].split()
    )
