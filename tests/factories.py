"""Cases in any state, made through the services as everywhere else: no row without its trail."""

from __future__ import annotations

from typing import Any

import factory
from django.contrib.auth.models import Group, User

from cases import services
from cases.lifecycle import CaseAction, CaseStatus
from cases.models import Case, Note
from cases.policies import PERMISSIONS, Actor
from tests.cast import OTHER_REVIEWER, REVIEWER, SUPERVISOR, WRITER

# Valid input for each action on an existing case; ``act`` hands it to the action's service.
INPUT: dict[CaseAction, dict[str, Any]] = {
    CaseAction.UPDATE: {"fields": {"title": "Late reporting, again"}},
    CaseAction.SUBMIT: {},
    CaseAction.START_REVIEW: {"reviewer_id": REVIEWER.id},
    CaseAction.ASSIGN: {"reviewer_id": OTHER_REVIEWER.id},
    CaseAction.ESCALATE: {"reason": "Beyond our remit"},
    CaseAction.CLOSE: {"reason": "Resolved"},
    CaseAction.ADD_NOTE: {"body": "Called the firm; no answer."},
    CaseAction.SET_DUE_DATE: {"due_at": "2027-03-01T12:00:00Z", "reason": "Parliament asks"},
    CaseAction.PAUSE: {"reason": "Waiting for the firm"},
    CaseAction.RESUME: {"reason": "The firm answered"},
    CaseAction.RESTRICT: {"reason": "Names a whistleblower"},
    CaseAction.UNRESTRICT: {"reason": "Published by now"},
    CaseAction.GRANT_ACCESS: {"user": "grace", "permission": "view_case"},
    CaseAction.REVOKE_ACCESS: {"user": "grace", "permission": "view_case"},
    CaseAction.MARK_OVERDUE: {},
}


def act(action: CaseAction, case: Case, actor: Actor, **given: Any) -> Case | Note:
    """Carry out an action through its service; what is not given is taken from ``INPUT``."""
    service = getattr(services, PERMISSIONS[action])
    return service(case_id=case.id, actor=actor, **{**INPUT[action], **given})


class UserFactory(factory.django.DjangoModelFactory[User]):
    """An account; ``roles=["reviewer"]`` puts it into the groups of these names."""

    class Meta:
        model = User
        skip_postgeneration_save = True

    username = factory.Sequence(lambda n: f"user-{n}")
    is_staff = True
    password = factory.django.Password("correct horse battery staple")

    @factory.post_generation
    def roles(self, create: bool, extracted: list[str] | None, **kwargs: Any) -> None:
        """Give the account its roles."""
        if create and extracted:
            self.groups.set(Group.objects.filter(name__in=extracted))


class CaseFactory(factory.Factory[Case]):
    """A case taken to ``status`` by the cast: Wanda writes and submits, Rob reviews."""

    class Meta:
        model = Case

    title = factory.Sequence(lambda n: f"Late reporting, matter {n}")

    @classmethod
    def _create(cls, model_class: type[Case], *args: Any, **kwargs: Any) -> Case:
        status = kwargs.pop("status", CaseStatus.DRAFT)
        restricted = kwargs.pop("restricted", False)
        paused = kwargs.pop("paused", False)
        writer = kwargs.pop("writer", WRITER)
        reviewer = kwargs.pop("reviewer", REVIEWER)
        case = services.create_case(fields=kwargs, actor=writer)
        if status != CaseStatus.DRAFT:
            case = services.submit_case(case_id=case.id, actor=writer)
        if status in (CaseStatus.UNDER_REVIEW, CaseStatus.ESCALATED, CaseStatus.CLOSED):
            case = services.start_review(case_id=case.id, reviewer_id=reviewer.id, actor=reviewer)
        if status == CaseStatus.ESCALATED:
            case = services.escalate_case(
                case_id=case.id, reason="Beyond our remit", actor=reviewer
            )
        if restricted:
            case = services.restrict_case(
                case_id=case.id, reason="Names a whistleblower", actor=SUPERVISOR
            )
        if paused:
            case = services.pause_clock(
                case_id=case.id, reason="Waiting for the firm", actor=SUPERVISOR
            )
        if status == CaseStatus.CLOSED:
            closer = reviewer
            case = services.close_case(case_id=case.id, reason="Resolved", actor=closer)
        return case
