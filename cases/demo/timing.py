"""When the steps of a demo case happened, and by when it had to be finished."""

from __future__ import annotations

import random
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final

from cases.calendar import office_calendar
from cases.demo.storylines import Step
from cases.lifecycle import CaseAction

_OPENS, _SHUTS = 7, 17  # hours in UTC
_SATURDAY: Final = 5
_NIGHTLY: Final = timedelta(hours=2, minutes=5)  # when the system looks for overdue cases
_SHORTEST: Final = timedelta(minutes=4)


def moments(steps: Sequence[Step], last: datetime, chance: random.Random) -> list[datetime]:
    """Place the steps in office hours, the last one at or before ``last``, in strict order."""
    found: list[datetime] = []
    at = last
    for step in reversed(steps):
        if step.action is CaseAction.MARK_OVERDUE:
            at = _night_before(at)
        else:
            at = _office_hours(at, chance)
        found.append(at)
        at -= max(_SHORTEST, timedelta(days=step.days))
    return found[::-1]


def _office_hours(at: datetime, chance: random.Random) -> datetime:
    """Return a time in office hours, at or before ``at``."""
    at = at.replace(microsecond=0) - timedelta(seconds=chance.randrange(200))
    if at.hour < _OPENS:
        at -= timedelta(days=1)
        at = at.replace(hour=_SHUTS - 1, minute=chance.randrange(60))
    elif at.hour >= _SHUTS:
        at = at.replace(hour=_SHUTS - 1, minute=chance.randrange(60))
    while at.weekday() >= _SATURDAY:
        at -= timedelta(days=1)
    return at


def _night_before(at: datetime) -> datetime:
    """Return the end of a nightly run after a working day, at or before ``at``."""
    night = at.replace(hour=0, minute=0, second=0, microsecond=0) + _NIGHTLY
    if night > at:
        night -= timedelta(days=1)
    while (night - timedelta(days=1)).weekday() >= _SATURDAY:
        night -= timedelta(days=1)
    return night


def due_dates(
    steps: Sequence[Step], times: Sequence[datetime], final: datetime
) -> dict[int, datetime]:
    """Return the due date that each step sets, by its place: create, and set due date.

    A pause moves the due date, so dates are counted back from where they have to arrive: at
    ``final`` for the last one, the evening before the step that marks it overdue, or a while
    after the step that sets the next one.

    Args:
        steps: of one case.
        times: of the steps.
        final: the due date that the case ends with, unless it is marked overdue.
    """
    setters = [
        place
        for place, step in enumerate(steps)
        if step.action in (CaseAction.CREATE, CaseAction.SET_DUE_DATE)
    ]
    found: dict[int, datetime] = {}
    for place, following in zip(setters, [*setters[1:], len(steps)], strict=True):
        target = final if following == len(steps) else times[following] + timedelta(days=6)
        end = following
        for later in range(place, following):
            if steps[later].action is CaseAction.MARK_OVERDUE:
                target, end = times[later] - timedelta(days=1), later
        target = _evening(target)
        for later in range(place, end):
            if steps[later].action is CaseAction.RESUME:
                lost = office_calendar().lost(target, times[later - 1], times[later])
                target = office_calendar().moved(target, -lost)
        found[place] = target
    return found


def _evening(at: datetime) -> datetime:
    """Return the close of business of that day, or of the working day before it."""
    at = at.replace(hour=_SHUTS, minute=0, second=0, microsecond=0)
    while at.weekday() >= _SATURDAY:
        at -= timedelta(days=1)
    return at
