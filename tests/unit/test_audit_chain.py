"""The bytes that the trail's hashes are made of: pinned, because old trails must stay provable."""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from audit import chain

EXAMPLE: dict[str, Any] = {
    "event_id": UUID("019391f0-0000-7000-8000-000000000001"),
    "case_id": "CASE-000042",
    "sequence": 0,
    "actor_id": "zoë",
    "event_type": "CASE_CREATED",
    "occurred_at": datetime(2026, 11, 20, 9, 30, tzinfo=UTC),
    "recorded_at": datetime(2026, 11, 20, 9, 30, 0, 250_000, tzinfo=UTC),
    "request_id": "req-1",
    "details": {"to_status": "DRAFT", "title": 'A "late" report\n/ 逾期', "due_at": None},
}
# Worked by hand; the hashes come from sha256sum.
BYTES = (
    '{"actor_id":"zoë","case_id":"CASE-000042",'
    '"details":{"due_at":null,"title":"A \\"late\\" report\\n/ 逾期","to_status":"DRAFT"},'
    '"event_id":"019391f0-0000-7000-8000-000000000001","event_type":"CASE_CREATED","format":1,'
    '"occurred_at":"2026-11-20T09:30:00.000000Z","recorded_at":"2026-11-20T09:30:00.250000Z",'
    '"request_id":"req-1","sequence":0}'
).encode()
CONTENT_HASH = "77bbc64cd0eceafb85a36f39c72c59c3a98c76dba99762c2b7571691b6df5f7c"
FIRST_HASH = "5a3fee9e9fc91f108962a327262d4209f1259ed98b0ebcdf6d70ba7aedbde70c"
SECOND_HASH = "e98cce9719f7e91d23c86b308efe38f303b527987b0d7d062fde2faf4669b93d"


def rfc8785(value: Any) -> str:
    """Write JSON as RFC 8785 says, for the types that an event can hold; independent of json."""
    if value is None or isinstance(value, bool):
        return {None: "null", True: "true", False: "false"}[value]
    if isinstance(value, int):
        return str(value)
    if isinstance(value, str):
        short = {"\b": "\\b", "\t": "\\t", "\n": "\\n", "\f": "\\f", "\r": "\\r",
                 '"': '\\"', "\\": "\\\\"}  # fmt: skip
        return '"' + "".join(
            short.get(c) or (f"\\u{ord(c):04x}" if ord(c) < 32 else c) for c in value
        ) + '"'  # fmt: skip
    if isinstance(value, list):
        return "[" + ",".join(map(rfc8785, value)) + "]"
    names = sorted(value, key=lambda name: name.encode("utf-16-be"))
    return "{" + ",".join(f"{rfc8785(n)}:{rfc8785(value[n])}" for n in names) + "}"


def test_the_worked_example_is_written_byte_for_byte() -> None:
    assert chain.canonical(**EXAMPLE) == BYTES


def test_the_worked_example_has_the_hashes_that_sha256sum_gives() -> None:
    content = chain.content_hash(BYTES)
    first = chain.link(chain.GENESIS, content)

    assert content.hex() == CONTENT_HASH
    assert first.hex() == FIRST_HASH
    assert chain.link(first, content).hex() == SECOND_HASH
    assert bytes(32) == chain.GENESIS


@pytest.mark.parametrize(
    ("name", "other"),
    [
        ("event_id", UUID(int=7)),
        ("case_id", "CASE-000043"),
        ("sequence", 1),
        ("actor_id", "zoe"),
        ("event_type", "CASE_UPDATED"),
        ("occurred_at", datetime(2026, 11, 20, 9, 30, 0, 1, tzinfo=UTC)),
        ("recorded_at", datetime(2026, 11, 20, 9, 31, tzinfo=UTC)),
        ("request_id", ""),
        ("details", {}),
    ],
)
def test_whatever_of_an_event_changes_its_content_changes(name: str, other: object) -> None:
    assert chain.canonical(**{**EXAMPLE, name: other}) != BYTES


PLAIN = st.text(st.characters(exclude_categories=("Cs",)), max_size=20)
NAMES = st.text(st.characters(min_codepoint=32, max_codepoint=126), max_size=12)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53) + 1, 2**53 - 1) | PLAIN,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=4),
    max_leaves=8,
)


@settings(database=None, deadline=None)
@given(details=st.dictionaries(NAMES, VALUES, max_size=5), actor_id=PLAIN)
def test_an_independent_writer_of_rfc_8785_gives_the_same_bytes(details, actor_id) -> None:
    content = {
        "actor_id": actor_id,
        "case_id": "CASE-000042",
        "details": details,
        "event_id": "019391f0-0000-7000-8000-000000000001",
        "event_type": "CASE_CREATED",
        "format": 1,
        "occurred_at": "2026-11-20T09:30:00.000000Z",
        "recorded_at": "2026-11-20T09:30:00.250000Z",
        "request_id": "req-1",
        "sequence": 0,
    }

    written = chain.canonical(**{**EXAMPLE, "details": details, "actor_id": actor_id})

    assert written == rfc8785(content).encode()
    assert chain.content_hash(written) == hashlib.sha256(rfc8785(content).encode()).digest()
