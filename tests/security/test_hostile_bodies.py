"""Whatever bytes are sent to whatever writes: a refusal of the one shape, nothing half-done."""

import bisect
import json

import pytest

from cases.models import Case
from tests.api import expect
from tests.api.endpoints import WRITES
from tests.cast import SUPERVISOR, WRITER
from tests.factories import CaseFactory

pytestmark = pytest.mark.django_db

DEPTH = 100_000
MALFORMED = {
    "half an object": b'{"reason": "x"',
    "two objects": b"{}{}",
    "trailing comma": b'{"reason": "x",}',
    "single quotes": b"{'reason': 'x'}",
    "a comment": b'{"reason": "x"} // done',
    "NUL between": b'{"reason":\x00"x"}',
    "only NUL": b"\x00",
    "raw control in text": b'{"reason": "a\x01b"}',
    "raw NUL in text": b'{"reason": "a\x00b"}',
    "invalid UTF-8": b'{"reason": "\xff"}',
    "overlong UTF-8": b'{"reason": "\xc0\x80"}',
    "raw surrogate": b'{"reason": "\xed\xa0\x80"}',
    "latin-1": '{"reason": "Grüße"}'.encode("latin-1"),
    "UTF-16": '{"reason": "x"}'.encode("utf-16"),
    "UTF-16 without BOM": '{"reason": "x"}'.encode("utf-16-le"),
    "NaN": b'{"reason": NaN}',
    "Infinity": b'{"reason": Infinity}',
    "minus Infinity": b'{"reason": -Infinity}',
    "NaN alone": b"NaN",
    "same name twice": b'{"reason": "x", "reason": "y"}',
    "same name twice inside": b'{"reason": {"a": 1, "a": 2}}',
    "same name escaped": b'{"reason": "x", "re\\u0061son": "y"}',
    "5,000 digits": b'{"reason": ' + b"9" * 5000 + b"}",
    "brackets": b"[" * DEPTH,
    "closed brackets": b"[" * DEPTH + b"]" * DEPTH,
    "braces": b'{"a":' * DEPTH + b"1" + b"}" * DEPTH,
    "brackets in a field": b'{"reason":' + b"[" * DEPTH + b"]" * DEPTH + b"}",
    "gzip": b"\x1f\x8b\x08\x00\x00",
    "XML": b"<reason>x</reason>",
}
WELL_FORMED_BUT_WRONG = {
    "1e999": b'{"reason": 1e999}',
    "minus zero": b'{"reason": -0.0}',
    "4,000 digits": b'{"reason": ' + b"9" * 4000 + b"}",
    "surrogate as a name": b'{"\\ud800": "x"}',
    "NUL as a name": b'{"\\u0000": "x"}',
    "empty name": b'{"": "x"}',
    "long name": b'{"' + b"x" * 100_000 + b'": 1}',
    "ten thousand names": json.dumps(dict.fromkeys(map(str, range(10_000)))).encode(),
    "prototype": b'{"__proto__": {"admin": true}, "__class__": "x"}',
    "BOM and a list": b"\xef\xbb\xbf[]",
}
every_write = pytest.mark.parametrize("write", WRITES, ids=str)


def send(as_actor, write, case, body, **more):
    return getattr(as_actor(write.may), write.method)(
        f"/cases/{case.id}{write.path}", body, content_type="application/json", **more
    )


@every_write
def test_what_is_not_json_changes_nothing(as_actor, subtests, write):
    case = write.case()

    for name, body in MALFORMED.items():
        with subtests.test(name):
            answer = send(as_actor, write, case, body)

            expect.refusal(answer, 400, "malformed_request", set())
    expect.unchanged(case)


@every_write
def test_what_is_json_but_nonsense_changes_nothing(as_actor, subtests, write):
    case = write.case()

    for name, body in WELL_FORMED_BUT_WRONG.items():
        with subtests.test(name):
            answer = send(as_actor, write, case, body)

            expect.refusal(answer, 422, "validation_error")
    expect.unchanged(case)


@every_write
def test_twelve_megabytes_are_too_much(as_actor, write):
    case = write.case()

    answer = send(as_actor, write, case, b'{"reason": "' + b"x" * 12_000_000 + b'"}')

    expect.refusal(answer, 413, "payload_too_large", set())
    expect.unchanged(case)


@pytest.mark.parametrize(("extra", "status"), [(0, 201), (1, 413)])
def test_one_mebibyte_is_the_limit_to_the_byte(as_actor, extra, status):
    body = b'{"title": "x"' + b" " * (1_048_576 - 14 + extra) + b"}"

    answer = as_actor(WRITER).post("/cases", body, content_type="application/json")

    assert answer.status_code == status


FORBIDDEN = {"NUL": "a\\u0000b", "surrogate": "a\\ud800b", "swapped pair": "\\udc00\\ud800"}
TEXTS = [
    (write, field)
    for write in WRITES
    for field, value in (write.body or {}).items()
    if isinstance(value, str)
]


@pytest.mark.parametrize(("write", "field"), TEXTS, ids=str)
@pytest.mark.parametrize("text", FORBIDDEN.values(), ids=FORBIDDEN)
def test_a_text_that_is_no_text_is_named(as_actor, write, field, text):
    case = write.case()
    body = json.dumps(write.body | {field: "HERE"}).replace("HERE", text)

    answer = send(as_actor, write, case, body)

    expect.refusal(answer, 422, "validation_error", {field})
    expect.unchanged(case)


@pytest.mark.parametrize("text", FORBIDDEN.values(), ids=FORBIDDEN)
@pytest.mark.parametrize(
    "field",
    ["title", "description", "category", "subject", "external_reference", "source", "priority",
     "received_at", "due_at"],
)  # fmt: skip
def test_no_field_of_a_new_case_takes_what_is_no_text(as_actor, field, text):
    body = json.dumps({"title": "x", field: "HERE"}).replace("HERE", text)

    answer = as_actor(WRITER).post("/cases", body, content_type="application/json")

    expect.refusal(answer, 422, "validation_error", {field})
    assert not Case.objects.exists()


NESTED = [("post", "/cases", "title", WRITER), ("post", "/cases", "priority", WRITER)]
NESTED += [("post", "/cases", "due_at", WRITER), ("post", "/cases", "nonsense", WRITER)]
NESTED += [("post", "/cases/{id}/access", "operation", SUPERVISOR)]
NESTED += [("post", "/cases/{id}/notes", "body", WRITER)]


@pytest.mark.parametrize(
    ("method", "path", "field", "actor"), NESTED, ids=lambda v: getattr(v, "id", str(v))
)
def test_no_depth_of_nesting_fails(as_actor, method, path, field, actor):
    client, url = as_actor(actor), path.format(id=CaseFactory().id)

    def status_of(depth):
        body = f'{{"{field}": {"[" * depth}{"]" * depth}}}'
        return getattr(client, method)(url, body, content_type="application/json").status_code

    # Just below the depth that the parser refuses, everything after it is at its limit. It refuses
    # from 1,000 on, and from 10,000 with Python 3.13.
    refused_from = bisect.bisect_left(
        range(100_000), x=True, key=lambda depth: status_of(depth) == 400
    )

    answers = {depth: status_of(depth) for depth in range(refused_from - 30, refused_from + 5)}

    assert set(answers.values()) == {400, 422}, answers


def test_a_byte_order_mark_is_no_offence(as_actor):
    body = b'\xef\xbb\xbf{"title": "Sp\xc3\xa4t"}'

    answer = as_actor(WRITER).post("/cases", body, content_type="application/json")

    assert expect.the_case(answer, 201)["title"] == "Spät"


MARKUP = [
    "<script>alert(1)</script>",
    "'; DROP TABLE cases; --",
    "{{7*7}}",
    "=1+1",
    "%s%n",
    "\u05e9\u200f",
]


@pytest.mark.parametrize("text", MARKUP)
def test_text_is_kept_as_text(as_actor, text):
    answer = as_actor(WRITER).post("/cases", {"title": text, "description": text})

    assert expect.the_case(answer, 201)["title"] == text
