"""Which refusals an operation can really give, each with its code, its details and an example."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any, Final

from cases.errors import CaseError
from cases.lifecycle import CaseAction, CaseStatus
from cases.policies import FOUR_EYES
from config.http.document.operations import Document, Operation
from config.http.errors import TABLE, Row

_EXAMPLE_REQUEST_ID: Final = "01a20592-4ae5-700f-b0f0-638ba6be538a"
# The longest sentence repeats what was sent, and a body ends at 1 MiB.
_LONGEST_SENTENCE: Final = 1_100_000
# By RFC 9110. Python has these names since 3.13; the document is the same for every version.
_RENAMED: Final = {413: "Content Too Large", 422: "Unprocessable Content"}


def _first_of_each_code() -> dict[str, tuple[type[Exception], Row]]:
    found: dict[str, tuple[type[Exception], Row]] = {}
    for kind, row in TABLE.items():
        found.setdefault(row.code, (kind, row))
    return found


CODES: Final = _first_of_each_code()

# These are answers to requests that are no operation: another scheme, address or method.
OF_NO_OPERATION: Final = frozenset({"https_required", "not_found", "method_not_allowed"})


def codes_of(operation: Operation) -> list[str]:
    """Return the codes that an operation can answer with, in the order of the table."""
    possible = {
        "malformed_request": True,
        "not_authenticated": True,
        "permission_denied": operation.writes or operation.answers_file,
        "separation_of_duties": bool(FOUR_EYES.intersection(operation.actions)),
        "case_not_found": operation.on_case,
        "not_acceptable": True,
        "invalid_case_transition": operation.writes and operation.on_case,
        "case_conflict": operation.writes and operation.on_case,
        "duplicate_case": bool({CaseAction.CREATE, CaseAction.UPDATE} & {*operation.actions}),
        "idempotency_key_reused": operation.writes,
        "idempotency_key_in_progress": operation.writes,
        # A case that is yet to be created has no version, so no ETag can be that of it.
        "precondition_failed": operation.writes,
        "payload_too_large": operation.writes,
        "unsupported_media_type": operation.writes,
        # A query parameter that nothing reads is refused everywhere.
        "validation_error": True,
        "rate_limited": True,
        "internal_error": True,
        "dependency_unavailable": True,
    }
    return [code for code in CODES if possible.get(code)]


def message_of(code: str) -> str:
    """Return the sentence that stands for a code: the table's, or its exception's."""
    kind, row = CODES[code]
    if row.message:
        return row.message
    if issubclass(kind, CaseError):
        return kind().message
    said = str(getattr(kind, "default_detail", code))
    return said.replace("{media_type}", "text/plain")


_NOTHING: Final[dict[str, Any]] = {
    "type": "object",
    "title": "NoDetails",
    "description": "Nothing: the code says it all.",
    "properties": {},
    "additionalProperties": False,
}
_BY_FIELD: Final[dict[str, Any]] = {
    "type": "object",
    "title": "FieldErrors",
    "description": "A sentence for each field or parameter that is wrong, by its name.",
    "minProperties": 1,
    "additionalProperties": {"type": "string", "minLength": 1, "maxLength": _LONGEST_SENTENCE},
}
_TRANSITION: Final[dict[str, Any]] = {
    "type": "object",
    "title": "ForbiddenTransition",
    "description": "What was asked for, where the case is, and what it allows, whoever acts.",
    "required": ["action", "from_status", "allowed_actions"],
    "properties": {
        "action": {"$ref": "#/components/schemas/CaseActionEnum"},
        "from_status": {"$ref": "#/components/schemas/CaseStatusEnum"},
        "allowed_actions": {
            "type": "array",
            "maxItems": len(CaseAction),
            "uniqueItems": True,
            "items": {"$ref": "#/components/schemas/CaseActionEnum"},
        },
    },
    "additionalProperties": False,
}
_VERSION: Final[dict[str, Any]] = {
    "type": "object",
    "title": "CurrentVersion",
    "description": "The version that the case has by now; none while it is yet to be created.",
    "properties": {"current_version": {"type": "integer", "minimum": 0, "format": "int32"}},
    "additionalProperties": False,
}
_DETAILS: Final[dict[str, dict[str, Any]]] = {
    "validation_error": _BY_FIELD,
    "invalid_case_transition": _TRANSITION,
    "precondition_failed": _VERSION,
}
_EXAMPLES: Final[dict[str, dict[str, Any]]] = {
    "validation_error": {"reason": "This field may not be blank."},
    "invalid_case_transition": {
        "action": str(CaseAction.CLOSE),
        "from_status": str(CaseStatus.DRAFT),
        "allowed_actions": [str(CaseAction.UPDATE), str(CaseAction.SUBMIT)],
    },
    "precondition_failed": {"current_version": 4},
}


def _camel(code: str) -> str:
    return "".join(word.capitalize() for word in code.split("_"))


def _component(code: str) -> str:
    return _camel(code.removesuffix("_error")) + "Error"


def _schema(code: str) -> dict[str, Any]:
    details = _DETAILS.get(code, _NOTHING)
    return {
        "type": "object",
        "description": message_of(code),
        "required": ["error", "message", "details", "request_id"],
        "properties": {
            "error": {"type": "string", "enum": [code], "description": "The code, for programs."},
            "message": {
                "type": "string",
                "minLength": 1,
                "maxLength": _LONGEST_SENTENCE,
                "description": "A sentence for people; its words may change.",
            },
            "details": {"$ref": f"#/components/schemas/{details['title']}"},
            "request_id": {"$ref": "#/components/schemas/RequestId"},
        },
        "additionalProperties": False,
    }


def _example(code: str) -> dict[str, Any]:
    return {
        "summary": message_of(code),
        "value": {
            "error": code,
            "message": message_of(code),
            "details": _EXAMPLES.get(code, {}),
            "request_id": _EXAMPLE_REQUEST_ID,
        },
    }


def _response(status: int, codes: list[str]) -> dict[str, Any]:
    kinds = [{"$ref": f"#/components/schemas/{_component(code)}"} for code in codes]
    schema: dict[str, Any] = kinds[0]
    if len(codes) > 1:
        mapping = {code: kind["$ref"] for code, kind in zip(codes, kinds, strict=True)}
        schema = {
            "oneOf": kinds,
            "discriminator": {"propertyName": "error", "mapping": mapping},
        }
    said = "\n".join(f"- `{code}`: {message_of(code)}" for code in codes)
    return {
        "description": f"{_RENAMED.get(status) or HTTPStatus(status).phrase}\n\n{said}",
        "content": {
            "application/json": {
                "schema": schema,
                "examples": {
                    code: {"$ref": f"#/components/examples/{_camel(code)}"} for code in codes
                },
            }
        },
    }


def add_refusals(document: Document, operation: Operation) -> None:
    """Add the responses of an operation's refusals, each shared with all that refuse alike."""
    components = document["components"]
    by_status: dict[int, list[str]] = {}
    for code in codes_of(operation):
        by_status.setdefault(CODES[code][1].status, []).append(code)
    for status, codes in by_status.items():
        name = "Or".join(_camel(code) for code in codes)
        components.setdefault("responses", {})[name] = _response(status, codes)
        operation.said["responses"][str(status)] = {"$ref": f"#/components/responses/{name}"}
        for code in codes:
            details = _DETAILS.get(code, _NOTHING)
            components["schemas"][details["title"]] = details
            components["schemas"][_component(code)] = _schema(code)
            components.setdefault("examples", {})[_camel(code)] = _example(code)
