"""The endpoints of a case, with what its trail has to say: the one place that knows both."""

from __future__ import annotations

from drf_spectacular.utils import extend_schema
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from audit.api.due_dates import DueDateExplanationSerializer, explained
from cases import selectors
from cases.api import views
from cases.api.base import describe
from cases.api.serializers import DueDateSerializer


class CaseViewSet(views.CaseViewSet):
    """Cases: what this actor may see of them and of their trails, and the actions on them."""

    confirming = views.CaseViewSet.confirming | {"explain_due_date"}

    @describe(DueDateSerializer)
    @action(detail=True, methods=["post"], url_path="due-date")
    def due_date(self, request: Request, case_id: str) -> Response:
        """Set another due date."""
        answer: Response = super().due_date(request, case_id)
        return answer

    @extend_schema(operation_id="cases_due_date", responses=DueDateExplanationSerializer)
    @due_date.mapping.get
    def explain_due_date(self, request: Request, case_id: str) -> Response:
        """Tell why the case is due when it is, step by step and day by day."""
        del request
        case = selectors.get_case(case_id, self.actor)
        self.only_parameters()
        return Response(explained(case.id, case.due_at))
