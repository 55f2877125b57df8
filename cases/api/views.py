"""The endpoints of a case: they read the request, call one service and write the answer."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

from drf_spectacular.utils import OpenApiParameter
from rest_framework import serializers, viewsets
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from cases import selectors, services
from cases.api.base import ActorView, describe
from cases.api.serializers import (
    AccessSerializer,
    CaseFieldsSerializer,
    CaseSerializer,
    DueDateSerializer,
    NoInputSerializer,
    ReasonSerializer,
    ReviewerSerializer,
    StrictSerializer,
)
from cases.lifecycle import CaseAction, CaseStatus
from cases.models import Case


class CaseViewSet(ActorView, viewsets.GenericViewSet[Case]):
    """Cases: what this actor may see of them, and the actions on them."""

    serializer_class = CaseSerializer
    queryset = Case.objects.none()
    lookup_url_kwarg = "case_id"
    lookup_value_regex = "[^/]+"
    keyset = ("-created_at", "-id")

    @describe(CaseFieldsSerializer, status=201)
    def create(self, request: Request) -> Response:
        """Take a case in, as DRAFT."""
        fields = self.read_input(CaseFieldsSerializer, CaseAction.CREATE)
        case = services.create_case(fields=fields, actor=self.actor)
        response = self._answer(case, status=201)
        response["Location"] = request.build_absolute_uri(f"{request.path}/{case.id}")
        return response

    @describe(
        answer=CaseSerializer(many=True),
        parameters=[
            OpenApiParameter(
                "status",
                {"type": "array", "items": {"type": "string", "enum": [*CaseStatus]}},
                description="Only cases in this status; repeat it for several.",
            )
        ],
    )
    def list(self, request: Request) -> Response:
        """List cases, newest first."""
        self.only_parameters("status")
        statuses = request.query_params.getlist("status")
        if unknown := set(statuses) - set(CaseStatus):
            message = (
                f"One of {', '.join(CaseStatus)}; not {', '.join(map(repr, sorted(unknown)))}."
            )
            raise serializers.ValidationError({"status": [message]})
        page = self.paginate_queryset(selectors.visible_cases(self.actor, statuses=statuses))
        return self.get_paginated_response(self._rendered(page, many=True))

    @describe()
    def retrieve(self, request: Request, case_id: str) -> Response:
        """Read one case."""
        del request
        return self._answer(selectors.get_case(case_id, self.actor))

    @describe(CaseFieldsSerializer(partial=True))
    def partial_update(self, request: Request, case_id: str) -> Response:
        """Change fields of a draft."""
        del request
        fields = self.read_input(CaseFieldsSerializer, CaseAction.UPDATE, case_id, partial=True)
        return self._carry_out(services.update_case, case_id, {"fields": fields})

    @describe(NoInputSerializer)
    @action(detail=True, methods=["post"])
    def submit(self, request: Request, case_id: str) -> Response:
        """Hand a draft in for review."""
        del request
        return self._act(CaseAction.SUBMIT, services.submit_case, NoInputSerializer, case_id)

    @describe(ReviewerSerializer)
    @action(detail=True, methods=["post"], url_path="start-review")
    def start_review(self, request: Request, case_id: str) -> Response:
        """Take a submitted case up, for the reviewer named."""
        del request
        return self._act(
            CaseAction.START_REVIEW, services.start_review, ReviewerSerializer, case_id
        )

    @describe(ReviewerSerializer)
    @action(detail=True, methods=["post"])
    def assign(self, request: Request, case_id: str) -> Response:
        """Hand a case to a reviewer."""
        del request
        return self._act(CaseAction.ASSIGN, services.assign_reviewer, ReviewerSerializer, case_id)

    @describe(ReasonSerializer)
    @action(detail=True, methods=["post"])
    def escalate(self, request: Request, case_id: str) -> Response:
        """Put a case before a higher level."""
        del request
        return self._act(CaseAction.ESCALATE, services.escalate_case, ReasonSerializer, case_id)

    @describe(ReasonSerializer)
    @action(detail=True, methods=["post"])
    def close(self, request: Request, case_id: str) -> Response:
        """Decide a case; its status is final."""
        del request
        return self._act(CaseAction.CLOSE, services.close_case, ReasonSerializer, case_id)

    @describe(DueDateSerializer)
    @action(detail=True, methods=["post"], url_path="due-date")
    def due_date(self, request: Request, case_id: str) -> Response:
        """Set another due date."""
        del request
        return self._act(CaseAction.SET_DUE_DATE, services.set_due_date, DueDateSerializer, case_id)

    @describe(ReasonSerializer)
    @action(detail=True, methods=["post"])
    def pause(self, request: Request, case_id: str) -> Response:
        """Stop the clock of a case."""
        del request
        return self._act(CaseAction.PAUSE, services.pause_clock, ReasonSerializer, case_id)

    @describe(ReasonSerializer)
    @action(detail=True, methods=["post"])
    def resume(self, request: Request, case_id: str) -> Response:
        """Let the clock of a case run again."""
        del request
        return self._act(CaseAction.RESUME, services.resume_clock, ReasonSerializer, case_id)

    @describe(ReasonSerializer)
    @action(detail=True, methods=["post"])
    def restrict(self, request: Request, case_id: str) -> Response:
        """Hide a case from all but a few."""
        del request
        return self._act(CaseAction.RESTRICT, services.restrict_case, ReasonSerializer, case_id)

    @describe(ReasonSerializer)
    @action(detail=True, methods=["post"])
    def unrestrict(self, request: Request, case_id: str) -> Response:
        """Lift the restriction of a case."""
        del request
        return self._act(CaseAction.UNRESTRICT, services.unrestrict_case, ReasonSerializer, case_id)

    @describe(AccessSerializer)
    @action(detail=True, methods=["post"])
    def access(self, request: Request, case_id: str) -> Response:
        """Grant one user a permission on this case, or take it back."""
        del request
        wanted = self.read_input(AccessSerializer, CaseAction.GRANT_ACCESS, case_id)
        operation = wanted.pop("operation")
        service = services.grant_access if operation == "grant" else services.revoke_access
        return self._carry_out(service, case_id, wanted)

    def _act(
        self,
        case_action: CaseAction,
        service: Callable[..., Case],
        form: type[StrictSerializer],
        case_id: str,
    ) -> Response:
        given = self.read_input(form, case_action, case_id)
        return self._carry_out(service, case_id, given)

    def _carry_out(
        self, service: Callable[..., Case], case_id: str, given: dict[str, Any]
    ) -> Response:
        version = self.expected_version
        return self._answer(
            service(case_id=case_id, actor=self.actor, expected_version=version, **given)
        )

    def _answer(self, case: Case, status: int = 200) -> Response:
        return Response(self._rendered(case), status=status, headers={"ETag": f'"{case.version}"'})

    def _rendered(self, cases: Any, *, many: bool = False) -> Any:
        context = {"available_actions": partial(selectors.available_actions, self.actor)}
        return CaseSerializer(cases, many=many, context=context).data
