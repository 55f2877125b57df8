"""A log line in JSON is written whatever is in it."""

from __future__ import annotations

import json

import pytest

from config.logging import _json


@pytest.mark.parametrize(
    ("value", "read"),
    [("ä", "ä"), ("\ud800", "\ud800"), (b"raw", "b'raw'"), ({1: 2}, {"1": 2})],
    ids=["text", "a lone surrogate", "an object", "a number as a name"],
)
def test_a_line_is_one_object_on_one_line(value, read) -> None:
    line = _json({"event": "x", "value": value})

    assert b"\n" not in line
    assert json.loads(line) == {"event": "x", "value": read}
