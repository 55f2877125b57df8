"""What the document says of every operation, whoever added it: complete, and true."""

from __future__ import annotations

import json
import re
from xml.etree import ElementTree as ET

import pytest

from audit.exports.table import EVENT_COLUMNS
from cases.exports import _COLUMNS, csv_form
from cases.lifecycle import LIFECYCLE, CaseAction
from cases.policies import DEFAULT_ROLES, FOUR_EYES, PERMISSIONS
from config.http.document.refusals import OF_NO_OPERATION
from config.http.endpoints import ENDPOINTS
from config.http.errors import TABLE
from tests.api.contract import document, operations, resolved, validator

EVERY = pytest.mark.parametrize(("path", "method"), sorted(operations()))
ALWAYS = {
    "malformed_request", "not_authenticated", "not_acceptable", "validation_error", "rate_limited",
    "internal_error", "dependency_unavailable",
}  # fmt: skip
BODY = {
    "payload_too_large", "unsupported_media_type", "permission_denied", "precondition_failed",
    "idempotency_key_reused", "idempotency_key_in_progress",
}  # fmt: skip
ON_CASE = {"case_not_found", "invalid_case_transition", "case_conflict"}
REFUSALS = {
    "cases_list": ALWAYS,
    "cases_summary": ALWAYS,
    "cases_reports": ALWAYS,
    "cases_export": ALWAYS | {"permission_denied"},
    "audit_events_export": ALWAYS | {"permission_denied"},
    "audit_events_export_csv": ALWAYS | {"permission_denied"},
    "audit_events_export_xes": ALWAYS | {"permission_denied"},
    "cases_retrieve": ALWAYS | {"case_not_found"},
    "cases_actions_list": ALWAYS | {"case_not_found"},
    "cases_due_date": ALWAYS | {"case_not_found"},
    "cases_reviewers_list": ALWAYS | {"case_not_found"},
    "cases_notes_list": ALWAYS | {"case_not_found"},
    "cases_audit_events_list": ALWAYS | {"case_not_found"},
    "cases_create": ALWAYS | BODY | {"duplicate_case"},
    "cases_update": ALWAYS | BODY | ON_CASE | {"duplicate_case"},
    "cases_submit": ALWAYS | BODY | ON_CASE,
    "cases_close": ALWAYS | BODY | ON_CASE | {"separation_of_duties"},
    "cases_notes_create": ALWAYS | BODY | ON_CASE,
    "cases_access": ALWAYS | BODY | ON_CASE,
}


def codes(operation) -> set[str]:
    """Return the codes of an operation's refusals, as their schemas name them."""
    found = set()
    for response in map(resolved, operation["responses"].values()):
        for content in response.get("content", {}).values():
            schema = content["schema"]
            for kind in map(resolved, schema.get("oneOf", [schema])):
                found |= {*kind.get("properties", {}).get("error", {}).get("enum", ())}
    return found


def told_of(action: CaseAction) -> str:
    endpoint = ENDPOINTS[action]
    return operations()[f"/v1/cases{endpoint.address}", endpoint.method]["description"]


@EVERY
def test_every_operation_has_a_name_a_sentence_more_words_and_a_tag(path, method):
    operation = operations()[path, method]

    assert re.fullmatch(r"[a-z]+(_[a-z]+)+", operation["operationId"])
    assert 5 <= len(operation["summary"]) <= 100
    assert not operation["summary"].endswith(".")
    assert operation["description"].startswith(operation["summary"])
    assert len(operation["tags"]) == 1
    assert operation["tags"][0] in {tag["name"] for tag in document()["tags"]}
    assert operation["security"]


@EVERY
def test_every_operation_shows_what_goes_in_and_what_comes_out(path, method):
    operation = operations()[path, method]
    success = operation["responses"][min(operation["responses"])]

    for content in operation.get("requestBody", {}).get("content", {}).values():
        assert content["examples"]
    for kind, content in success["content"].items():
        assert "example" in content or content.get("examples"), kind
    assert success["description"]


@EVERY
def test_every_example_is_what_its_schema_says(path, method):
    operation = operations()[path, method]
    bodies = [*map(resolved, operation["responses"].values()), operation.get("requestBody", {})]
    contents = [
        content
        for body in bodies
        for kind, content in body.get("content", {}).items()
        if kind == "application/json"
    ]

    for content in contents:
        examples = [resolved(e)["value"] for e in content.get("examples", {}).values()]
        for example in examples + ([content["example"]] if "example" in content else []):
            validator(content["schema"]).validate(example)
    for parameter in map(resolved, operation["parameters"]):
        if "example" in parameter:
            validator(parameter["schema"]).validate(parameter["example"])


def example_of(path, kind):
    content = operations()[path, "get"]["responses"]["200"]["content"]
    return content[kind]["example"]


def test_the_examples_of_files_are_lines_as_the_service_writes_them():
    table = example_of("/v1/cases/export.csv", "text/csv")
    events = example_of("/v1/audit-events/export.jsonl", "application/jsonl")
    event = {"$ref": "#/components/schemas/AuditEvent"}

    assert table.encode().startswith(csv_form(_COLUMNS).head())
    assert table.endswith("\r\n")
    event_table = example_of("/v1/audit-events/export.csv", "text/csv")
    assert event_table.encode().startswith(csv_form(EVENT_COLUMNS).head())
    assert event_table.endswith("\r\n")
    log = ET.fromstring(example_of("/v1/audit-events/export.xes", "application/xml"))
    assert [element.tag for element in log][-1] == "trace"
    assert events.endswith("\n")
    for line in events.splitlines():
        validator(event).validate(json.loads(line))


@EVERY
def test_every_refusal_has_an_example_per_code_and_the_request_id(path, method):
    for status, response in operations()[path, method]["responses"].items():
        described = resolved(response)
        assert "X-Request-ID" in described["headers"]
        if int(status) < 400:
            continue
        content = described["content"]["application/json"]
        shown = {resolved(e)["value"]["error"] for e in content["examples"].values()}
        assert shown == codes({"responses": {status: response}})
        assert all(f"`{code}`" in described["description"] for code in shown)


@pytest.mark.parametrize("name", REFUSALS)
def test_an_operation_names_the_refusals_that_it_can_give_and_no_others(name):
    operation = next(o for o in operations().values() if o["operationId"] == name)
    known = {row.code for row in TABLE.values()}

    assert codes(operation) == REFUSALS[name] & known


def test_every_code_of_the_table_is_told_by_some_operation():
    told = set().union(*map(codes, operations().values()))

    assert told == {row.code for row in TABLE.values()} - OF_NO_OPERATION


def test_every_code_comes_with_the_status_of_the_table():
    for operation in operations().values():
        for status, response in operation["responses"].items():
            for code in codes({"responses": {status: response}}):
                assert {row.status for row in TABLE.values() if row.code == code} == {int(status)}


@pytest.mark.parametrize("action", ENDPOINTS)
def test_who_may_and_from_where_is_told(action):
    told, step = told_of(action), LIFECYCLE[action]
    holders = [role for role, held in DEFAULT_ROLES.items() if PERMISSIONS[action] in held]

    assert f"`{action}` needs the permission `{PERMISSIONS[action]}`" in told
    assert all(role in told for role in holders)
    assert all(status in told for status in step.sources)
    assert (f"to {step.target}" in told) == bool(step.target and step.sources)
    assert f"`{step.event.type}`" in told
    assert ("four-eyes" in told) == (action in FOUR_EYES)


def test_every_action_of_people_has_its_operation():
    assert set(ENDPOINTS) == set(CaseAction) - {CaseAction.MARK_OVERDUE}
    named = {operation["operationId"] for operation in operations().values()}
    own = {"add_note": "notes_create", "grant_access": "access", "revoke_access": "access"}

    assert {f"cases_{own.get(action, action)}" for action in ENDPOINTS} <= named


@EVERY
def test_headers_that_a_caller_sends_and_gets_are_described(path, method):
    operation = operations()[path, method]
    parameters = {p["name"] for p in map(resolved, operation["parameters"])}
    success = operation["responses"][min(operation["responses"])]
    schema = success["content"].get("application/json", {}).get("schema", {})
    is_case = schema.get("$ref", "").endswith("/Case")

    assert "X-Request-ID" in parameters
    assert ("Idempotency-Key" in parameters) == (method != "get")
    assert ("If-Match" in parameters) == (method != "get" and "{case_id}" in path)
    assert ("If-None-Match" in parameters) == ("304" in operation["responses"])
    assert ("304" in operation["responses"]) == (method == "get" and is_case)
    assert ("ETag" in success["headers"]) == is_case
    assert ("Content-Disposition" in success["headers"]) == ("/export." in path)
    assert ("Location" in success["headers"]) == ((path, method) == ("/v1/cases", "post"))
    for status, header in (("401", "WWW-Authenticate"), ("429", "Retry-After"), ("503",) * 2):
        response = resolved(operation["responses"][status])
        assert ("Retry-After" if status == header else header) in response["headers"]


def schemas_in(schema, path=()):
    if isinstance(schema, dict):
        if "type" in schema and not isinstance(schema["type"], dict):
            yield path, schema
        for name, inner in schema.items():
            if name not in ("example", "examples", "value"):
                yield from schemas_in(inner, (*path, name))
    elif isinstance(schema, list):
        for number, inner in enumerate(schema):
            yield from schemas_in(inner, (*path, number))


def test_every_schema_has_its_bounds():
    unbounded = []
    for path, schema in schemas_in(document()):
        kinds = {schema["type"]} if isinstance(schema["type"], str) else {*schema["type"]}
        needed = set()
        if "string" in kinds and not {"enum", "const"} & set(schema):
            needed = {"maxLength"}
        if "integer" in kinds:
            needed = {"minimum", "maximum", "format"}
        if "array" in kinds:
            needed = {"maxItems"}
        if "object" in kinds:
            needed = {"additionalProperties"}
        if needed - set(schema) and path[:2] != ("components", "securitySchemes"):
            unbounded.append((path, needed - set(schema)))

    assert unbounded == []


def test_every_link_leads_to_an_operation_that_the_lifecycle_allows_next():
    names = {operation["operationId"] for operation in operations().values()}
    links = document()["components"]["links"]

    assert {link["operationId"] for link in links.values()} <= names
    for name in ("cases_create", "cases_submit", "cases_close", "cases_retrieve"):
        operation = next(o for o in operations().values() if o["operationId"] == name)
        success = operation["responses"][min(operation["responses"])]
        followed = set(success["links"])
        assert "cases_retrieve" in followed
        assert ("cases_submit" in followed) == (name in ("cases_create", "cases_retrieve"))
        assert ("cases_close" in followed) == (name == "cases_retrieve")
        assert ("cases_start_review" in followed) == (name in ("cases_submit", "cases_retrieve"))
