"""The trail as JSON lines, each in the form in which the API shows an event.

PostgreSQL writes every value as JSON, Python puts the names around them: both work at the same
time, and neither has more to do than the other. A line put together by PostgreSQL alone takes
half as long again, by ``json_build_object`` three times as long.
"""

from __future__ import annotations

from typing import Final

from django.db.models import DateTimeField, F, Func, TextField

from audit.exports.selection import EXPORTED, EventFilter, Hex, chosen
from cases.exports import Export
from cases.policies import Actor

# JSON has neither of these characters as such, nor a line break: no value needs quotes, whatever
# it holds, so what stands between two delimiters is a value.
DELIMITER: Final = b"\x02"
JSON_OPTIONS: Final = "FORMAT csv, DELIMITER E'\\x02', QUOTE E'\\x01'"

_LINE: Final = (
    b'{"id":%b,"case_id":%b,"sequence":%b,"event_type":%b,"actor_id":%b,"occurred_at":%b,'
    b'"recorded_at":%b,"request_id":%b,"details":%b,"previous_hash":"%b","hash":"%b"}\n'
)
# A moment as JSON: 2026-01-31T09:30:00 and up to six digits of the second, between two quotes.
_WHOLE, _LONGEST, _POINT = 21, 28, 20


class Json(Func):
    """A value as JSON."""

    function = "to_json"
    output_field = TextField()


class _Utc(Func):
    """A moment without its zone, which is UTC. JSON has the same form of it in every session."""

    template = "%(expressions)s AT TIME ZONE 'UTC'"
    output_field = DateTimeField()


class JsonLines:
    """A line of JSON for each event; a test compares it with what the API shows."""

    def head(self) -> bytes:
        """Return nothing."""
        return b""

    def row(self, copied: bytes) -> bytes:
        """Put the names around the values."""
        (
            event_id, case_id, sequence, event_type, actor_id, occurred_at, recorded_at,
            request_id, details, previous_hash, hash_,
        ) = copied[:-1].split(DELIMITER)  # fmt: skip
        return _LINE % (
            event_id, case_id, sequence, event_type, actor_id, _rfc3339(occurred_at),
            _rfc3339(recorded_at), request_id, details, previous_hash, hash_,
        )  # fmt: skip

    def tail(self) -> bytes:
        """Return nothing."""
        return b""


def _rfc3339(moment: bytes) -> bytes:
    """Write a moment with all six digits of its second, in UTC.

    One that no event can have, ``infinity`` say, stays as it is: a verifier is to find it.
    """
    size = len(moment)
    if moment[_POINT : _POINT + 1] == b"." and size <= _LONGEST:
        return moment[:-1] + b"0" * (_LONGEST - size) + b'Z"'
    if size == _WHOLE:
        return moment[:-1] + b'.000000Z"'
    return moment


def events_as_jsonl(actor: Actor, wanted: EventFilter) -> Export:
    """Return the export of the chosen events, complete: hashes can be computed again from it."""
    columns = (
        Json("id"), Json("case_id"), F("sequence"), Json("event_type"), Json("actor_id"),
        Json(_Utc("occurred_at")), Json(_Utc("recorded_at")), Json("request_id"),
        F("details"), Hex("previous_hash"), Hex("hash"),
    )  # fmt: skip
    return Export(
        event=EXPORTED,
        format="jsonl",
        rows=chosen(actor, wanted).values_list(*columns),
        options=JSON_OPTIONS,
        form=JsonLines(),
        actor=actor,
        asked=wanted.names(),
    )
