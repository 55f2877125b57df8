"""Reads of cases and notes; the writes that would pass by the audit trail are refused here."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Never, cast

from django.contrib.auth.models import User
from django.contrib.postgres.expressions import ArraySubquery
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import F, OuterRef, Q, QuerySet, Subquery, Value
from django.db.models.functions import Coalesce
from django.db.models.lookups import GreaterThanOrEqual, LessThan

from cases.filters import CaseFilter
from cases.lifecycle import CaseStatus
from cases.models.given import among
from cases.models.orderings import DueOrNever, OpenDueOrNever, PriorityRank, rank
from cases.models.permissions import CaseUserPermission
from cases.models.rights import demand_fresh
from cases.models.search import found_one_by_one
from cases.policies import VIEW, Actor, sees_every_case


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


# Every status but CLOSED, said as the partial indexes of Case say it.
_OPEN = ~Q(status=CaseStatus.CLOSED.value)
# What ``lifecycle.closed_in_time`` says of a closed case that had a due date; a test compares them.
# The clock of one that was paused had stood still since then.
_STOPPED = Coalesce("paused_at", "closed_at")
KEPT, MISSED = Q(due_at__gte=_STOPPED), Q(due_at__lt=_STOPPED)


class CaseQuerySet(GuardedQuerySet):
    """Cases, as one actor may see them."""

    def visible_to(self, actor: Actor) -> CaseQuerySet:
        """Leave the cases that exist for this actor.

        Everybody with a role sees what is not restricted. A restricted case exists for who may
        see all restricted ones, for its reviewer, and for users granted access to it.

        Raises:
            RightsUnconfirmed: the rights of the actor are remembered.
        """
        demand_fresh(actor)
        if sees_every_case(actor):
            return self
        if not actor.has_grants:
            return self.filter(_open_to(actor)) if actor.has(VIEW) else self.none()
        if not actor.has(VIEW):
            return self.filter(_granted_to(actor))
        return self.filter(_open_to(actor) | _granted_to(actor))

    def visible_in_parts(self, actor: Actor) -> list[CaseQuerySet]:
        """Return the same cases in parts that share none: what is counted is counted once.

        The parts are quicker to count than the whole: an index alone can answer the large one,
        which asks for no ids.

        Raises:
            RightsUnconfirmed: the rights of the actor are remembered.
        """
        demand_fresh(actor)
        if sees_every_case(actor) or not (actor.has(VIEW) and actor.has_grants):
            return [self.visible_to(actor)]
        granted = self.filter(_granted_to(actor), restricted=True)
        return [self.filter(_open_to(actor)), granted.exclude(assigned_reviewer_id=actor.id)]

    def with_grants(self, actor: Actor) -> CaseQuerySet:
        """Add ``granted``: the permissions that this actor was given on each single case."""
        if not actor.has_grants:
            nothing = Value([], output_field=ArrayField(models.TextField()))
            return cast(CaseQuerySet, self.annotate(granted=nothing))
        mine = _grants_of(actor).filter(content_object_id=OuterRef("pk"))
        granted = ArraySubquery(mine.values("permission__codename"))
        return cast(CaseQuerySet, self.annotate(granted=granted))

    def matching(
        self, wanted: CaseFilter, *, at: datetime, only_open: bool | None = None
    ) -> CaseQuerySet:
        """Leave the cases that a filter asks for.

        Args:
            wanted: the filter.
            at: the moment at which a case is overdue or not.
            only_open: what the filter says of itself, where its values are only stand-ins.
        """
        if only_open is None:
            only_open = wanted.only_open
        due = (OpenDueOrNever if only_open else DueOrNever)(F("due_at"))
        conditions: dict[str, Any] = {
            "statuses": lambda: Q(among(F("status"), wanted.statuses, str)),
            "priorities": lambda: Q(among(PriorityRank(F("priority")), wanted.priorities, rank)),
            "reviewer": lambda: Q(assigned_reviewer_id=wanted.reviewer),
            # Only these statuses do without a reviewer, by a constraint: with them the planner
            # knows that an index of open cases will do.
            "unassigned": lambda: Q(assigned_reviewer_id__isnull=True) & _OPEN,
            "category": lambda: Q(category=wanted.category),
            "source": lambda: Q(source=wanted.source),
            "overdue": lambda: _past_due(at) if wanted.overdue else ~_past_due(at),
            "paused": lambda: Q(paused_at__isnull=not wanted.paused),
            "closed_in_time": lambda: (
                Q(closed_at__isnull=False) & (KEPT if wanted.closed_in_time else MISSED)
            ),
            "created_from": lambda: Q(created_at__gte=wanted.created_from),
            "created_to": lambda: Q(created_at__lt=wanted.created_to),
            "due_from": lambda: Q(GreaterThanOrEqual(due, wanted.due_from), due_at__isnull=False),
            "due_to": lambda: Q(LessThan(due, wanted.due_to)),
            "closed_from": lambda: Q(closed_at__gte=wanted.closed_from),
            "closed_to": lambda: Q(closed_at__lt=wanted.closed_to),
            "search": lambda: Q(found_one_by_one(wanted.search)),
        }
        cases = self
        for name in wanted.names():
            cases = cases.filter(conditions[name]())
        return cases


def _past_due(at: datetime) -> Q:
    """Say in SQL what ``lifecycle.past_due`` says in Python; a test compares the two."""
    return _OPEN & Q(LessThan(OpenDueOrNever(F("due_at")), at), paused_at__isnull=True)


def _open_to(actor: Actor) -> Q:
    """Say which cases somebody with a role sees without having been granted them."""
    return Q(restricted=False) | Q(assigned_reviewer_id=actor.id)


def _granted_to(actor: Actor) -> Q:
    # Not correlated: the grants of one user are few, and are read once, by their index.
    viewing = _grants_of(actor).filter(permission__codename=VIEW)
    return Q(pk__in=viewing.values("content_object"))


def _grants_of(actor: Actor) -> QuerySet[CaseUserPermission]:
    account = User.objects.filter(username=actor.id, is_active=True)
    # A scalar subquery: the account is looked up once a statement, not once a case.
    return CaseUserPermission.objects.filter(user_id=Subquery(account.values("pk")))
