"""Which cases a list is about, as plain values: what the API, an export or a queue asks for.

``CaseQuerySet.matching`` carries a filter out. No Django, no HTTP.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from datetime import datetime

from cases.lifecycle import CaseStatus, Priority

SEARCH_MAX = 200


@dataclass(frozen=True, kw_only=True)
class CaseFilter:
    """What a case must have to be in the list; what is not given does not matter.

    Periods begin with their ``_from`` and end before their ``_to``, so that two which meet share
    no case.
    """

    statuses: frozenset[CaseStatus] = frozenset()
    priorities: frozenset[Priority] = frozenset()
    # The reviewer's id; ``unassigned`` asks for cases that have none.
    reviewer: str | None = None
    unassigned: bool = False
    category: str | None = None
    source: str | None = None
    # Past due at this moment, as ``lifecycle.past_due`` says, or not.
    overdue: bool | None = None
    # Whether the clock stands still, or stood still when the case was closed.
    paused: bool | None = None
    # As ``lifecycle.closed_in_time`` says: closed by the due date, or after it.
    closed_in_time: bool | None = None
    created_from: datetime | None = None
    created_to: datetime | None = None
    due_from: datetime | None = None
    due_to: datetime | None = None
    closed_from: datetime | None = None
    closed_to: datetime | None = None
    # Each of its words must begin a word of title, description, subject or external reference.
    search: str = ""

    @property
    def only_open(self) -> bool:
        """Whether no closed case can be among what it asks for."""
        return (
            self.overdue is True
            or self.unassigned
            or (bool(self.statuses) and CaseStatus.CLOSED not in self.statuses)
        )

    def names(self) -> list[str]:
        """Return what it asks about, without the values: those are nobody's business in a log."""
        return [name for name, default in _DEFAULTS if getattr(self, name) != default]


_DEFAULTS = [(field.name, field.default) for field in fields(CaseFilter)]
EVERY_CASE = CaseFilter()
