"""The trail as a file: JSON lines that prove it, a table for spreadsheets, XES for process mining.

Each is one COPY of the events in the order of their chains: one snapshot, constant memory.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Final

from audit.exports.jsonl import events_as_jsonl
from audit.exports.selection import EventFilter
from audit.exports.table import events_as_csv
from audit.exports.xes import events_as_xes
from cases.exports import Export
from cases.policies import Actor

FORMATS: Final[Mapping[str, Callable[[Actor, EventFilter], Export]]] = MappingProxyType(
    {"jsonl": events_as_jsonl, "csv": events_as_csv, "xes": events_as_xes}
)

__all__ = ["FORMATS", "EventFilter", "events_as_csv", "events_as_jsonl", "events_as_xes"]
