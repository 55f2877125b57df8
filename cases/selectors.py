"""The reads: what an actor may see of cases, their notes and the grants on them."""

from __future__ import annotations

import re
from collections.abc import Collection
from typing import Final

from django.conf import settings
from django.contrib.auth.base_user import AbstractBaseUser
from django.contrib.auth.models import AnonymousUser, Permission, User
from django.db.models import Q, QuerySet

from cases import policies
from cases.errors import CaseNotFound
from cases.lifecycle import CaseAction
from cases.models import Case, CaseQuerySet, CaseUserPermission, Note
from cases.policies import DEFAULT_ROLES, Actor

# Anything else is not a case id, and needs no look into the database to say so.
_CASE_ID: Final = re.compile(r"CASE-[0-9]{6,15}")


def get_case(case_id: str, actor: Actor, *, for_update: bool = False) -> Case:
    """Return the case, if it exists for this actor.

    Args:
        case_id: like ``CASE-000001``.
        actor: who asks.
        for_update: lock the row until the end of the transaction.

    Raises:
        CaseNotFound: no such case, or none that this actor may know of.
    """
    if not _CASE_ID.fullmatch(case_id):
        raise CaseNotFound
    cases = visible_cases(actor)
    if for_update:
        cases = cases.select_for_update(no_key=True, of=("self",))
    try:
        case: Case = cases.get(pk=case_id)
    except Case.DoesNotExist:
        raise CaseNotFound from None
    return case


def visible_cases(actor: Actor, *, statuses: Collection[str] = ()) -> CaseQuerySet:
    """Return the cases that exist for this actor, those in one of the statuses if any are named."""
    cases = Case.objects.visible_to(actor)
    # A past that is loaded asks for no permission, so it needs none looked up.
    cases = cases if actor.imported_by else cases.with_grants(actor)
    return cases.filter(status__in=list(statuses)) if statuses else cases


def notes_of(case: Case) -> QuerySet[Note]:
    """Return the notes of a case that the caller may see, oldest first."""
    return Note.objects.filter(case=case).order_by("sequence")


def granted_on(case_id: str, actor: Actor) -> frozenset[str]:
    """Return the permissions that the actor was given on this one case."""
    if not _CASE_ID.fullmatch(case_id):
        return frozenset()
    rows = CaseUserPermission.objects.filter(
        user__username=actor.id, user__is_active=True, content_object_id=case_id
    )
    return frozenset(rows.values_list("permission__codename", flat=True))


def available_actions(actor: Actor, case: Case) -> list[CaseAction]:
    """Return the actions that this actor may take now on a case read by this module."""
    return policies.available_actions(
        actor, case, granted=case.granted, four_eyes=settings.CASES_FOUR_EYES
    )


def actor_of_roles(actor_id: str, roles: Collection[str]) -> Actor:
    """Return an actor with the permissions of the groups that bear the roles' names."""
    codenames = (
        Permission.objects.filter(
            content_type__app_label="cases", group__name__in=sorted(set(roles))
        )
        .values_list("codename", flat=True)
        .order_by()
    )
    return Actor(id=actor_id, roles=frozenset(roles), permissions=frozenset(codenames))


def actor_of_user(user: AbstractBaseUser | AnonymousUser) -> Actor:
    """Return the actor that a logged-in user is: the name, the groups, what they allow.

    Raises:
        TypeError: nobody is logged in, or the account is switched off.
    """
    if not isinstance(user, User) or not user.is_active:
        message = "Only an active account can be an actor."
        raise TypeError(message)
    roles = frozenset(user.groups.values_list("name", flat=True))
    if user.is_superuser:
        return Actor(id=user.username, roles=roles | {"admin"}, permissions=DEFAULT_ROLES["admin"])
    codenames = Permission.objects.filter(
        Q(group__user=user) | Q(user=user), content_type__app_label="cases"
    ).values_list("codename", flat=True)
    return Actor(id=user.username, roles=roles, permissions=frozenset(codenames))
