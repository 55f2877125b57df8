"""Who is at the browser, and who may review."""

from __future__ import annotations

from django.contrib.auth.models import AnonymousUser, User
from django.db.models import Q
from django.http import HttpRequest

from cases.actors import actor_of_user
from cases.policies import Actor


def actor_in(request: HttpRequest) -> Actor:
    """Return who is logged in, looked up once per request; nobody may do nothing."""
    actor: Actor | None = getattr(request, "_case_actor", None)
    if actor is None:
        user = request.user
        active = not isinstance(user, AnonymousUser) and user.is_active
        actor = actor_of_user(user) if active else Actor(id="")
        request._case_actor = actor  # type: ignore[attr-defined]  # noqa: SLF001 (kept for this request)
    return actor


def reviewers() -> list[tuple[str, str]]:
    """Return the active accounts that may review: their names, and how they are shown."""
    reviewing = Q(groups__permissions__codename="close_case") | Q(
        user_permissions__codename="close_case"
    )
    accounts = User.objects.filter(reviewing, is_active=True).distinct().order_by("username")
    return [
        (account.username, f"{account.username} ({name})" if name else account.username)
        for account in accounts
        for name in [account.get_full_name()]
    ]
