"""What may be written on a case, and what is said about the rest."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cases import intake
from cases.errors import InvalidInput

NINE = datetime(2026, 1, 31, 9, 30, tzinfo=UTC)

GOOD = [
    ("title", "  Late reporting\n", "Late reporting"),
    ("title", "x" * 200, "x" * 200),
    ("title", "Überfällige Meldung 逾期 🐢", "Überfällige Meldung 逾期 🐢"),
    ("description", "Two\nlines\tand a tab", "Two\nlines\tand a tab"),
    ("description", "", ""),
    ("description", None, ""),
    ("description", "x" * 100_000, "x" * 100_000),
    ("category", "", ""),
    ("subject", "ACME Ltd.", "ACME Ltd."),
    ("external_reference", " 2026/17 ", "2026/17"),
    ("source", None, ""),
    ("priority", "URGENT", "URGENT"),
    ("received_at", "2026-01-31T09:30:00Z", NINE),
    ("received_at", "2026-01-31T10:30:00+01:00", NINE),
    ("received_at", NINE, NINE),
    ("received_at", None, None),
    ("due_at", "", None),
    ("due_at", "2199-12-31T23:59:59Z", datetime(2199, 12, 31, 23, 59, 59, tzinfo=UTC)),
]
BAD = [
    ("title", None, "may not be blank"),
    ("title", "", "may not be blank"),
    ("title", " \t\r\n\u00a0", "may not be blank"),
    ("title", " \u200b\u2060\ufeff ", "may not be blank"),
    ("title", "txt.exe\u202e", "changes of direction"),
    ("title", "x" * 201, "At most 200 characters; these are 201"),
    ("title", "a\0b", "NUL"),
    ("title", "a\ud800b", "surrogates"),
    ("title", "two\nlines", "Line breaks"),
    ("title", "bell\x07", "control characters"),
    ("title", 17, "Not a text"),
    ("title", True, "Not a text"),
    ("title", ["a"], "Not a text"),
    ("description", "x" * 100_001, "At most 100,000"),
    ("description", "a\0b", "NUL"),
    ("description", "\udfff", "surrogates"),
    ("description", b"bytes", "Not a text"),
    ("category", "x" * 201, "At most 200"),
    ("subject", "a\nb", "Line breaks"),
    ("external_reference", "a\0", "NUL"),
    ("source", {}, "Not a text"),
    ("priority", "urgent", "One of LOW, NORMAL, HIGH, URGENT"),
    ("priority", None, "One of"),
    ("priority", "", "One of"),
    ("priority", [], "One of"),
    ("received_at", "2026-01-31T09:30:00", "time zone"),
    ("received_at", datetime(2026, 1, 31), "time zone"),  # noqa: DTZ001 (that is the case)
    ("received_at", "2026-01-31", "Not a time"),
    ("received_at", "yesterday", "RFC 3339"),
    ("received_at", "2026-02-30T09:30:00Z", "RFC 3339"),
    ("received_at", "2026-01-31T09:30:00Z\0junk", "RFC 3339"),
    ("received_at", "2026-01-31\ud80009:30:00Z", "RFC 3339"),
    ("received_at", "\ud800", "RFC 3339"),
    ("received_at", 1_700_000_000, "Not a time"),
    ("due_at", "0001-01-01T00:00:00+23:59", "year"),
    ("due_at", "9999-12-31T23:59:59-23:59", "year"),
    ("due_at", "1900-12-31T00:00:00Z", "year"),
    ("due_at", "2200-01-01T00:00:00Z", "year"),
    ("status", "CLOSED", "no such field"),
    ("version", 7, "no such field"),
    ("assigned_reviewer_id", "rob", "no such field"),
    ("restricted", False, "no such field"),
    ("id", "CASE-000001", "no such field"),
    ("", "x", "no such field"),
]


def ids(table: list[tuple[str, object, object]]) -> list[str]:
    return [f"{field}-{ascii(value)[:30]}" for field, value, _ in table]


@pytest.mark.parametrize(("field", "value", "clean"), GOOD, ids=ids(GOOD))
def test_a_good_value_comes_out_trimmed_and_in_utc(field, value, clean) -> None:
    assert intake.clean({field: value}) == {field: clean}


@pytest.mark.parametrize(("field", "value", "sentence"), BAD, ids=ids(BAD))
def test_a_bad_value_is_refused_with_a_sentence_for_its_field(field, value, sentence) -> None:
    with pytest.raises(InvalidInput) as refusal:
        intake.clean({field: value})

    assert list(refusal.value.details) == [field]
    assert sentence in refusal.value.details[field]


def test_all_that_is_wrong_is_said_at_once() -> None:
    wrong = {"title": " ", "priority": "?", "due_at": "soon", "colour": "red", "source": "fine"}

    with pytest.raises(InvalidInput) as refusal:
        intake.clean(wrong)

    assert set(refusal.value.details) == {"title", "priority", "due_at", "colour"}


def test_a_new_case_needs_a_title_and_says_so_among_all_else() -> None:
    with pytest.raises(InvalidInput) as refusal:
        intake.clean_new({"priority": "?"})

    assert set(refusal.value.details) == {"title", "priority"}


def test_a_change_needs_no_title() -> None:
    assert intake.clean({"priority": "LOW"}) == {"priority": "LOW"}


@pytest.mark.parametrize(
    ("check", "field", "most"),
    [
        pytest.param(intake.clean_reason, "reason", 4_000, id="reason"),
        pytest.param(intake.clean_body, "body", 20_000, id="note"),
        pytest.param(
            lambda v: intake.clean_actor_id(v, field="reviewer_id"), "reviewer_id", 150, id="actor"
        ),
    ],
)
def test_reasons_notes_and_names_are_required_trimmed_and_bounded(check, field, most) -> None:
    assert check(" " + "x" * most + " ") == "x" * most

    for wrong in ("", "  ", None, "x" * (most + 1), "\0", "a\0b", "\udc80", 5):
        with pytest.raises(InvalidInput) as refusal:
            check(wrong)
        assert list(refusal.value.details) == [field]


def test_a_reason_may_have_several_lines_and_a_name_may_not() -> None:
    assert intake.clean_reason("One.\nTwo.") == "One.\nTwo."

    with pytest.raises(InvalidInput):
        intake.clean_actor_id("rob\nadmin", field="reviewer_id")


ANY_TEXT = st.text(st.characters(exclude_categories=()), max_size=40)  # surrogates included


@settings(database=None, deadline=None, max_examples=300)
@given(
    value=ANY_TEXT | st.none() | st.integers() | st.binary(max_size=5) | st.lists(st.text()),
    required=st.booleans(),
    one_line=st.booleans(),
)
def test_whatever_comes_in_a_text_goes_out_storable_or_a_ValueError_says_why(  # noqa: N802 (an exception's name)
    value: object, required: bool, one_line: bool
) -> None:
    try:
        clean = intake.text(value, maximum=20, required=required, one_line=one_line)
    except ValueError as error:
        assert str(error).endswith(".")
        return

    assert clean.encode().decode() == clean == clean.strip()
    assert "\0" not in clean
    assert len(clean) <= 20
    assert clean or not required
    assert not one_line or clean.isprintable() or not set(clean) & set(map(chr, range(32)))


@settings(database=None, deadline=None, max_examples=300)
@given(value=ANY_TEXT | st.datetimes().map(str) | st.datetimes(timezones=st.timezones()))
def test_whatever_comes_in_a_moment_goes_out_in_utc_or_a_ValueError_says_why(  # noqa: N802 (an exception's name)
    value: object,
) -> None:
    try:
        moment = intake.moment(value)
    except ValueError as error:
        assert str(error).endswith(".")
        return

    assert moment.tzinfo is UTC
    assert 1900 <= moment.year <= 2200
