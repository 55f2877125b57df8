"""Who calls: every way in ends with an ``Actor`` as ``request.auth``."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

import structlog
from django.conf import settings
from django.contrib.auth.models import AbstractBaseUser, AnonymousUser
from rest_framework import exceptions
from rest_framework.authentication import BaseAuthentication, SessionAuthentication
from rest_framework.permissions import BasePermission
from rest_framework.request import Request

from cases.actors import actor_of_roles, actor_of_user
from cases.policies import Actor
from config.oidc.verify import ACTOR_ID
from config.second_factor import passed

if TYPE_CHECKING:  # DRF imports this module while it loads its own views
    from rest_framework.views import APIView

_ROLE: Final = re.compile(r"[A-Za-z0-9_-]{1,150}")


class HeaderActorAuthentication(BaseAuthentication):
    """The placeholder ``X-Actor-ID`` / ``X-Actor-Roles``: believes whoever calls.

    For the local demo and tests, and for a gateway that has authenticated already;
    ``ACTOR_HEADERS`` switches it off. A bearer token beside the headers wins.
    """

    def authenticate(self, request: Request) -> tuple[AnonymousUser, Actor] | None:
        """Return the actor that the headers name, or None where they are off or absent."""
        actor_id = request.headers.get("X-Actor-ID")
        if not settings.ACTOR_HEADERS or actor_id is None:
            return None
        if not ACTOR_ID.fullmatch(actor_id):
            message = "X-Actor-ID takes 1 to 150 printable ASCII characters."
            raise exceptions.ParseError(message)
        roles = [
            r.strip() for r in request.headers.get("X-Actor-Roles", "").split(",") if r.strip()
        ]
        if not all(_ROLE.fullmatch(role) for role in roles):
            message = "X-Actor-Roles takes role names, separated by commas."
            raise exceptions.ParseError(message)
        structlog.contextvars.bind_contextvars(actor_id=actor_id)
        return AnonymousUser(), actor_of_roles(actor_id, roles)


class SessionActorAuthentication(SessionAuthentication):
    """The admin's log-in, with CSRF protection: for the browsable API."""

    def authenticate(self, request: Request) -> tuple[AbstractBaseUser, Actor] | None:
        """Return the logged-in user and the actor that the user is, or None."""
        found = super().authenticate(request)
        if found is None:
            return None
        if not passed(request._request):  # noqa: SLF001 (DRF's would ask who calls, which is us)
            message = "Your log-in lacks its second factor: complete it in the back office."
            raise exceptions.AuthenticationFailed(message)
        user = found[0]
        actor = actor_of_user(user)
        structlog.contextvars.bind_contextvars(actor_id=actor.id)
        return user, actor


class IsActor(BasePermission):
    """Somebody calls; what that somebody may do is decided by the services."""

    def has_permission(self, request: Request, view: APIView) -> bool:
        """Tell whether one of the ways in found an actor."""
        del view
        return isinstance(request.auth, Actor)
