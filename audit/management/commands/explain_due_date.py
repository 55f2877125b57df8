"""Tell why a case is due when it is."""

from __future__ import annotations

import json
from dataclasses import asdict
from datetime import datetime
from typing import Any, Final

from django.core.management.base import BaseCommand, CommandError, CommandParser

from audit.due_dates import explain_due_date, problems_of
from cases.deadlines import Day, DayKind, Explanation
from cases.errors import CaseNotFound
from cases.events import rfc3339
from cases.policies import VIEW, VIEW_RESTRICTED, Actor
from cases.selectors import get_case

_READER: Final = Actor(id="system", permissions=frozenset({VIEW, VIEW_RESTRICTED}))


class Command(BaseCommand):
    """Count a due date again from the trail alone, day by day."""

    help = (
        "Tell from the trail of a case, step by step and day by day, why it is due when it is. "
        "Exit 0: trail and case agree, 1: they do not, or counting again gives another date, "
        "2: there is no such case."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        """Declare the options."""
        parser.add_argument("case_id", help="Like CASE-000001.")
        parser.add_argument("--json", action="store_true", help="Write the outcome as JSON.")

    def handle(self, *args: Any, **options: Any) -> None:
        """Explain, and compare with the case."""
        del args
        try:
            case = get_case(options["case_id"], _READER)
        except CaseNotFound as error:
            raise CommandError(error.message, returncode=2) from error
        told = explain_due_date(case.id)
        problems = problems_of(told, case.due_at)
        if options["json"]:
            whole = {"case_id": case.id, **asdict(told), "problems": problems}
            self.stdout.write(json.dumps(whole, default=_written))
        else:
            self._tell(case.id, told)
        if problems:
            raise CommandError(" ".join(problems), returncode=1)

    def _tell(self, case_id: str, told: Explanation) -> None:
        zone = told.calendar.tzinfo
        due = told.due_at.astimezone(zone) if told.due_at else None
        self.stdout.write(
            f"{case_id} is due {due:%Y-%m-%d %H:%M} {told.calendar.zone}."
            if due
            else f"{case_id} has no due date."
        )
        if told.paused_at:
            self.stdout.write("The clock stands still; resuming will move the due date.")
        for step in told.steps:
            moved = f"{step.due_at.astimezone(zone):%Y-%m-%d %H:%M}" if step.due_at else "none"
            at = step.occurred_at.astimezone(zone)
            self.stdout.write(
                f"  event {step.sequence}, {at:%Y-%m-%d %H:%M}: {step.text} Due: {moved}."
            )
        for day in told.days:
            self.stdout.write(f"  {day.day:%a %Y-%m-%d}  {_label(day)}")


def _label(day: Day) -> str:
    match day.kind:
        case DayKind.WORKING_DAY:
            return f"working day {day.number}"
        case DayKind.HOLIDAY:
            return day.name
        case DayKind.START:
            return "does not count: the day on which counting starts"
        case DayKind.PAUSED:
            return "paused"
        case DayKind.WEEKEND:
            return "weekend"


def _written(value: object) -> str:
    return rfc3339(value) if isinstance(value, datetime) else str(value)
