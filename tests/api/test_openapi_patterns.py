"""The patterns of the document allow what the service takes, and nothing else."""

from __future__ import annotations

import re
from itertools import chain

import pytest

from cases import intake
from config.http.document import patterns
from tests.api.contract import document, operations, resolved, validator

# Everything that some rule, or some dialect of patterns, treats in its own way, and its neighbours.
CHARACTERS = [chr(n) for n in chain(range(0x3100), range(0xFDF0, 0x10010))]


def accepts(check, text):
    try:
        check(text)
    except ValueError:
        return False
    return True


LINE = {"maximum": 9, "one_line": True}
RULES = {
    "LINE": lambda text: intake.text(text, **LINE),
    "REQUIRED_LINE": lambda text: intake.text(text, required=True, **LINE),
    "TEXT": lambda text: intake.text(text, maximum=9),
    "REQUIRED_TEXT": lambda text: intake.text(text, maximum=9, required=True),
    "MOMENT": intake.moment,
}


@pytest.mark.parametrize("name", ["LINE", "REQUIRED_LINE", "TEXT", "REQUIRED_TEXT"])
@pytest.mark.parametrize("around", ["{}", "a{}b", " {}", "{} ", "\u200b{}\u00ad"], ids=ascii)
def test_a_pattern_takes_the_characters_that_its_rule_takes(name, around):
    pattern = re.compile(getattr(patterns, name))

    differing = [
        hex(ord(character))
        for character in CHARACTERS
        # Only a pattern that could see them could refuse half a pair.
        if not "\ud800" <= character <= "\udfff"
        and bool(pattern.search(text := around.replace("{}", character)))
        != accepts(RULES[name], text)
    ]

    assert differing == []


MOMENTS = [
    "2026-11-23T09:30:00Z", "2026-11-23t09:30:00z", "2026-11-23 09:30:00+01:00",
    "2026-11-23T09:30Z", "2026-11-23T09:30:00.1Z", "2026-11-23T09:30:00.123456789-12:00",
    "1901-01-01T00:00:00Z", "2199-12-31T23:59:59Z", "1900-12-31T23:59:59Z", "2200-01-01T00:00:00Z",
    "2026-11-23T09:30:00", "2026-11-23", "09:30:00Z", "2026-W48-1T09:30:00Z", "20261123T093000Z",
    "2026-13-01T00:00:00Z", "2026-00-01T00:00:00Z", "2026-01-32T00:00:00Z", "2026-01-01T25:00:00Z",
    "2026-01-01T23:60:00Z", "2026-01-01T23:59:60Z", "2026-01-01T00:00:00+24:00",
    "2026-01-01T00:00:00+1:00", "2026-01-01T00:00:00.Z", "2026-01-01T00:00:00.1234567890Z",
    "2026-01-01T00:00:00+01:60", " 2026-01-01T00:00:00Z", "2026-01-01T00:00:00Z ", "", "now",
    "2026-01-01T00:00:00Z\n", "\u0662026-01-01T00:00:00Z",
]  # fmt: skip


@pytest.mark.parametrize("text", MOMENTS, ids=ascii)
def test_the_pattern_of_a_time_takes_what_the_service_takes(text):
    assert bool(re.search(patterns.MOMENT, text) and not text.endswith("\n")) == accepts(
        intake.moment, text
    )


def test_a_day_that_no_month_has_is_for_the_format_to_refuse():
    schema = document()["components"]["schemas"]["DueDate"]["properties"]["due_at"]

    assert re.search(schema["pattern"], "2026-02-30T00:00:00Z")
    assert schema["format"] == "date-time"
    assert not accepts(intake.moment, "2026-02-30T00:00:00Z")


INPUTS = [
    (operation["operationId"], name, field)
    for operation in operations().values()
    for content in operation.get("requestBody", {}).get("content", {}).values()
    for name, field in resolved(content["schema"])["properties"].items()
]


@pytest.mark.parametrize(("operation", "name", "field"), INPUTS)
def test_every_field_that_goes_in_says_what_it_takes(operation, name, field):
    schema = resolved(field)

    assert "enum" in schema or {"maxLength", "pattern"} <= set(schema), (operation, name)
    assert field.get("description"), (operation, name)


@pytest.mark.parametrize(
    "case_id", ["CASE-000001", "CASE-1234567", "CASE-1", "case-000001", "CASE-000001 ", "x"]
)
def test_the_pattern_of_a_case_id_is_that_of_the_cases(case_id):
    parameter = document()["components"]["parameters"]["CaseId"]

    is_id = re.fullmatch(r"CASE-[0-9]{6,15}", case_id) is not None
    assert validator(parameter["schema"]).is_valid(case_id) == is_id


TAGS = {
    '"3"': True, "*": True, '"1", "2"': True, 'W/"3"': True, '""': True, '"1","2" , "3"': True,
    "3": False, '"3': False, "W/3": False, '"a"b"': False, '"1" "2"': False, ",": False,
}  # fmt: skip


@pytest.mark.parametrize(("given", "valid"), TAGS.items(), ids=ascii)
def test_if_match_takes_one_tag_or_a_list_or_a_star(given, valid):
    parameter = document()["components"]["parameters"]["IfMatch"]

    assert validator(parameter["schema"]).is_valid(given) == valid


FILTERS = [
    (operation["operationId"], parameter["name"], parameter["schema"])
    for operation in operations().values()
    for parameter in map(resolved, operation["parameters"])
    if parameter["in"] == "query"
]


@pytest.mark.parametrize(("operation", "name", "schema"), FILTERS)
def test_every_filter_says_what_it_takes(operation, name, schema):
    if schema["type"] == "array":
        # Each of the names once: a longer list could only repeat one.
        assert schema["maxItems"] == len(resolved(schema["items"])["enum"])
    elif schema["type"] == "string" and "enum" not in schema:
        assert {"maxLength", "pattern"} <= set(schema), (operation, name)


@pytest.mark.parametrize("text", ["", " ", "\u200b", "a\nb"], ids=ascii)
def test_a_filter_by_a_text_is_one_line_that_can_be_seen(text):
    parameters = operations()["/v1/cases", "get"]["parameters"]
    schema = next(p["schema"] for p in map(resolved, parameters) if p["name"] == "source")

    assert not validator(schema).is_valid(text)
    assert validator(schema).is_valid("Web form")


def test_no_request_id_is_refused_so_the_document_refuses_none():
    schema = document()["components"]["parameters"]["RequestId"]["schema"]

    assert all(validator(schema).is_valid(given) for given in ("a b", "", "ü", "x" * 500))
