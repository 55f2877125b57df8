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
from tests.leaks import secret

# What users write and log in with: marked, since no log line of any test may hold it.
PASSWORD = secret("correct horse battery staple")
RESTRICTING = secret("Names a whistleblower")
WAITING = secret("Waiting for the firm")
ESCALATING = secret("Beyond our remit")
CLOSING = secret("Resolved")

# Valid input for each action on an existing case; ``act`` hands it to the action's service.
INPUT: dict[CaseAction, dict[str, Any]] = {
    CaseAction.UPDATE: {"fields": {"title": "Late reporting, again"}},
    CaseAction.SUBMIT: {},
    CaseAction.START_REVIEW: {"reviewer_id": REVIEWER.id},
    CaseAction.ASSIGN: {"reviewer_id": OTHER_REVIEWER.id},
    CaseAction.ESCALATE: {"reason": ESCALATING},
    CaseAction.CLOSE: {"reason": CLOSING},
    CaseAction.ADD_NOTE: {"body": secret("Called the firm; no answer.")},
    CaseAction.SET_DUE_DATE: {
        "due_at": "2027-03-01T12:00:00Z",
        "reason": secret("Parliament asks"),
    },
    CaseAction.PAUSE: {"reason": WAITING},
    CaseAction.RESUME: {"reason": secret("The firm answered")},
    CaseAction.RESTRICT: {"reason": RESTRICTING},
    CaseAction.UNRESTRICT: {"reason": secret("Published by now")},
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
    password = factory.django.Password(PASSWORD)

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
            case = services.escalate_case(case_id=case.id, reason=ESCALATING, actor=reviewer)
        if restricted:
            case = services.restrict_case(case_id=case.id, reason=RESTRICTING, actor=SUPERVISOR)
        if paused:
            case = services.pause_clock(case_id=case.id, reason=WAITING, actor=SUPERVISOR)
        if status == CaseStatus.CLOSED:
            closer = reviewer
            case = services.close_case(case_id=case.id, reason=CLOSING, actor=closer)
        return case
