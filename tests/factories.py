"""Cases in any state, made through the services as everywhere else: no row without its trail."""

from __future__ import annotations

from typing import Any

import factory
from django.contrib.auth.models import Group, User

from cases import services
from cases.lifecycle import CaseStatus
from cases.models import Case
from tests.cast import REVIEWER, SUPERVISOR, WRITER


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
        writer = kwargs.pop("writer", WRITER)
        reviewer = kwargs.pop("reviewer", REVIEWER)
        case = services.create_case(fields=kwargs, actor=writer)
        if status != CaseStatus.DRAFT:
            case = services.submit_case(case_id=case.id, actor=writer)
        if status in (CaseStatus.UNDER_REVIEW, CaseStatus.ESCALATED, CaseStatus.CLOSED):
            case = services.start_review(case_id=case.id, reviewer_id=reviewer.id, actor=reviewer)
        if status == CaseStatus.ESCALATED:
            case = services.escalate_case(case_id=case.id, reason="Beyond our remit", actor=reviewer)
        if restricted:
            case = services.restrict_case(
                case_id=case.id, reason="Names a whistleblower", actor=SUPERVISOR
            )
        if status == CaseStatus.CLOSED:
            closer = reviewer
            case = services.close_case(case_id=case.id, reason="Resolved", actor=closer)
        return case
