"""Reads of cases and notes; the writes that would pass by the audit trail are refused here."""

from __future__ import annotations

from typing import Any, Never, cast

from django.contrib.postgres.expressions import ArraySubquery
from django.db import models
from django.db.models import Exists, OuterRef, Q

from cases.models.permissions import CaseUserPermission
from cases.policies import VIEW, VIEW_RESTRICTED, Actor


def refuse(what: str) -> Never:
    """Raise TypeError: say that services are the way."""
    message = f"{what} goes through cases.services: nothing changes a case around its trail."
    raise TypeError(message)


class GuardedQuerySet(models.QuerySet[Any]):
    """Reads as any queryset does; refuses the writes that would pass by the audit trail."""

    def update(self, **kwargs: Any) -> int:
        """Refuse: raises TypeError."""
        del kwargs
        refuse("An update")

    def bulk_update(self, *args: Any, **kwargs: Any) -> int:
        """Refuse: raises TypeError."""
        del args, kwargs
        refuse("An update")

    def delete(self) -> tuple[int, dict[str, int]]:
        """Refuse: raises TypeError. Cases and notes are never deleted."""
        refuse("A deletion")


class CaseQuerySet(GuardedQuerySet):
    """Cases, as one actor may see them."""

    def visible_to(self, actor: Actor) -> CaseQuerySet:
        """Leave the cases that exist for this actor.

        Everybody with a role sees what is not restricted. A restricted case exists for who may
        see all restricted ones, for its reviewer, and for users granted access to it.
        """
        if actor.imported_by or (actor.has(VIEW) and actor.has(VIEW_RESTRICTED)):
            return self
        granted = Exists(
            CaseUserPermission.objects.filter(
                content_object_id=OuterRef("pk"),
                user__username=actor.id,
                user__is_active=True,
                permission__codename=VIEW,
            )
        )
        if not actor.has(VIEW):
            return self.filter(granted)
        return self.filter(Q(restricted=False) | Q(assigned_reviewer_id=actor.id) | granted)

    def with_grants(self, actor: Actor) -> CaseQuerySet:
        """Add ``granted``: the permissions that this actor was given on each single case."""
        mine = CaseUserPermission.objects.filter(
            content_object_id=OuterRef("pk"), user__username=actor.id, user__is_active=True
        )
        granted = ArraySubquery(mine.values("permission__codename"))
        return cast(CaseQuerySet, self.annotate(granted=granted))
