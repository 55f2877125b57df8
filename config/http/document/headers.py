"""The headers of requests and answers, and where each of them belongs."""

from __future__ import annotations

from typing import Any, Final

from config.http.document import patterns
from config.http.document.operations import Document, Operation
from config.http.document.schemas import completed, without_values
from config.http.pagination import LIMIT_MAX


def _parameter(name: str, where: str, description: str, **more: Any) -> dict[str, Any]:
    return {"name": name, "in": where, "description": description, **more}


_REQUEST_ID: Final = {"$ref": "#/components/schemas/RequestId"}
# What web servers take of one header at most; nothing of ours refuses a long one.
_HEADER_MAX: Final = 8192
_TAGS: Final = {"type": "string", "maxLength": 4000, "pattern": patterns.ENTITY_TAGS}

# Only what is required has an example: the page to try things out would fill in the others too, and
# then every caller would name one version and one key.
PARAMETERS: Final[dict[str, dict[str, Any]]] = {
    "CaseId": _parameter(
        "case_id",
        "path",
        "Which case; anything that is no id of a case the actor may see is a 404.",
        required=True,
        schema={"type": "string", "maxLength": 20, "pattern": patterns.CASE_ID},
        example="CASE-000001",
    ),
    "RequestId": _parameter(
        "X-Request-ID",
        "header",
        "Taken over for logs, trail and answer where it is 1 to 128 of these: letters, digits and"
        " `._:/+=@-`. Otherwise, as where it is absent, one is made: it is never refused.",
        schema={"type": "string", "maxLength": _HEADER_MAX},
    ),
    "IfMatch": _parameter(
        "If-Match",
        "header",
        'Act only if the case still has the version of this ETag, like `"3"`, or of one in a list'
        " (RFC 9110);"
        " `*` takes any. A weak tag never matches. Without it nothing is compared.",
        schema=_TAGS,
    ),
    "IfNoneMatch": _parameter(
        "If-None-Match",
        "header",
        "Answer 304 without a body if the case still has the version of this ETag (RFC 9110).",
        schema=_TAGS,
    ),
    "IdempotencyKey": _parameter(
        "Idempotency-Key",
        "header",
        "A name for this request, made by the caller. The same actor, key and request again get the"
        " stored answer and nothing happens twice; the same key with another request is a 409."
        " A refused request leaves its key free.",
        schema={"type": "string", "minLength": 1, "maxLength": 255, "pattern": patterns.PRINTABLE},
    ),
}

HEADERS: Final[dict[str, dict[str, Any]]] = {
    "X-Request-ID": {
        "description": "Leads to the log lines of the request.",
        "required": True,
        "schema": _REQUEST_ID,
    },
    "ETag": {
        "description": "The version of the case, for `If-Match` and `If-None-Match`.",
        "required": True,
        "schema": {"type": "string", "maxLength": 12, "pattern": patterns.ENTITY_TAG},
        "example": '"3"',
    },
    "Location": {
        "description": "The address of the new case.",
        "required": True,
        "schema": {"type": "string", "maxLength": 2000, "format": "uri"},
        "example": "https://cases.example.org/v1/cases/CASE-000001",
    },
    "Content-Disposition": {
        "description": "The name to save the file under (RFC 6266).",
        "required": True,
        "schema": {"type": "string", "maxLength": 100, "pattern": patterns.PRINTABLE},
        "example": 'attachment; filename="cases-2026-11-23.csv"',
    },
    "Idempotent-Replayed": {
        "description": "`true` where this is the stored answer to an earlier request.",
        "schema": {"type": "string", "enum": ["true"]},
    },
    "WWW-Authenticate": {
        "description": "How to say who calls (RFC 9110).",
        "required": True,
        "schema": {"type": "string", "maxLength": 1000, "pattern": patterns.PRINTABLE},
        "example": 'Actor realm="regulatory-cases"',
    },
    "Retry-After": {
        "description": "After how many seconds to try again (RFC 9110).",
        "required": True,
        "schema": {"type": "integer", "format": "int32", "minimum": 1, "maximum": 86400},
        "example": 5,
    },
}
_OF_STATUS: Final = {
    "401": ("WWW-Authenticate",),
    "429": ("Retry-After",),
    "503": ("Retry-After",),
}


def add_parameters(document: Document, operation: Operation) -> None:
    """Give an operation the parameters that it shares with others, each written once."""
    document["components"]["parameters"] = PARAMETERS
    wanted = {
        "CaseId": operation.on_case,
        "IfMatch": operation.writes and operation.on_case,
        "IfNoneMatch": not operation.writes and operation.answers_case,
        "IdempotencyKey": operation.writes,
        "RequestId": True,
    }
    shared = {parameter["name"] for parameter in PARAMETERS.values()}
    own = [p for p in operation.said.get("parameters", ()) if p["name"] not in shared]
    for parameter in own:
        # A list is repeated, name by name: ?status=DRAFT&status=CLOSED.
        if parameter["schema"].get("type") == "array":
            parameter |= {"style": "form", "explode": True}
            parameter["schema"].setdefault("maxItems", LIMIT_MAX)
            parameter["schema"]["items"] = _shared(document, parameter["schema"]["items"])
        if parameter["schema"].get("type") == "integer":
            parameter["schema"].setdefault("format", "int32")
        parameter["schema"] = completed(parameter["schema"], _text_of_query(parameter))
        parameter["description"] = without_values(parameter["description"])
    operation.said["parameters"] = own + [
        {"$ref": f"#/components/parameters/{name}"} for name, wants in wanted.items() if wants
    ]


def _text_of_query(parameter: dict[str, Any]) -> dict[str, Any]:
    """Return what a parameter takes that is neither a time nor one of some names."""
    schema = parameter["schema"]
    if schema.get("type") != "string" or {"enum", "format"} & set(schema):
        return {}
    return {
        "minLength": 1,
        "pattern": patterns.CURSOR if parameter["name"] == "cursor" else patterns.REQUIRED_LINE,
    }


def _shared(document: Document, schema: dict[str, Any]) -> dict[str, Any]:
    """Return a reference to the enum of the document that has these values, where there is one."""
    for name, component in document["components"]["schemas"].items():
        if "enum" in component and component["enum"] == schema.get("enum"):
            return {"$ref": f"#/components/schemas/{name}"}
    return {name: value for name, value in schema.items() if name != "description"}


def add_headers(document: Document, operation: Operation) -> None:
    """Name the headers of an operation's answers, on shared responses as well."""
    components = document["components"]
    components["headers"] = HEADERS
    if not operation.writes and operation.answers_case:
        operation.said["responses"]["304"] = {
            "description": "Not Modified: the case still has the version that the caller knows."
        }
    for status, response in operation.said["responses"].items():
        name = response.get("$ref", "").rpartition("/")[2]
        described = components["responses"][name] if name else response
        wanted = ["X-Request-ID", *_OF_STATUS.get(status, ())]
        if status == "304" or (status == operation.status and operation.answers_case):
            wanted.append("ETag")
        if status == "201" and operation.answers_case:
            wanted.append("Location")
        if operation.writes and status == operation.status:
            wanted.append("Idempotent-Replayed")
        if operation.answers_file and status == operation.status:
            wanted.append("Content-Disposition")
        described.setdefault("headers", {}).update(
            {header: {"$ref": f"#/components/headers/{header}"} for header in wanted}
        )
