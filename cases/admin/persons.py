"""Who is at the browser."""

from __future__ import annotations

from django.contrib.auth.models import AnonymousUser
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
