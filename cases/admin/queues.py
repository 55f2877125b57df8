"""The queues: the lists that people work from, each a filter with an order of its own."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from types import MappingProxyType
from typing import Final, NamedTuple

from cases.filters import CaseFilter
from cases.lifecycle import CaseAction, CaseStatus
from cases.models import NEWEST_FIRST, Ordering
from cases.models.orderings import SortKey
from cases.policies import ASSIGN_ANY, PERMISSIONS, Actor

_OPEN: Final = frozenset(CaseStatus) - {CaseStatus.CLOSED}
_UNDER_WAY: Final = _OPEN - {CaseStatus.DRAFT}
# How long a closed case stays in its queue; "All" has the others.
RECENT: Final = timedelta(days=30)


# A tab counts so far and then says "99+".
MOST: Final = 99
# The index of what was closed knows when, and so where to stop.
_LATEST_CLOSED: Final = Ordering("-closed_at", (SortKey("closed_at"), SortKey("id")))


def _only(status: CaseStatus) -> frozenset[CaseStatus]:
    return frozenset({status})


class Queue(NamedTuple):
    """A tab above the list."""

    label: str
    title: str
    wanted: CaseFilter
    ordering: str
    # What an empty list says: what that means, and what to do.
    empty: tuple[str, str]
    # The order in which it is counted: the one whose index finds its cases.
    counted: Ordering | None = NEWEST_FIRST
    mine: bool = False
    recent: bool = False

    def holds(self, actor: Actor, at: datetime) -> CaseFilter:
        """Return the filter of the queue, as this person sees it now."""
        wanted = replace(self.wanted, reviewer=actor.id) if self.mine else self.wanted
        return replace(wanted, closed_from=at - RECENT) if self.recent else wanted


QUEUES: Final[Mapping[str, Queue]] = MappingProxyType(
    {
        "mine": Queue(
            "Mine",
            "My cases",
            CaseFilter(statuses=_UNDER_WAY),
            "due_at",
            ("Nothing waits for you", "Take a case from “Unassigned”, the most urgent one first."),
            mine=True,
        ),
        "unassigned": Queue(
            "Unassigned",
            "Unassigned cases",
            CaseFilter(unassigned=True, statuses=frozenset({CaseStatus.SUBMITTED})),
            "due_at",
            ("Every submitted case has a reviewer", "New ones appear here as they are submitted."),
        ),
        "overdue": Queue(
            "Overdue",
            "Overdue cases",
            CaseFilter(overdue=True),
            "due_at",
            (
                "Nothing is overdue",
                "Cases come here when their due date has passed.",
            ),
        ),
        "escalated": Queue(
            "Escalated",
            "Escalated cases",
            CaseFilter(statuses=_only(CaseStatus.ESCALATED)),
            "due_at",
            ("Nothing is escalated", "Cases come here when a reviewer puts them before you."),
        ),
        "submitted": Queue(
            "Submitted",
            "Submitted cases",
            CaseFilter(statuses=_only(CaseStatus.SUBMITTED)),
            "due_at",
            ("Nothing waits for a review", "Drafts come here when they are submitted."),
        ),
        "drafts": Queue(
            "Drafts",
            "Drafts",
            CaseFilter(statuses=_only(CaseStatus.DRAFT)),
            "-created_at",
            ("There are no drafts", "A new case is a draft until it is submitted."),
        ),
        "closed": Queue(
            "Recently closed",
            "Recently closed cases",
            CaseFilter(statuses=_only(CaseStatus.CLOSED)),
            "-updated_at",
            ("Nothing was closed in 30 days", "Older cases are found in “All”."),
            counted=_LATEST_CLOSED,
            recent=True,
        ),
        "all": Queue(
            "All",
            "All cases",
            CaseFilter(),
            "-created_at",
            ("No case is in this list", "Take filters away, or search for other words."),
            counted=None,
        ),
    }
)


def to_count(
    names: Iterable[str], actor: Actor, at: datetime
) -> dict[str, tuple[CaseFilter, Ordering]]:
    """Return those of some queues that are counted, as ``selectors.how_many`` takes them."""
    found = {name: (QUEUES[name].holds(actor, at), QUEUES[name].counted) for name in names}
    return {name: (wanted, order) for name, (wanted, order) in found.items() if order}


def limited(number: int) -> str:
    """Return a count as it is shown."""
    return f"{MOST}+" if number > MOST else str(number)


def first_queue(actor: Actor) -> str:
    """Return the queue that somebody works from: reviewers theirs, supervisors what is nobody's."""
    if actor.has(PERMISSIONS[CaseAction.START_REVIEW]) and not actor.has(ASSIGN_ANY):
        return "mine"
    if actor.has(ASSIGN_ANY):
        return "unassigned"
    return "drafts" if actor.has(PERMISSIONS[CaseAction.CREATE]) else "all"
