"""What a verification says: findings in words, and what it has looked at."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final, NamedTuple

# Kind of finding -> what it is about, for people.
KINDS: Final = {
    "chain": "an event, its hashes, or its place in the chain",
    "replay": "an event that the events before it do not allow",
    "case": "the row of a case",
    "note": "a note",
    "access": "a grant of access to a single case",
    "anchor": "an anchor, or a chain against it",
}


class Finding(NamedTuple):
    """Something that is not as it must be; ``sequence`` is the event's, where it is about one."""

    case_id: str
    sequence: int | None
    kind: str
    message: str

    def __str__(self) -> str:
        of_case = self.case_id or "the whole trail"
        where = of_case if self.sequence is None else f"{of_case}, event {self.sequence}"
        return f"{where}: {self.message}"


@dataclass
class Tally:
    """How much was looked at."""

    cases: int = 0
    events: int = 0
    notes: int = 0
    grants: int = 0

    def add(self, other: Tally) -> None:
        """Count another one in."""
        self.cases += other.cases
        self.events += other.events
        self.notes += other.notes
        self.grants += other.grants


@dataclass
class Report:
    """The outcome of a verification."""

    tally: Tally = field(default_factory=Tally)
    findings: list[Finding] = field(default_factory=list)
    more: int = 0
    """Findings beyond those that are kept, of a trail that is wrong from end to end."""

    @property
    def ok(self) -> bool:
        """Whether nothing was found."""
        return not self.findings

    def add(self, other: Report, most: int) -> None:
        """Take another one in; keep so many findings and count the rest."""
        self.tally.add(other.tally)
        self.findings += other.findings
        self.more += other.more
        self.shortened(most)

    def shortened(self, most: int) -> Report:
        """Keep so many findings and count the rest; return this report."""
        self.more += len(self.findings[most:])
        del self.findings[most:]
        return self

    def sorted(self) -> Report:
        """Bring the findings into the order of cases and events; return this report."""
        self.findings.sort(key=lambda one: (one.case_id, one.sequence is None, one.sequence or 0))
        return self
