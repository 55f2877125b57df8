"""How many cases there are, by what matters to who hands out work."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import extend_schema_serializer
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from cases import replica, selectors
from cases.api.base import ActorView, describe
from cases.lifecycle import CaseStatus


@extend_schema_serializer(component_name="CasesByStatus")
class _ByStatusSerializer(serializers.Serializer[dict[str, int]]):
    """A number for each status there is."""

    def get_fields(self) -> dict[str, serializers.Field[Any, Any, Any, Any]]:
        """Make a field for each status."""
        return {str(status): serializers.IntegerField() for status in CaseStatus}


@extend_schema_serializer(component_name="CasesOfReviewer")
class _ReviewerSerializer(serializers.Serializer[dict[str, object]]):
    """A reviewer and how many open cases the reviewer has."""

    reviewer_id = serializers.CharField()
    open = serializers.IntegerField()


class CaseSummarySerializer(serializers.Serializer[selectors.CaseSummary]):
    """Numbers of the cases that exist for the reader."""

    total = serializers.IntegerField(help_text="As many as `GET /cases` lists.")
    by_status = _ByStatusSerializer(help_text="As `status=…` lists.")
    overdue = serializers.IntegerField(help_text="As `overdue=true` lists.")
    unassigned = serializers.IntegerField(
        help_text="Submitted and of no reviewer: as `status=SUBMITTED&assigned_reviewer_id=none` "
        "lists."
    )
    by_reviewer = _ReviewerSerializer(
        many=True,
        help_text="Who has open cases, by id: as `assigned_reviewer_id=…` with each `status` but "
        "CLOSED lists.",
    )


class CaseSummaryView(ActorView):
    """The numbers of a day."""

    @describe(answer=CaseSummarySerializer, operation_id="cases_summary")
    def get(self, request: Request) -> Response:
        """Count the cases that exist for the caller."""
        del request
        self.only_parameters()
        summary = replica.from_replica(lambda: selectors.summary(self.actor))
        return Response(
            {
                "total": sum(summary.by_status.values()),
                "by_status": {str(status): n for status, n in summary.by_status.items()},
                "overdue": summary.overdue,
                "unassigned": summary.unassigned,
                "by_reviewer": [
                    {"reviewer_id": reviewer, "open": n}
                    for reviewer, n in sorted(summary.open_by_reviewer.items())
                ],
            }
        )
