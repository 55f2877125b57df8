"""What may be written on a case: one set of rules for the API, the admin and every import.

Plain Python: values in, clean values out, or ``InvalidInput`` with a sentence per field.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any, TypeVar, cast

from cases.errors import InvalidInput
from cases.lifecycle import Priority

TITLE_MAX = 200
SHORT_MAX = 200
DESCRIPTION_MAX = 100_000
NOTE_MAX = 20_000
REASON_MAX = 4_000
ACTOR_MAX = 150
# Some four years: what is longer is a slip of the keyboard.
WORKING_DAYS_MAX = 1_000

# Outside of these years a date is a slip of the keyboard, and arithmetic on it may overflow.
_FIRST_YEAR, _LAST_YEAR = 1900, 2200

_SURROGATE = re.compile("[\ud800-\udfff]")
# Control characters, and the marks that make a line read differently from what it holds.
_CONTROL = re.compile("[\x00-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")
# What a reader cannot see; a text of nothing else is blank.
_UNSEEN = re.compile(
    "[\\s\u00ad\u061c\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufe00-\ufe0f\ufeff]+"
)

# datetime.fromisoformat() takes far more, week dates, any character between date and time, an
# offset of 60 minutes, and since Python 3.14 the hour 24.
_HOUR = r"([01][0-9]|2[0-3]):[0-5][0-9]"
_RFC3339 = re.compile(
    rf"[0-9]{{4}}-[0-9]{{2}}-[0-9]{{2}}[Tt]{_HOUR}:[0-9]{{2}}(\.[0-9]{{1,9}})?"
    rf"([Zz]|[+-]{_HOUR})?"
)

T = TypeVar("T")


def text(value: object, *, maximum: int, required: bool = False, one_line: bool = False) -> str:
    """Trim a text and check it.

    Args:
        value: what was given; None counts as empty.
        maximum: the most characters.
        required: refuse an empty text.
        one_line: refuse control characters, line breaks included.

    Raises:
        ValueError: with a sentence for people.
    """
    if value is None:
        value = ""
    if not isinstance(value, str):
        message = "Not a text."
        raise ValueError(message)  # noqa: TRY004 (one kind of error for callers to collect)
    value = value.strip()
    if required and not _UNSEEN.sub("", value):
        message = "This field may not be blank."
        raise ValueError(message)
    if len(value) > maximum:
        message = f"At most {maximum:,} characters; these are {len(value):,}."
        raise ValueError(message)
    if "\0" in value:
        message = "NUL characters are not allowed."
        raise ValueError(message)
    if _SURROGATE.search(value):
        message = "Lone surrogates are not allowed: they are not Unicode text."
        raise ValueError(message)
    if one_line and _CONTROL.search(value):
        message = "Line breaks, control characters and changes of direction are not allowed."
        raise ValueError(message)
    return value


def moment(value: object) -> datetime:
    """Check a point in time: aware, in a year that a case can have, returned in UTC.

    Raises:
        ValueError: with a sentence for people.
    """
    if not isinstance(value, datetime):
        message = "Not a time as RFC 3339 writes it, like 2026-01-31T09:30:00Z."
        if not isinstance(value, str) or not _RFC3339.fullmatch(value):
            raise ValueError(message)
        try:
            # It takes no small z, which RFC 3339 does.
            value = datetime.fromisoformat(value.upper())
        except ValueError:
            raise ValueError(message) from None
    if value.tzinfo is None:
        message = "The time zone is missing: end with Z or an offset like +01:00."
        raise ValueError(message)
    if not _FIRST_YEAR < value.year < _LAST_YEAR:
        message = f"The year must lie between {_FIRST_YEAR} and {_LAST_YEAR}."
        raise ValueError(message)
    return value.astimezone(UTC)


def _optional_moment(value: object) -> datetime | None:
    return None if value is None or value == "" else moment(value)


def _priority(value: object) -> str:
    try:
        return Priority(cast(str, value)).value
    except ValueError:
        message = f"One of {', '.join(Priority)}."
        raise ValueError(message) from None


def _short(value: object) -> str:
    return text(value, maximum=SHORT_MAX, one_line=True)


WRITABLE: Mapping[str, Callable[[object], Any]] = {
    "title": lambda value: text(value, maximum=TITLE_MAX, required=True, one_line=True),
    "description": lambda value: text(value, maximum=DESCRIPTION_MAX),
    "received_at": _optional_moment,
    "category": _short,
    "subject": _short,
    "external_reference": _short,
    "source": _short,
    "priority": _priority,
    "due_at": _optional_moment,
}


def clean(fields: Mapping[str, object]) -> dict[str, Any]:
    """Check the writable fields of a case, all of them before complaining.

    Raises:
        InvalidInput: details hold a sentence per wrong or unknown field.
    """
    values: dict[str, Any] = {}
    wrong: dict[str, str] = {}
    for name, value in fields.items():
        check = WRITABLE.get(name)
        if check is None:
            wrong[name] = "There is no such field."
            continue
        try:
            values[name] = check(value)
        except ValueError as error:
            wrong[name] = str(error)
    if wrong:
        raise InvalidInput(details=wrong)
    return values


def clean_new(fields: Mapping[str, object]) -> dict[str, Any]:
    """Check the fields of a case to be created: as ``clean``, and the title is required.

    Raises:
        InvalidInput: details hold a sentence per wrong, missing or unknown field.
    """
    return clean({"title": None, **fields})


def _one(field: str, check: Callable[[], T]) -> T:
    try:
        return check()
    except ValueError as error:
        raise InvalidInput(details={field: str(error)}) from None


def clean_reason(value: object) -> str:
    """Return a reason, trimmed. Raises InvalidInput when it is blank or too long."""
    return _one("reason", lambda: text(value, maximum=REASON_MAX, required=True))


def clean_body(value: object) -> str:
    """Return the body of a note, trimmed. Raises InvalidInput when it is blank or too long."""
    return _one("body", lambda: text(value, maximum=NOTE_MAX, required=True))


def clean_actor_id(value: object, *, field: str) -> str:
    """Return the id of a person, trimmed. Raises InvalidInput when blank, long or unprintable."""
    return _one(field, lambda: text(value, maximum=ACTOR_MAX, required=True, one_line=True))


def clean_working_days(value: object) -> int | None:
    """Return a number of working days, None for none. Raises InvalidInput when it is neither."""
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int) or not 1 <= value <= WORKING_DAYS_MAX:
        why = f"A whole number from 1 to {WORKING_DAYS_MAX:,}, or nothing."
        raise InvalidInput(details={"working_days": why})
    return value


def clean_moment(value: object, *, field: str) -> datetime:
    """Return a point in time in UTC. Raises InvalidInput when it is none."""
    return _one(field, lambda: moment(value))
