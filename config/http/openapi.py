"""What the OpenAPI document says beside the views: the paths under /v1, and the ways in."""

from __future__ import annotations

from typing import Any

from drf_spectacular.extensions import OpenApiAuthenticationExtension
from drf_spectacular.openapi import AutoSchema


def only_v1(endpoints: list[tuple[str, str, str, Any]]) -> list[tuple[str, str, str, Any]]:
    """Keep the versioned paths: those at the root are the same (drf-spectacular hook)."""
    return [endpoint for endpoint in endpoints if endpoint[0].startswith("/v1/")]


class HeaderActorScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call] # as its library
    """Describes ``HeaderActorAuthentication``."""

    target_class = "config.http.actors.HeaderActorAuthentication"
    name = "actorHeaders"

    def get_security_definition(self, auto_schema: AutoSchema) -> dict[str, str]:
        """Return the security scheme."""
        del auto_schema
        return {
            "type": "apiKey",
            "in": "header",
            "name": "X-Actor-ID",
            "description": "A placeholder, no authentication: names the actor; X-Actor-Roles "
            "holds its roles, separated by commas. Off in production.",
        }


class SessionScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call] # as its library
    """Describes ``SessionActorAuthentication``."""

    target_class = "config.http.actors.SessionActorAuthentication"
    name = "session"

    def get_security_definition(self, auto_schema: AutoSchema) -> dict[str, str]:
        """Return the security scheme."""
        del auto_schema
        return {
            "type": "apiKey",
            "in": "cookie",
            "name": "sessionid",
            "description": "The log-in of the back office; writes need the CSRF token.",
        }
