"""What the OpenAPI document says beside the views: the paths under /v1, and the ways in."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any, Final

from drf_spectacular.extensions import OpenApiAuthenticationExtension
from drf_spectacular.openapi import AutoSchema


def only_v1(endpoints: list[tuple[str, str, str, Any]]) -> list[tuple[str, str, str, Any]]:
    """Keep the versioned paths: those at the root are the same (drf-spectacular hook)."""
    return [endpoint for endpoint in endpoints if endpoint[0].startswith("/v1/")]


_ERROR: Final[dict[str, Any]] = {
    "type": "object",
    "description": "What every refusal looks like.",
    "required": ["error", "message", "details", "request_id"],
    "properties": {
        "error": {"type": "string", "description": "A code for programs."},
        "message": {"type": "string", "description": "A sentence for people."},
        "details": {"type": "object", "description": "What is wrong, by field."},
        "request_id": {"type": "string", "description": "Leads to the log of this request."},
    },
}
_REFUSALS: Final = (400, 401, 403, 404, 406, 422, 500, 503)
_REFUSALS_OF_WRITES: Final = (409, 412, 413, 415)
_IF_MATCH: Final = {
    "name": "If-Match",
    "in": "header",
    "description": "Act only if the case still has the version of this ETag.",
    "schema": {"type": "string"},
    "example": '"3"',
}


def with_refusals(result: dict[str, Any], **kwargs: Any) -> dict[str, Any]:
    """Add what is the same for all operations: the error body, and If-Match (a hook)."""
    del kwargs
    result["components"]["schemas"]["Error"] = _ERROR
    content = {"application/json": {"schema": {"$ref": "#/components/schemas/Error"}}}
    for address, path in result["paths"].items():
        for method, operation in path.items():
            if method != "get" and "{case_id}" in address:
                operation.setdefault("parameters", []).append(_IF_MATCH)
            statuses = _REFUSALS + (() if method == "get" else _REFUSALS_OF_WRITES)
            for status in sorted(statuses):
                described = {"description": HTTPStatus(status).phrase, "content": content}
                operation["responses"][str(status)] = described
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
