"""Why a case is due when it is, for who may read the case: counted again from its trail."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Final

from drf_spectacular.utils import extend_schema_serializer
from rest_framework import serializers

from audit.due_dates import explain_due_date, problems_of
from cases.deadlines import DayKind, Explanation
from cases.events import rfc3339

DAY_KINDS: Final = [kind.value for kind in DayKind]


@extend_schema_serializer(component_name="WorkCalendar")
class _CalendarSerializer(serializers.Serializer[Any]):
    """The calendar that days are counted on."""

    holidays = serializers.CharField(help_text="Like DE-BE; empty: weekends only.")
    time_zone = serializers.CharField(help_text="In which days begin and end.")


@extend_schema_serializer(component_name="DueDateStep")
class _StepSerializer(serializers.Serializer[Any]):
    """What one event of the trail did to the due date."""

    sequence = serializers.IntegerField()
    event_type = serializers.CharField()
    occurred_at = serializers.DateTimeField()
    due_at = serializers.DateTimeField(allow_null=True, help_text="The due date after it.")
    text = serializers.CharField(help_text="In words.")


@extend_schema_serializer(component_name="DueDateDay")
class _DaySerializer(serializers.Serializer[Any]):
    """One calendar day on the way to the due date."""

    day = serializers.DateField()
    kind = serializers.ChoiceField(choices=DAY_KINDS)
    number = serializers.IntegerField(allow_null=True, help_text="Which working day it is.")
    name = serializers.CharField(help_text="What a free day is called; empty otherwise.")


class DueDateExplanationSerializer(serializers.Serializer[Any]):
    """The due date that the trail leads to, and how."""

    due_at = serializers.DateTimeField(allow_null=True)
    paused_at = serializers.DateTimeField(allow_null=True)
    calendar = _CalendarSerializer()
    steps = _StepSerializer(many=True, help_text="Oldest first.")
    days = _DaySerializer(
        many=True,
        help_text="From where counting began to the due date; none where that is more than 1,200.",
    )
    problems = serializers.ListField(
        child=serializers.CharField(),
        help_text="What does not add up: where counting again gives another date, or the case says"
        " another one than its trail. None in a sound trail.",
    )


def explained(case_id: str, due_at: datetime | None) -> dict[str, Any]:
    """Return the explanation of a case's due date, counted now.

    Args:
        case_id: which case; check first that the reader may see it.
        due_at: what the case says.
    """
    return written(explain_due_date(case_id), due_at)


def written(told: Explanation, due_at: datetime | None) -> dict[str, Any]:
    """Write an explanation as ``DueDateExplanationSerializer`` describes it."""
    return {
        "due_at": _moment(told.due_at),
        "paused_at": _moment(told.paused_at),
        "calendar": {"holidays": told.calendar.name, "time_zone": told.calendar.zone},
        "steps": [
            {
                "sequence": step.sequence,
                "event_type": step.event_type,
                "occurred_at": rfc3339(step.occurred_at),
                "due_at": _moment(step.due_at),
                "text": step.text,
            }
            for step in told.steps
        ],
        "days": [
            {
                "day": day.day.isoformat(),
                "kind": day.kind.value,
                "number": day.number,
                "name": day.name,
            }
            for day in told.days
        ],
        "problems": problems_of(told, due_at),
    }


def _moment(value: datetime | None) -> str | None:
    return None if value is None else rfc3339(value)
