"""The log of the demo: the same seed and time give the same lines."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from cases.calendar import office_calendar
from cases.demo import office
from cases.demo.matters import ABROAD, LONG_TRAIL, Matter, all_matters
from cases.demo.storylines import Plan, Step, Story
from cases.demo.timing import due_dates, moments
from cases.imports.history import FIELDS
from cases.imports.mapping import Columns
from cases.imports.rows import Row
from cases.lifecycle import CaseStatus

SEED: Final = 2026
COLUMNS: Final = Columns({name: name for name in FIELDS}, ZoneInfo("UTC"))

_S = CaseStatus
# How many cases of each kind; together 300.
_PLANS: Final = (
    (28, Plan(status=_S.DRAFT, dated=False)),
    (24, Plan(status=_S.SUBMITTED, assigned=False)),
    (4, Plan(status=_S.SUBMITTED, assigned=False, dated=False)),
    (12, Plan(status=_S.SUBMITTED)),
    (33, Plan(status=_S.UNDER_REVIEW)),
    (12, Plan(status=_S.UNDER_REVIEW, paused=True)),
    (14, Plan(status=_S.UNDER_REVIEW, overdue=True)),
    (1, Plan(status=_S.UNDER_REVIEW, guest=True)),
    (14, Plan(status=_S.ESCALATED)),
    (8, Plan(status=_S.ESCALATED, overdue=True)),
    (2, Plan(status=_S.ESCALATED, paused=True)),
    (115, Plan(status=_S.CLOSED)),
    (18, Plan(status=_S.CLOSED, overdue=True)),
    (14, Plan(status=_S.CLOSED, abroad=True)),
    (1, Plan(status=_S.ESCALATED, long=True)),
)


@dataclass(frozen=True)
class _Case:
    """A case on its way into the log."""

    source: str
    prefix: str
    steps: list[Step]
    times: list[datetime]


def demo_log(*, now: datetime, seed: int = SEED) -> list[Row]:
    """Return the past of the demo, oldest case first, nothing of it later than ``now``."""
    chance = random.Random(seed)  # noqa: S311 (a story, not a secret)
    # Of its own, so that the stories are the same on any day.
    clock = random.Random(f"{seed} clock")  # noqa: S311 (a demo, the same each time)
    now = now.astimezone(UTC).replace(microsecond=0)
    cases = sorted(
        (_case(plan, now, chance, clock) for count, plan in _PLANS for _ in range(count)),
        key=lambda case: case.times[0],
    )
    numbers: Counter[str] = Counter()
    lines: list[dict[str, str]] = []
    for case in cases:
        year = case.times[0].year
        series = f"{case.prefix}-{year}"
        numbers[series] += 1
        lines += _lines(case, f"{series}-{numbers[series]:05}")
    return [Row(number, cells) for number, cells in enumerate(lines, start=1)]


def _lines(case: _Case, key: str) -> Iterator[dict[str, str]]:
    for step, at in zip(case.steps, case.times, strict=True):
        yield {
            "case": key,
            "source": case.source,
            "at": at.isoformat(),
            "action": str(step.action),
            "actor": step.actor,
            **step.cells,
        }


def _case(plan: Plan, now: datetime, chance: random.Random, clock: random.Random) -> _Case:
    matter = _matter(plan, chance)
    steps = Story(plan, matter, chance).tell()
    times = moments(steps, _last(plan, now, clock), clock)
    if plan.dated:
        for place, due_at in due_dates(steps, times, _final(plan, times, now, clock)).items():
            steps[place].cells["due_at"] = due_at.isoformat()
    # What came by post or over the weekend had been there before it was written down.
    received_at = times[0] - timedelta(minutes=clock.choice((2, 15, 190, 1_100, 3_000)))
    steps[0].cells["received_at"] = received_at.isoformat()
    source, prefix = _channel(matter, chance)
    return _Case(source, prefix, steps, times)


def _matter(plan: Plan, chance: random.Random) -> Matter:
    matters = all_matters()
    if plan.long:
        return matters[LONG_TRAIL][0]
    if plan.abroad:
        return chance.choice(matters[ABROAD])
    categories = [name for name in matters if name != LONG_TRAIL]
    weights = [1 if name == ABROAD else 6 for name in categories]
    return chance.choice(matters[chance.choices(categories, weights=weights)[0]])


def _channel(matter: Matter, chance: random.Random) -> tuple[str, str]:
    if matter.restriction:
        return office.PROTECTED_MAILBOX
    if matter.category == ABROAD:
        return office.POST_FROM_ABROAD
    return chance.choices(tuple(office.CHANNELS.items()), weights=(9, 6, 4, 3, 2))[0]


def _last(plan: Plan, now: datetime, clock: random.Random) -> datetime:
    """Return when the last step of the case happened: closed ones lie back up to a year."""
    if plan.status is CaseStatus.CLOSED:
        return now - timedelta(days=clock.uniform(0.2, 330))
    if plan.status is CaseStatus.DRAFT:
        return now - timedelta(days=clock.expovariate(1 / 3))
    return now - timedelta(days=clock.uniform(0.05, 9))


def _final(plan: Plan, times: list[datetime], now: datetime, clock: random.Random) -> datetime:
    """Return the due date that the case ends with; every third open one is due this week."""
    if plan.status is CaseStatus.CLOSED:
        return times[-1] + timedelta(days=clock.uniform(2, 25))
    days = clock.randrange(1, 5) if clock.random() < 1 / 3 else clock.randrange(6, 45)
    return office_calendar().moved(now, days)
