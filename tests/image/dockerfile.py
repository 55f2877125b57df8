"""Reads a Dockerfile into its stages: only what ours needs, and nothing is skipped."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from pathlib import Path

KNOWN = {"COPY", "ENV", "EXPOSE", "RUN", "USER", "WORKDIR"}


@dataclass
class Stage:
    """The instructions of one stage in their order, and what the last word on each matter is."""

    name: str
    steps: list[tuple[str, str]] = field(default_factory=list)
    command: list[str] = field(default_factory=list)
    probe: list[str] = field(default_factory=list)

    def last(self, instruction: str) -> str:
        return [said for name, said in self.steps if name == instruction][-1]


def stages(file: Path) -> list[Stage]:
    """Return the stages; an instruction that is not known is a ValueError."""
    found: list[Stage] = []
    text = "\n".join(x for x in file.read_text().splitlines() if not x.lstrip().startswith("#"))
    for line in re.sub(r"\\\n", " ", text).splitlines():
        if not line.strip():
            continue
        name, _, said = line.strip().partition(" ")
        said = said.strip()
        if name == "FROM":
            found.append(Stage(said.rpartition(" AS ")[2] if " AS " in said else ""))
        elif name == "ARG" and not found:
            pass  # of the base image, which this machine stands for
        elif name == "CMD":
            found[-1].command = json.loads(said)
        elif name == "HEALTHCHECK":
            found[-1].probe = json.loads(said.partition("CMD ")[2])
        elif name in KNOWN and found:
            found[-1].steps.append((name, said))
        else:
            message = f"{name} is not known here: {line}"
            raise ValueError(message)
    return found
