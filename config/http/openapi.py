"""What the OpenAPI document says beside the views: the paths under /v1, and the ways in."""

from __future__ import annotations

from typing import Any

from drf_spectacular.extensions import OpenApiAuthenticationExtension
from drf_spectacular.openapi import AutoSchema

from config.http.document.examples import add_examples
from config.http.document.headers import add_headers, add_parameters
from config.http.document.links import add_links
from config.http.document.operations import Document, operations
from config.http.document.refusals import add_refusals
from config.http.document.schemas import make_exact
from config.http.document.texts import add_texts


def only_v1(endpoints: list[tuple[str, str, str, Any]]) -> list[tuple[str, str, str, Any]]:
    """Keep the versioned paths: those at the root are the same (drf-spectacular hook)."""
    return [endpoint for endpoint in endpoints if endpoint[0].startswith("/v1/")]


def complete(result: Document, **kwargs: Any) -> Document:
    """Say of every operation all that the rules of ``config.http.document`` know (a hook)."""
    del kwargs
    everything = [*operations(result)]
    for operation in everything:
        add_texts(result, operation)
        add_parameters(result, operation)
        add_examples(result, operation)
    add_links(result, everything)
    for operation in everything:
        add_refusals(result, operation)
        add_headers(result, operation)
        responses = operation.said["responses"]
        operation.said["responses"] = dict(sorted(responses.items()))
    make_exact(result)
    for name, kind in result["components"].items():
        result["components"][name] = dict(sorted(kind.items()))
    return result


class HeaderActorScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call] # as its library
    """Describes ``HeaderActorAuthentication``."""

    target_class = "config.http.actors.HeaderActorAuthentication"
    name = ["actorId", "actorRoles"]

    def get_security_definition(self, auto_schema: AutoSchema) -> list[dict[str, str]]:
        """Return a security scheme for each of the two headers, which belong together."""
        del auto_schema
        placeholder = "A placeholder, no authentication; off in production."
        return [
            {
                "type": "apiKey",
                "in": "header",
                "name": "X-Actor-ID",
                "description": f"Names the actor, like reviewer-1. {placeholder}",
            },
            {
                "type": "apiKey",
                "in": "header",
                "name": "X-Actor-Roles",
                "description": f"Its roles, separated by commas, like reviewer. {placeholder}",
            },
        ]


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


class ApiTokenScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call] # as its library
    """Describes ``ApiTokenAuthentication``."""

    target_class = "config.http.bearer.ApiTokenAuthentication"
    name = "apiToken"

    def get_security_definition(self, auto_schema: AutoSchema) -> dict[str, str]:
        """Return the security scheme (RFC 6750)."""
        del auto_schema
        return {
            "type": "http",
            "scheme": "bearer",
            "bearerFormat": "rcm_…",
            "description": "An API token of an account, made in the back office or by command.",
        }


class OidcTokenScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call] # as its library
    """Describes ``OidcTokenAuthentication``."""

    target_class = "config.http.bearer.OidcTokenAuthentication"
    name = "oidcToken"

    def get_security_definition(self, auto_schema: AutoSchema) -> dict[str, str]:
        """Return the security scheme (RFC 6750, RFC 7519)."""
        del auto_schema
        return {
            "type": "http",
            "scheme": "bearer",
            "bearerFormat": "JWT",
            "description": (
                "A token of the OpenID Connect issuer that this service trusts, checked as RFC8725"
                " says: algorithms by list, issuer, audience, times."
            ),
        }
