"""The endpoints of a case: they read the request, call one service and write the answer."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict
from typing import Any

from rest_framework import viewsets
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from cases import selectors, services
from cases.api.base import describe
from cases.api.idempotency import once
from cases.api.lists import CaseListing
from cases.api.preconditions import entity_tag, is_known, versions_to_match
from cases.api.serializers import (
    AccessSerializer,
    ActionSerializer,
    CaseFieldsSerializer,
    CaseSerializer,
    DueDateSerializer,
    NoInputSerializer,
    ReasonSerializer,
    ReviewerSerializer,
    StrictSerializer,
    SuggestedReviewerSerializer,
    written,
)
from cases.errors import PreconditionFailed
from cases.lifecycle import CaseAction
from cases.models import Case
from cases.pages import CaseRow
from cases.reviewers import SUGGESTED_MAX, candidates

NOTHING_TO_MATCH = "A case that is yet to be created has no version to match."
ACTION = ActionSerializer()


class CaseViewSet(CaseListing, viewsets.GenericViewSet[Case]):
    """Cases: what this actor may see of them, and the actions on them."""

    serializer_class = CaseSerializer
    queryset = Case.objects.none()
    lookup_url_kwarg = "case_id"
    lookup_value_regex = "[^/]+"

    # All but ``create``, whose first statement is an INSERT.
    confirming = frozenset(
        {"list", "retrieve", "actions", "partial_update", "submit", "start_review", "assign"}
        | {"escalate", "close", "due_date", "pause", "resume", "restrict", "unrestrict", "access"}
    )

    @describe(CaseFieldsSerializer, status=201)
    def create(self, request: Request) -> Response:
        """Take a case in, as DRAFT."""
        fields = self.read_input(CaseFieldsSerializer, CaseAction.CREATE)
        if versions_to_match(request) is not None:
            raise PreconditionFailed(NOTHING_TO_MATCH)

        def work() -> Response:
            case = services.create_case(fields=fields, actor=self.actor)
            response = self._answer(case, status=201)
            response["Location"] = request.build_absolute_uri(f"{request.path}/{case.id}")
            return response

        return once(request, work)

    @describe()
    def retrieve(self, request: Request, case_id: str) -> Response:
        """Read one case; 304 where the caller has this version already."""
        case = selectors.read_case(case_id, self.actor)
        self.only_parameters()
        if is_known(request, case.version):
            return Response(status=304, headers={"ETag": entity_tag(case.version)})
        return self._answer(case)

    @describe(answer=ActionSerializer(many=True))
    @action(detail=True, methods=["get"], pagination_class=None)
    def actions(self, request: Request, case_id: str) -> Response:
        """Tell of every action whether this actor may take it now, or which rule forbids it."""
        del request
        case = selectors.read_case(case_id, self.actor)
        self.only_parameters()
        explained = selectors.explained_actions(self.actor, case)
        return Response([ACTION.to_representation(item) for item in explained.items()])

    @describe(answer=SuggestedReviewerSerializer(many=True), operation_id="cases_reviewers_list")
    @action(detail=True, methods=["get"], pagination_class=None)
    def reviewers(self, request: Request, case_id: str) -> Response:
        """Suggest who could review the case, the one with the least open work first."""
        del request
        case = selectors.get_case(case_id, self.actor)
        self.only_parameters()
        found = candidates(case.id, self.actor)[:SUGGESTED_MAX]
        return Response([asdict(one) for one in found])

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
        service = services.grant_access
        if operation == "revoke":
            self.case_action, service = CaseAction.REVOKE_ACCESS, services.revoke_access
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
        given |= {"case_id": case_id, "actor": self.actor}
        versions = versions_to_match(self.request)
        return once(self.request, lambda: self._answer(service(expected_version=versions, **given)))

    def _answer(self, case: Case | CaseRow, status: int = 200) -> Response:
        body = written(case, selectors.available_actions(self.actor, case))
        return Response(body, status=status, headers={"ETag": entity_tag(case.version)})
