"""Figures of work over time: what comes due, was kept, came and went, and who has how much."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.utils.timezone import now
from drf_spectacular.utils import extend_schema_serializer
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from cases import replica, reports
from cases.api.base import ActorView, describe
from cases.api.serializers import MomentField
from cases.events import rfc3339
from cases.lifecycle import Priority


def _number(help_text: str = "") -> serializers.IntegerField:
    return serializers.IntegerField(min_value=0, help_text=help_text)


@extend_schema_serializer(component_name="CasesDueOfReviewer")
class _DueOfReviewerSerializer(serializers.Serializer[Any]):
    """A reviewer, or nobody, and how many of the day's cases it has."""

    reviewer_id = serializers.CharField(allow_null=True)
    cases = _number()


@extend_schema_serializer(component_name="CasesDueOnDay")
class _DueDaySerializer(serializers.Serializer[reports.DueDay]):
    """What will be overdue after a day."""

    day = serializers.DateField()
    due_from = MomentField()
    due_to = MomentField()
    cases = _number()
    by_reviewer = _DueOfReviewerSerializer(many=True)


class _KeptSerializer(serializers.Serializer[reports.Kept]):
    kept = _number("As `closed_in_time=true` lists.")
    missed = _number("As `closed_in_time=false` lists.")


@extend_schema_serializer(component_name="CasesKept")
class _KeptOfPrioritySerializer(_KeptSerializer):
    """How many cases were closed by their due date, and how many after it."""


@extend_schema_serializer(component_name="CasesKeptByPriority")
class _ByPrioritySerializer(serializers.Serializer[Any]):
    """The same for each priority there is."""

    def get_fields(self) -> dict[str, serializers.Field[Any, Any, Any, Any]]:
        """Make a field for each priority."""
        return {str(priority): _KeptOfPrioritySerializer() for priority in Priority}


@extend_schema_serializer(component_name="CasesKeptInWeek")
class _KeptWeekSerializer(_KeptSerializer):
    """Whether the cases closed in a week were closed in time."""

    week = serializers.DateField(help_text="Its Monday.")
    closed_from = MomentField()
    closed_to = MomentField()
    by_priority = _ByPrioritySerializer()


@extend_schema_serializer(component_name="CasesInAndOut")
class _FlowWeekSerializer(serializers.Serializer[reports.FlowWeek]):
    """How many cases came and went in a week."""

    week = serializers.DateField(help_text="Its Monday.")
    starts_at = MomentField()
    ends_at = MomentField()
    created = _number("As `created_from` and `created_to` of these moments list.")
    closed = _number("As `closed_from` and `closed_to` of these moments list.")


@extend_schema_serializer(component_name="CasesOfAge")
class _AgeBandSerializer(serializers.Serializer[reports.AgeBand]):
    """Open cases that came in the same stretch of days."""

    days = _number("How many days ago the last of these days was.")
    created_from = MomentField(allow_null=True)
    created_to = MomentField()
    cases = _number()


@extend_schema_serializer(component_name="WorkOfReviewer")
class _WorkloadSerializer(serializers.Serializer[reports.Workload]):
    """What a reviewer has."""

    reviewer_id = serializers.CharField()
    open = _number()
    overdue = _number("As `overdue=true` lists.")


class CaseReportsSerializer(serializers.Serializer[reports.Overview]):
    """Figures of the cases that exist for the reader; moments are those of the filters of lists."""

    at = MomentField(help_text="The moment at which they are right.")
    time_zone = serializers.CharField(help_text="Whose days and weeks are meant.")
    coming_due = _DueDaySerializer(
        many=True,
        help_text="What will be overdue in seven days, today first: as `due_from`, `due_to`, "
        "`paused=false` and each `status` but CLOSED list.",
    )
    sla_kept = _KeptWeekSerializer(
        many=True,
        help_text="Twelve weeks, this one last: as `closed_from`, `closed_to`, `closed_in_time` "
        "and `priority` list.",
    )
    flow = _FlowWeekSerializer(many=True, help_text="Twelve weeks, this one last.")
    open_ages = _AgeBandSerializer(
        many=True,
        help_text="The youngest first: as `created_from`, `created_to` and each `status` but "
        "CLOSED list.",
    )
    workloads = _WorkloadSerializer(
        many=True,
        help_text="Who has open cases, the most first: as `assigned_reviewer_id` and each `status` "
        "but CLOSED list.",
    )


class CaseReportsView(ActorView):
    """The numbers of some weeks."""

    @describe(answer=CaseReportsSerializer, operation_id="cases_reports")
    def get(self, request: Request) -> Response:
        """Report on the work that exists for the caller."""
        del request
        self.only_parameters()
        found = replica.from_replica(lambda: reports.overview(self.actor, at=now()))
        return Response(written(found, time_zone=settings.SLA_TIME_ZONE))


def written(of: reports.Overview, *, time_zone: str) -> dict[str, Any]:
    """Write reports as ``CaseReportsSerializer`` describes them."""
    return {
        "at": rfc3339(of.at),
        "time_zone": time_zone,
        "coming_due": [_due_day(day) for day in of.coming_due],
        "sla_kept": [
            {
                "week": week.week.isoformat(),
                "closed_from": rfc3339(week.closed_from),
                "closed_to": rfc3339(week.closed_to),
                **_kept(week.total),
                "by_priority": {str(p): _kept(kept) for p, kept in week.by_priority.items()},
            }
            for week in of.sla_kept
        ],
        "flow": [
            {
                "week": week.week.isoformat(),
                "starts_at": rfc3339(week.starts_at),
                "ends_at": rfc3339(week.ends_at),
                "created": week.created,
                "closed": week.closed,
            }
            for week in of.flow
        ],
        "open_ages": [
            {
                "days": band.days,
                "created_from": band.created_from and rfc3339(band.created_from),
                "created_to": rfc3339(band.created_to),
                "cases": band.cases,
            }
            for band in of.open_ages
        ],
        "workloads": [
            {"reviewer_id": load.reviewer_id, "open": load.open, "overdue": load.overdue}
            for load in of.workloads
        ],
    }


def _due_day(day: reports.DueDay) -> dict[str, Any]:
    of = sorted(day.by_reviewer.items(), key=lambda one: (-one[1], one[0] or ""))
    return {
        "day": day.day.isoformat(),
        "due_from": rfc3339(day.due_from),
        "due_to": rfc3339(day.due_to),
        "cases": day.total,
        "by_reviewer": [{"reviewer_id": name, "cases": number} for name, number in of],
    }


def _kept(of: reports.Kept) -> dict[str, int]:
    return {"kept": of.kept, "missed": of.missed}
