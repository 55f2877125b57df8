"""Holds every answer of the API against the OpenAPI document: what is not described fails."""

from __future__ import annotations

import re
from functools import cache
from typing import Any

from drf_spectacular.generators import SchemaGenerator
from jsonschema_rs import Draft202012Validator

Schema = dict[str, Any]


@cache
def document() -> Schema:
    """Return the document as the code makes it now."""
    made: Schema = SchemaGenerator().get_schema(request=None, public=True)
    return made


def resolved(schema: Schema) -> Schema:
    """Follow a reference into the document."""
    while "$ref" in schema:
        found: Any = document()
        for part in schema["$ref"].removeprefix("#/").split("/"):
            found = found[part]
        schema = found
    return schema


def operations() -> dict[tuple[str, str], Schema]:
    """Return every operation by path and method."""
    return {
        (path, method): operation
        for path, item in document()["paths"].items()
        for method, operation in item.items()
    }


def validator(schema: Schema) -> Draft202012Validator:
    """Return what checks a value against a schema of the document."""
    whole = {"$ref": "#/here", "here": schema, "components": document()["components"]}
    return Draft202012Validator(whole, validate_formats=True)


def operation_at(path: str, method: str) -> Schema | None:
    """Return the operation that serves an address; those at the root are those under /v1."""
    versioned = "/v1" + path.removeprefix("/v1")
    served = [
        (template.count("{"), operation)
        for (template, served_method), operation in operations().items()
        if served_method == method.lower()
        and re.fullmatch(re.sub(r"\{\w+\}", "[^/]+", template), versioned)
    ]
    return min(served, key=lambda found: found[0])[1] if served else None


def check(answer: Any) -> None:
    """Check an answer of the test client: its status, its headers and its body are described."""
    request = answer.wsgi_request
    operation = operation_at(request.path, request.method)
    if operation is None or "text/html" in answer.headers.get("Content-Type", ""):
        return
    status = str(answer.status_code)
    assert status in operation["responses"], f"{operation['operationId']} answers {status}"
    response = resolved(operation["responses"][status])
    for name, header in response["headers"].items():
        described = resolved(header)
        lacking = described.get("required") and name not in answer.headers
        assert not lacking, f"{operation['operationId']} answers {status} without {name}"
        if name in answer.headers and described["schema"].get("type") != "integer":
            validator(described["schema"]).validate(answer.headers[name])
    if "application/json" in response.get("content", {}):
        _body_of(operation["operationId"], status).validate(answer.json())


@cache
def _body_of(operation: str, status: str) -> Draft202012Validator:
    (described,) = (one for one in operations().values() if one["operationId"] == operation)
    response = resolved(described["responses"][status])
    return validator(response["content"]["application/json"]["schema"])
