"""Columns to fields, cells to values."""

from __future__ import annotations

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from cases.imports.mapping import (
    Columns,
    guessed,
    keys_within,
    parse_pairs,
    unfilled,
    zone_named,
)
from cases.imports.rows import FileError


def value(field: str, cell: str, column: str = "column", zone: str = "UTC") -> object:
    return Columns({field: column}, ZoneInfo(zone)).values({"column": cell})[field]


@pytest.mark.parametrize(
    ("cell", "zone", "expected"),
    [
        ("2026-01-31T09:00:00Z", "America/New_York", datetime(2026, 1, 31, 9, tzinfo=UTC)),
        ("2026-01-31 09:00:00+02:00", "UTC", datetime(2026, 1, 31, 7, tzinfo=UTC)),
        ("2026-01-31 09:00:00", "America/New_York", datetime(2026, 1, 31, 14, tzinfo=UTC)),
        ("2026-07-31 09:00:00", "America/New_York", datetime(2026, 7, 31, 13, tzinfo=UTC)),
        ("2026-07-31", "Europe/Berlin", datetime(2026, 7, 30, 22, tzinfo=UTC)),
        ("20260731", "UTC", datetime(2026, 7, 31, tzinfo=UTC)),
        # Twice 02:30 that night: the first one counts.
        ("2026-10-25 02:30:00", "Europe/Berlin", datetime(2026, 10, 25, 0, 30, tzinfo=UTC)),
    ],
)
def test_times_without_an_offset_are_the_offices_local_time(
    cell: str, zone: str, expected: datetime
) -> None:
    found = value("received_at", cell, zone=zone)
    assert isinstance(found, datetime)
    assert found.astimezone(UTC) == expected


@pytest.mark.parametrize(
    ("cell", "zone", "expected"),
    [
        ("2026-07-31", "Europe/Berlin", datetime(2026, 7, 31, 21, 59, 59, 999999, tzinfo=UTC)),
        ("20261025", "Europe/Berlin", datetime(2026, 10, 25, 22, 59, 59, 999999, tzinfo=UTC)),
        ("2026-07-31 00:00", "Europe/Berlin", datetime(2026, 7, 30, 22, tzinfo=UTC)),
        ("2026-07-31T00:00Z", "Europe/Berlin", datetime(2026, 7, 31, tzinfo=UTC)),
    ],
)
def test_what_is_due_on_a_day_is_due_at_its_end(cell: str, zone: str, expected: datetime) -> None:
    found = value("due_at", cell, zone=zone)
    assert isinstance(found, datetime)
    assert found.astimezone(UTC) == expected


def test_the_last_day_of_all_has_no_end_and_is_left_for_the_checks() -> None:
    assert value("due_at", "9999-12-31") == datetime(9999, 12, 31, tzinfo=UTC)


@pytest.mark.parametrize("cell", ["", " ", "\t"])
def test_a_blank_cell_is_no_time(cell: str) -> None:
    assert value("due_at", cell) is None


def test_what_is_no_time_is_left_for_the_checks_to_refuse() -> None:
    assert value("at", "next week") == "next week"


def test_cells_are_trimmed_and_keep_what_is_inside() -> None:
    assert value("description", "  one\n\u00a0two  ") == "one\n\u00a0two"


@pytest.mark.parametrize("cell", ["one\ntwo", "one\r\ntwo", "one\ttwo", "one\x85two"])
def test_one_line_fields_take_a_break_as_a_space(cell: str) -> None:
    assert value("title", cell) == "one two"


@pytest.mark.parametrize(
    ("cell", "expected"),
    [
        ("channel=Internet;deadline=2011", "Internet"),
        ("deadline=2011; channel=Desk ", "Desk"),
        ("channel=a=b", "a=b"),
        ("channel=", ""),
        ("nothing of it", ""),
        ("", ""),
    ],
)
def test_a_key_is_taken_out_of_a_compound_cell(cell: str, expected: str) -> None:
    assert value("source", cell, column="column:channel") == expected


def test_a_column_whose_own_name_has_a_colon_comes_first() -> None:
    columns = Columns({"case": "case:concept:name"}, ZoneInfo("UTC"))
    assert columns.values({"case:concept:name": "7"}) == {"case": "7"}
    assert columns.missing_in(["case:concept:name"]) == []


def test_missing_columns_are_named() -> None:
    columns = Columns({"title": "What", "source": "text:channel"}, ZoneInfo("UTC"))
    assert columns.missing_in(["Which"]) == ["What", "text:channel"]
    assert columns.missing_in(["What", "text"]) == []
    assert columns.missing_in(None) == []


def test_pairs_are_read_and_the_last_one_counts() -> None:
    assert parse_pairs(["a=1", "b=x=y", "a=2"], "ab", what="A=B") == {"a": "2", "b": "x=y"}


@pytest.mark.parametrize("pair", ["a", "a=", "c=1", "=1"])
def test_a_pair_of_another_form_or_name_is_refused(pair: str) -> None:
    with pytest.raises(FileError):
        parse_pairs([pair], ["a", "b"], what="A=B")


@pytest.mark.parametrize("name", ["", "Mars", "../etc/passwd", "/etc/passwd", "Europe", "A\0"])
def test_what_is_no_time_zone_is_said_so(name: str) -> None:
    with pytest.raises(FileError, match="is no time zone"):
        zone_named(name)


@pytest.mark.parametrize(
    ("columns", "expected"),
    [
        (["title", "External Reference"], {"title": 0, "external_reference": 1}),
        (["TITLE", "external-reference"], {"title": 0, "external_reference": 1}),
        (["received at", "dueAt", " priority "], {"received_at": 0, "due_at": 1, "priority": 2}),
        (["title", "Title"], {"title": 0}),  # the first one
        (["Titel", "id", ""], {}),
    ],
)
def test_columns_that_are_called_as_a_field_is_are_guessed(columns, expected) -> None:
    assert guessed(columns) == {field: columns[n] for field, n in expected.items()}


@pytest.mark.parametrize(
    ("cells", "keys"),
    [
        (["region=North;channel=web"], ["region", "channel"]),
        (["a=1;b=2", "", " a=3; c=;"], ["a", "b", "c"]),
        (["region=North"], []),  # may be a formula, or a text
        (["=SUM(A1);x=2"], []),
        (["a=1;b=2", "something else"], []),
        (["a:b=1;c=2"], []),  # a colon parts column and key
        ([], []),
        (["", " "], []),
    ],
)
def test_keys_are_found_where_every_cell_holds_several(cells, keys) -> None:
    assert keys_within(cells) == keys


@pytest.mark.parametrize(
    ("by_field", "source", "missing"),
    [
        ([], "", ["title", "external_reference", "source"]),
        (["title", "external_reference"], "Register", []),
        (["title", "external_reference", "source"], "", []),
        (["title"], " ", ["external_reference", "source"]),
    ],
)
def test_what_every_row_needs_must_be_filled(by_field, source, missing) -> None:
    assert unfilled(by_field, source) == missing
