"""Reads JSON from outside: all that RFC 8259 allows, and nothing that Python alone takes for it."""

from __future__ import annotations

import json
from typing import Any, Never


class NotJSON(ValueError):
    """The text is not JSON, or more than can be read; says why."""


def loads(text: str) -> Any:
    """Return what a JSON text stands for.

    Raises:
        NotJSON: it is none, says NaN or the like, gives a name twice in one object (what readers
            make of that differs, RFC 8259, 4), or has a depth or number that breaks this reader.
    """
    try:
        return json.loads(text, parse_constant=_refuse_constant, object_pairs_hook=_unique_names)
    except RecursionError:
        message = "it is nested too deeply"
    except (json.JSONDecodeError, NotJSON) as error:
        message = str(error)
    except ValueError:  # Python's own limit on the digits of an integer
        message = "a number is too long"
    raise NotJSON(message)


def _refuse_constant(name: str) -> Never:
    message = f"{name} is not a JSON number"
    raise NotJSON(message)


def _unique_names(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        message = "a name is given twice in one object"
        raise NotJSON(message)
    return found
