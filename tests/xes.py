"""A small reader of XES logs, written from the standard and not from what writes them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import IO
from uuid import UUID
from xml.etree import ElementTree as ET

# IEEE 1849-2016: what may stand in a log, in this order; attributes are those of VALUES.
ORDER = ("extension", "global", "classifier", "attribute", "trace", "event")
VALUES = {
    "string": str,
    "date": datetime.fromisoformat,
    "int": int,
    "float": float,
    "boolean": {"true": True, "false": False}.__getitem__,
    "id": UUID,
}
NCNAME = re.compile(r"[A-Za-z_][\w.-]*")
NAME = re.compile(r"[A-Za-z_:][\w.:-]*")
DATE_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)")


@dataclass
class Trace:
    attributes: dict[str, object]
    events: list[dict[str, object]]


@dataclass
class Log:
    extensions: dict[str, str] = field(default_factory=dict)
    globals: dict[str, dict[str, object]] = field(default_factory=dict)
    classifiers: dict[str, tuple[str, str]] = field(default_factory=dict)
    attributes: dict[str, object] = field(default_factory=dict)
    traces: list[Trace] = field(default_factory=list)


def attributes_of(element: ET.Element, *, besides: tuple[str, ...] = ()) -> dict[str, object]:
    """Return the attributes of an element, each key once and each value of its type."""
    found: dict[str, object] = {}
    for child in element:
        if child.tag in besides:
            continue
        assert set(child.attrib) == {"key", "value"}, child.attrib
        key, text = child.attrib["key"], child.attrib["value"]
        assert NAME.fullmatch(key), key
        assert key not in found, f"{key} stands there twice"
        assert len(child) == 0, "no log of ours nests attributes"
        if child.tag == "date":
            assert DATE_TIME.fullmatch(text), text
        found[key] = VALUES[child.tag](text)
    return found


def traces(source: Path | IO[bytes], log: Log) -> Iterator[Trace]:
    """Yield trace after trace, and put what the log declares into ``log``; checks all of it."""
    place = 0
    depth, root = 0, None
    for event, element in ET.iterparse(source, events=("start", "end")):
        if event == "start":
            root = root if root is not None else element
            depth += 1
            continue
        depth -= 1
        if depth != 1:
            continue
        kind = "attribute" if element.tag in VALUES else element.tag
        assert ORDER.index(kind) >= place, f"{kind} comes too late"
        place = ORDER.index(kind)
        if kind == "extension":
            assert set(element.attrib) == {"name", "prefix", "uri"}
            assert NCNAME.fullmatch(element.attrib["name"])
            log.extensions[element.attrib["prefix"]] = element.attrib["uri"]
        elif kind == "global":
            log.globals[element.attrib["scope"]] = attributes_of(element)
        elif kind == "classifier":
            assert NCNAME.fullmatch(element.attrib["name"])
            log.classifiers[element.attrib["name"]] = (
                element.attrib["scope"], element.attrib["keys"],
            )  # fmt: skip
        elif kind == "attribute":
            log.attributes |= attributes_of([element])  # type: ignore[arg-type]
        elif kind == "trace":
            tags = [child.tag for child in element]
            assert tags == sorted(tags, key=lambda tag: tag == "event"), "events come last"
            yield Trace(
                attributes_of(element, besides=("event",)),
                [attributes_of(child) for child in element.iter("event")],
            )
        root.remove(element)
    assert root is not None
    assert root.tag == "log"
    assert re.fullmatch(r"\d+(\.\d+)?", root.attrib["xes.version"])


def read(source: Path | IO[bytes]) -> Log:
    """Read a log whole, and check that what it declares holds for all of it."""
    log = Log()
    log.traces.extend(traces(source, log))
    prefixes = set(log.extensions)
    for trace in log.traces:
        assert log.globals["trace"].keys() <= trace.attributes.keys()
        for attributes in (trace.attributes, *trace.events):
            used = {key.partition(":")[0] for key in attributes if ":" in key}
            assert used <= prefixes, f"not declared: {used - prefixes}"
        for event in trace.events:
            assert log.globals["event"].keys() <= event.keys()
    for scope, keys in log.classifiers.values():
        assert set(keys.split()) <= log.globals[scope].keys(), "a classifier's keys are global"
    return log
