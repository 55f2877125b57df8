"""Which column feeds which field, and how cells become values."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import date, datetime
from typing import Final
from zoneinfo import ZoneInfo

from cases.calendar import WorkCalendar
from cases.imports.rows import FileError
from cases.intake import WRITABLE

_TIMES: Final = frozenset({"received_at", "due_at", "at"})
_ONE_LINE: Final = frozenset(
    {"title", "category", "subject", "external_reference", "source", "actor", "reviewer_id"}
)
# A register may break a line within a cell where a case has one line.
_BREAKS: Final = re.compile(r"[\t\r\n\x0b\x0c\x85]+")

# Without these a row becomes no case, or one that a later delivery could not find again.
REQUIRED: Final = ("title", "external_reference", "source")
_NOT_WORD: Final = re.compile(r"[\W_]+")
# What a cell of several values looks like: two of them at least.
_KEY: Final = r"[^=;:]{1,100}"
_SEVERAL: Final = re.compile(rf"\s*{_KEY}=[^;]*(?:;\s*{_KEY}=[^;]*)+;?\s*")


@dataclass(frozen=True)
class Columns:
    """Which column feeds which field; ``column:key`` takes ``key`` out of ``key=value;…``."""

    by_field: Mapping[str, str]
    zone: ZoneInfo

    def missing_in(self, header: Sequence[str] | None) -> list[str]:
        """Return the columns that the header lacks; JSON Lines have no header to ask."""
        if header is None:
            return []
        return [
            column
            for column in self.by_field.values()
            if column not in header and column.rpartition(":")[0] not in header
        ]

    def values(self, cells: Mapping[str, str]) -> dict[str, object]:
        """Return the fields that the row fills; what cannot be read is left for the checks."""
        found: dict[str, object] = {}
        for field, column in self.by_field.items():
            text = _cell(cells, column).strip()
            if field in _TIMES:
                found[field] = _moment(field, text, self.zone) if text else None
            elif field in _ONE_LINE:
                found[field] = _BREAKS.sub(" ", text)
            else:
                found[field] = text
        return found


def guessed(columns: Collection[str]) -> dict[str, str]:
    """Return the columns that are called as a field is; capitals and punctuation do not matter."""
    by_word: dict[str, str] = {}
    for column in columns:
        by_word.setdefault(_word(column), column)
    return {field: by_word[_word(field)] for field in WRITABLE if _word(field) in by_word}


def _word(name: str) -> str:
    return _NOT_WORD.sub("", name.casefold())


def keys_within(cells: Collection[str]) -> list[str]:
    """Return the keys in the cells of a column, where these hold ``key=value;key=value``."""
    filled = [cell for cell in cells if cell.strip()]
    if not filled or not all(map(_SEVERAL.fullmatch, filled)):
        return []
    parts = (part.partition("=")[0].strip() for cell in filled for part in cell.split(";"))
    return [key for key in dict.fromkeys(parts) if key]


def unfilled(by_field: Collection[str], source: str) -> list[str]:
    """Return the required fields that nothing fills; ``source`` is a name for all rows."""
    return [
        field
        for field in REQUIRED
        if field not in by_field and not (field == "source" and source.strip())
    ]


def _cell(cells: Mapping[str, str], column: str) -> str:
    if column in cells:
        return cells[column]
    outer, _, key = column.rpartition(":")
    for part in cells.get(outer, "").split(";"):
        name, equals, value = part.partition("=")
        if equals and name.strip() == key:
            return value
    return ""


def _moment(field: str, text: str, zone: ZoneInfo) -> datetime | str:
    """Read a time; what is due on a day is due at its end, as after submitting."""
    if field == "due_at":
        with suppress(ValueError, OverflowError):
            return WorkCalendar("", zone.key).end_of(date.fromisoformat(text))
    return _local(text, zone)


def _local(text: str, zone: ZoneInfo) -> datetime | str:
    """Read a time; one without an offset is local time of the office that wrote it."""
    try:
        # Registers write dates in many ways; what is between date and time is none of them.
        at = datetime.fromisoformat(text if text.isascii() and text.isprintable() else "")
    except ValueError:
        return text
    return at if at.tzinfo else at.replace(tzinfo=zone)


def zone_named(name: str) -> ZoneInfo:
    """Return the time zone of this name. Raises FileError when there is none."""
    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        message = f"{name!r} is no time zone; use a name like Europe/Berlin."
        raise FileError(message) from None


def parse_pairs(pairs: Collection[str], known: Collection[str], *, what: str) -> dict[str, str]:
    """Return ``NAME=VALUE`` arguments as a dictionary.

    Raises:
        FileError: an argument has another form, or names what is not known.
    """
    found = {}
    for pair in pairs:
        name, equals, value = pair.partition("=")
        if not equals or not value:
            message = f"{pair!r} is not of the form {what}."
            raise FileError(message)
        if name not in known:
            message = f"{name!r} is none of {', '.join(sorted(known))}."
            raise FileError(message)
        found[name] = value
    return found
