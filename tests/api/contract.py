"""Holds every answer of the API against the OpenAPI document: what is not described fails."""

from __future__ import annotations

import re
from collections import defaultdict
from dataclasses import dataclass
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


@cache
def _served() -> dict[str, list[tuple[int, re.Pattern[str], Schema]]]:
    """Return all operations by method, with the addresses that they serve; the plainest first."""
    found: dict[str, list[tuple[int, re.Pattern[str], Schema]]] = defaultdict(list)
    for (path, method), operation in operations().items():
        address = re.compile(re.sub(r"\{\w+\}", "[^/]+", path))
        found[method].append((path.count("{"), address, operation))
    return {method: sorted(each, key=lambda one: one[0]) for method, each in found.items()}


def operation_at(path: str, method: str) -> Schema | None:
    """Return the operation that serves an address; those at the root are those under /v1."""
    versioned = "/v1" + path.removeprefix("/v1")
    served = _served().get(method.lower(), [])
    return next((one for _, address, one in served if address.fullmatch(versioned)), None)


@dataclass(frozen=True)
class _Described:
    """What the document says of the answers of an operation with one status."""

    required: tuple[str, ...]
    headers: dict[str, Draft202012Validator]
    body: Draft202012Validator | None


@cache
def _described(operation_id: str, status: str) -> _Described | None:
    (operation,) = (one for one in operations().values() if one["operationId"] == operation_id)
    if status not in operation["responses"]:
        return None
    response = resolved(operation["responses"][status])
    headers = {name: resolved(header) for name, header in response["headers"].items()}
    body = response.get("content", {}).get("application/json")
    return _Described(
        tuple(name for name, header in headers.items() if header.get("required")),
        {
            name: validator(header["schema"])
            for name, header in headers.items()
            if header["schema"].get("type") != "integer"
        },
        body and validator(body["schema"]),
    )


def check(answer: Any) -> None:
    """Check an answer of the test client: its status, its headers and its body are described."""
    request = answer.wsgi_request
    operation = operation_at(request.path, request.method)
    if operation is None or "text/html" in answer.headers.get("Content-Type", ""):
        return
    name, status = operation["operationId"], str(answer.status_code)
    described = _described(name, status)
    assert described is not None, f"{name} answers {status}"
    lacking = [header for header in described.required if header not in answer.headers]
    assert lacking == [], f"{name} answers {status} without {lacking}"
    for header, kind in described.headers.items():
        if header in answer.headers:
            kind.validate(answer.headers[header])
    if described.body is not None:
        described.body.validate(answer.json())
