"""The trail as an XES log (IEEE 1849) for process mining: a trace per case, an event per event.

It tells how the work went, not what was written about it: no titles, subjects, reasons or other
free text. What is taken from the case and from the details of an event stands in two tables here.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import lru_cache
from typing import Any, Final

import orjson
from django.db.models import Case, F, Func, OuterRef, Subquery, TextField, Value, When, Window
from django.db.models.functions import Coalesce, Lag

from audit.exports.jsonl import DELIMITER, JSON_OPTIONS, Json
from audit.exports.selection import EXPORTED, EventFilter, chosen
from cases import selectors
from cases.exports import Export, Moment
from cases.policies import Actor

# Attributes of a trace, from the row of its case as it is now: name and XES type.
OF_CASE: Final[Mapping[str, str]] = {
    "status": "string",
    "priority": "string",
    "category": "string",
    "source": "string",
    "external_reference": "string",
    "restricted": "boolean",
    "received_at": "date",
    "due_at": "date",
    "closed_at": "date",
}
# Attributes of an event beside the standard ones, from its details.
OF_DETAILS: Final[Mapping[str, str]] = {
    "from_status": "string",
    "to_status": "string",
    "reviewer_id": "string",
    "due_at": "date",
    "imported_by": "string",
    "four_eyes_overridden": "boolean",
}
_TIME: Final[Mapping[str, str]] = {"time:timestamp": "date"}
# Name, prefix, and the file of its definition at the standard's own address.
EXTENSIONS: Final = (
    ("Concept", "concept"),
    ("Lifecycle", "lifecycle"),
    ("Organizational", "org"),
    ("Time", "time"),
    ("Identity", "identity"),
)

_MOMENT: Final = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}\.[0-9]{6}Z")
# What does not stand for itself between quotes: markup, white space that a parser would make
# blanks of, and characters that XML 1.0 cannot hold in any way.
_ODD: Final = re.compile('[&<>"\x00-\x1f\ufffe\uffff]')
_REFERENCES: Final = {
    "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "\t": "&#9;", "\n": "&#10;",
    "\r": "&#13;",
}  # fmt: skip


def escaped(text: str) -> str:
    """Return a text as the value of an attribute; U+FFFD stands for what XML cannot hold."""
    if _ODD.search(text) is None:
        return text
    return _ODD.sub(lambda odd: _REFERENCES.get(odd[0], "\ufffd"), text)


_word = lru_cache(maxsize=10_000)(escaped)  # actors, statuses and the like return all the time


def _head() -> str:
    extensions = (
        f'<extension name="{name}" prefix="{prefix}" '
        f'uri="http://www.xes-standard.org/{prefix}.xesext"/>'
        for name, prefix in EXTENSIONS
    )
    return "\n".join(
        (
            '<?xml version="1.0" encoding="UTF-8"?>',
            '<log xes.version="1849.2016" xes.features="">',
            *extensions,
            '<global scope="trace">',
            '<string key="concept:name" value=""/>',
            "</global>",
            '<global scope="event">',
            '<string key="concept:name" value=""/>',
            '<string key="lifecycle:transition" value="complete"/>',
            '<string key="org:resource" value=""/>',
            '<date key="time:timestamp" value="1970-01-01T00:00:00.000000Z"/>',
            '<id key="identity:id" value="00000000-0000-0000-0000-000000000000"/>',
            '<int key="sequence" value="0"/>',
            "</global>",
            '<classifier name="Activity" scope="event" keys="concept:name"/>',
            '<classifier name="Resource" scope="event" keys="org:resource"/>',
            '<classifier name="Case" scope="trace" keys="concept:name"/>',
            '<string key="concept:name" value="Audit trail"/>',
            '<string key="lifecycle:model" value="standard"/>',
            "",
        )
    )


class Xes:
    """A log of traces; an object for one file, since a trace ends where another case begins."""

    def __init__(self) -> None:
        self._case: str | None = None

    def head(self) -> bytes:
        """Return the declarations that every log begins with."""
        return _head().encode()

    def row(self, copied: bytes) -> bytes:
        """Return the event, after the beginning of its trace where it is the first."""
        values = copied[:-1].replace(DELIMITER, b",")
        case, event_id, case_id, sequence, event_type, actor_id, at, details = orjson.loads(
            b"[%b]" % values
        )
        opening = ""
        if case_id != self._case:
            opening = (
                f"{self._end()}<trace>\n"
                f'<string key="concept:name" value="{escaped(case_id)}"/>\n'
                f"{_attributes(OF_CASE, case or {})}"
            )
            self._case = case_id
        return (
            f"{opening}<event>\n"
            f'<string key="concept:name" value="{_word(event_type)}"/>\n'
            '<string key="lifecycle:transition" value="complete"/>\n'
            f'<string key="org:resource" value="{_word(actor_id)}"/>\n'
            f"{_attributes(_TIME, {'time:timestamp': at})}"
            f'<id key="identity:id" value="{event_id}"/>\n'
            f'<int key="sequence" value="{sequence}"/>\n'
            f"{_attributes(OF_DETAILS, details)}</event>\n"
        ).encode()

    def tail(self) -> bytes:
        """End the last trace and the log."""
        return f"{self._end()}</log>\n".encode()

    def _end(self) -> str:
        return "</trace>\n" if self._case is not None else ""


def _attributes(kinds: Mapping[str, str], values: Mapping[str, Any]) -> str:
    """Write what there is; what is not of its type, as only a forged event has it, is left out."""
    written = []
    for name, kind in kinds.items():
        value = values.get(name)
        if kind == "boolean" and isinstance(value, bool):
            written.append(f'<boolean key="{name}" value="{str(value).lower()}"/>\n')
        elif not isinstance(value, str) or not value:
            continue
        elif kind == "string":
            written.append(f'<string key="{name}" value="{_word(value)}"/>\n')
        elif kind == "date" and _MOMENT.fullmatch(value):
            written.append(f'<date key="{name}" value="{value}"/>\n')
    return "".join(written)


class _JsonObject(Func):
    function = "json_build_object"
    output_field = TextField()


_NULL: Final = Value("null", TextField())


def _case(actor: Actor) -> Subquery:
    """Return the facts about the case of an event, as a JSON object."""
    facts: list[Value | F | Moment] = []
    for name, kind in OF_CASE.items():
        facts += [Value(name, TextField()), Moment(F(name)) if kind == "date" else F(name)]
    cases = selectors.visible_cases(actor).filter(pk=OuterRef("case_id"))
    return Subquery(cases.order_by().values_list(_JsonObject(*facts))[:1])


def events_as_xes(actor: Actor, wanted: EventFilter) -> Export:
    """Return the export of the chosen events as an XES log.

    The facts about a case come with its first event, and once: a case is looked up for each trace.
    A trail whose case is gone is a trace all the same.
    """
    previous = Window(Lag("case_id"), order_by=("case_id", "sequence"))
    case = Case(When(previous=F("case_id"), then=_NULL), default=Coalesce(_case(actor), _NULL))
    columns = (
        case, Json("id"), Json("case_id"), F("sequence"), Json("event_type"), Json("actor_id"),
        Json(Moment(F("occurred_at"))), F("details"),
    )  # fmt: skip
    return Export(
        event=EXPORTED,
        format="xes",
        rows=chosen(actor, wanted).annotate(previous=previous).values_list(*columns),
        options=JSON_OPTIONS,
        form=Xes(),
        actor=actor,
        asked=wanted.names(),
    )
