"""No column of a case can be forgotten by the statement that stores a change."""

from __future__ import annotations

from cases.intake import WRITABLE
from cases.models import Case
from cases.storage import FIXED, STATE

COLUMNS = {field.attname for field in Case._meta.concrete_fields}


def test_every_column_is_state_or_intake_or_fixed() -> None:
    assert {*STATE, *WRITABLE, *FIXED} == COLUMNS


def test_what_is_fixed_at_creation_is_written_by_no_change() -> None:
    assert not set(FIXED) & {*STATE, *WRITABLE}


def test_only_the_due_date_is_both_typed_by_people_and_moved_by_actions() -> None:
    assert set(STATE) & set(WRITABLE) == {"due_at"}


def test_columns_are_named_as_their_fields_are() -> None:
    assert all(field.column == field.attname for field in Case._meta.concrete_fields)
