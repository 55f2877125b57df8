"""A cursor that is none of ours is a 400: never a 500, never somebody else's page."""

import base64
import json

import pytest

from cases import services
from tests.api import expect
from tests.cast import WRITER
from tests.factories import CaseFactory

pytestmark = pytest.mark.django_db

AT = "2026-03-01T12:00:00+00:00"


def coded(value):
    raw = value if isinstance(value, bytes) else json.dumps(value).encode()
    return base64.urlsafe_b64encode(raw).decode().rstrip("=")


GARBAGE = {
    "empty": "",
    "a word": "next",
    "a number": "17",
    "not base64": "????",
    "percent": "%",
    "non-ascii": "ñandú",
    "NUL": "\0",
    "one letter": "A",
    "too long": "A" * 501,
    "far too long": "A" * 20_000,
    "no JSON": coded(b"hello"),
    "half a JSON": coded(b'["n","2026'),
    "not UTF-8": coded(b"\xff\xfe["),
    "nested": coded(b"[" * 300),
    "null": coded(None),
    "true": coded(True),
    "digits": coded(b"9" * 300),
    "a dict": coded({"n": 1}),
    "an empty list": coded([]),
    "an empty text": coded(""),
    "direction only": coded(["n"]),
    "no direction": coded([AT, "CASE-000001"]),
    "unknown direction": coded(["x", AT, "CASE-000001"]),
    "direction a list": coded([["n"], AT, "CASE-000001"]),
    "direction a dict": coded([{}, AT, "CASE-000001"]),
    "too few": coded(["n", AT]),
    "too many": coded(["n", AT, "CASE-000001", "x"]),
    "time a number": coded(["n", 5, "CASE-000001"]),
    "time null": coded(["n", None, "CASE-000001"]),
    "time true": coded(["n", True, "CASE-000001"]),
    "time a list": coded(["n", [AT], "CASE-000001"]),
    "time a dict": coded(["n", {}, "CASE-000001"]),
    "time a word": coded(["n", "yesterday", "CASE-000001"]),
    "time a day": coded(["n", "2026-03-01", "CASE-000001"]),
    "time naive": coded(["n", "2026-03-01T12:00:00", "CASE-000001"]),
    "time impossible": coded(["n", "2026-02-30T12:00:00+00:00", "CASE-000001"]),
    "time with NUL": coded(["n", f"{AT}\0", "CASE-000001"]),
    "time empty": coded(["n", "", "CASE-000001"]),
    "id a number": coded(["n", AT, 1]),
    "id null": coded(["n", AT, None]),
    "id a list": coded(["n", AT, ["CASE-000001"]]),
    "id with NUL": coded(["n", AT, "CASE-\0"]),
    "id a surrogate": coded(["n", AT, "\ud800"]),
    "id too long": coded(["n", AT, "C" * 21]),
    "of the notes": coded(["n", "5"]),
    "NaN": coded(b'["n", NaN, "CASE-000001"]'),
}
STRANGE_BUT_TRUE = {
    "before the epoch": ["n", "0001-01-01T00:00:00+14:00", "CASE-000001"],
    "after the end": ["n", "9999-12-31T23:59:59-14:00", "CASE-000001"],
    "backwards before the epoch": ["p", "0001-01-01T00:00:00+23:59", "CASE-000001"],
    "id not ours": ["n", AT, "' OR 1=1 --"],
    "id empty": ["n", AT, ""],
    "id an emoji": ["p", AT, "🏦"],
}


@pytest.mark.parametrize("cursor", GARBAGE.values(), ids=GARBAGE)
def test_garbage_is_refused_by_the_list(as_actor, cursor):
    CaseFactory()

    answer = as_actor(WRITER).get("/cases", {"cursor": cursor})

    expect.refusal(answer, 400, "malformed_request", set())


@pytest.mark.parametrize("cursor", STRANGE_BUT_TRUE.values(), ids=STRANGE_BUT_TRUE)
def test_a_place_that_no_case_has_is_no_failure(as_actor, cursor):
    CaseFactory()

    answer = as_actor(WRITER).get("/cases", {"cursor": coded(cursor)})

    expect.no_failure(answer)


BAD_PLACES = [
    [], ["n"], ["n", 5], ["n", None], ["n", True], ["n", ["5"]], ["n", "five"], ["n", "5", "5"],
    ["n", "-1"], ["n", "1e3"], ["n", "5.5"], ["n", "9" * 30], ["n", "2147483648"], ["n", ""],
    ["n", "5\0"], ["q", "5"], ["n", AT, "CASE-000001"], {"n": 1}, "n", 5, None,
]  # fmt: skip


@pytest.mark.parametrize("path", ["notes", "audit-events"])
@pytest.mark.parametrize("cursor", BAD_PLACES, ids=expect.name)
def test_garbage_is_refused_by_notes_and_trails(as_actor, path, cursor):
    case = CaseFactory()

    answer = as_actor(WRITER).get(f"/cases/{case.id}/{path}", {"cursor": coded(cursor)})

    expect.refusal(answer, 400, "malformed_request", set())


def test_a_cursor_with_one_letter_changed_never_fails(as_actor):
    CaseFactory.create_batch(3)
    wanda = as_actor(WRITER)
    cursor = wanda.get("/cases?limit=1").json()["next"].split("cursor=")[1]

    for place in range(len(cursor)):
        for letter in "A_z9":
            tampered = cursor[:place] + letter + cursor[place + 1 :]
            answer = wanda.get("/cases", {"cursor": tampered})
            assert answer.status_code in (200, 400), tampered


@pytest.mark.parametrize("extra", ["!", "\n", " ", "=", "*.*", "ü"])
def test_a_cursor_with_foreign_characters_is_none_of_ours(as_actor, extra):
    CaseFactory.create_batch(2)
    wanda = as_actor(WRITER)
    cursor = wanda.get("/cases?limit=1").json()["next"].split("cursor=")[1]

    answer = wanda.get("/cases", {"cursor": cursor[:8] + extra + cursor[8:]})

    expect.refusal(answer, 400, "malformed_request", set())


def test_a_cursor_of_one_list_is_none_of_another(as_actor):
    case = CaseFactory()
    for _ in range(2):
        services.add_note(case_id=case.id, body="Called", actor=WRITER)
        CaseFactory()
    wanda = as_actor(WRITER)
    of_cases = wanda.get("/cases?limit=1").json()["next"].split("cursor=")[1]
    of_notes = wanda.get(f"/cases/{case.id}/notes?limit=1").json()["next"].split("cursor=")[1]

    for answer in (
        wanda.get("/cases", {"cursor": of_notes}),
        wanda.get(f"/cases/{case.id}/notes", {"cursor": of_cases}),
    ):
        expect.refusal(answer, 400, "malformed_request", set())
