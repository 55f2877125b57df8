"""Cases in words: how much time is left, how things are called."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import NamedTuple

from django import template
from django.utils.timezone import now

from cases.lifecycle import CaseStatus, past_due
from cases.models import Case

register = template.Library()

_DAY = timedelta(days=1)
# From here on a due date is said to be near.
SOON = timedelta(days=2)


class Due(NamedTuple):
    """How a case stands against its due date; ``tone`` is late, soon or nothing."""

    words: str
    tone: str = ""


@register.filter
def due(case: Case) -> Due:
    """Return how much time is left until the due date, or how much has passed since."""
    return due_at_moment(case, now())


def due_at_moment(case: Case, at: datetime) -> Due:
    """Return how a case stands against its due date at a moment."""
    if case.due_at is None:
        return Due("")
    if case.status == CaseStatus.CLOSED:
        # As ``lifecycle.closed_in_time``: a clock that stood still at the end is read as it stood.
        late = (case.paused_at or case.closed_at or at) - case.due_at
        return Due(f"closed {_span(late)} late" if late > timedelta() else "closed in time")
    if case.paused_at is not None:
        return Due("clock paused")
    if past_due(case, at):
        return Due(f"{_span(at - case.due_at)} late", "late")
    left = case.due_at - at
    return Due(f"{_span(left)} left", "soon" if left < SOON else "")


def _span(span: timedelta) -> str:
    if span < timedelta(hours=1):
        return "less than an hour"
    if span < _DAY:
        hours = int(span / timedelta(hours=1))
        return f"{hours} hour{'s' if hours > 1 else ''}"
    days = int(span / _DAY)
    return f"{days} day{'s' if days > 1 else ''}"
