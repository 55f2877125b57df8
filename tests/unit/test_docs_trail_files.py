"""The page about the files of the trail says what is written into them."""

from __future__ import annotations

import re

from audit.api.views import EVENT
from audit.exports.table import EVENT_COLUMNS
from audit.exports.xes import OF_CASE, OF_DETAILS
from tests.unit.documents import code, names, page, rows, section

PAGE = "reference/trail-files.md"


def test_the_names_of_a_json_line_are_those_of_an_event_of_the_api() -> None:
    listed = re.search(r"`details`, `previous_hash`, `hash`", page(PAGE))
    assert listed is not None
    told = names(section(PAGE, "JSON lines").partition(":\n")[2].partition(". ")[0])

    assert told == list(EVENT.fields)


def test_the_columns_of_the_csv_are_those_in_its_head() -> None:
    assert [code(row[0]) for row in rows(section(PAGE, "CSV"), width=2)] == list(EVENT_COLUMNS)


def test_the_attributes_of_a_log_are_those_that_are_taken() -> None:
    told = [(code(row[0]), row[1]) for row in rows(section(PAGE, "XES"), width=3)]
    standard = [(name, kind) for name, kind in told if ":" in name]
    own = [(name, kind) for name, kind in told if ":" not in name]

    assert own == [("sequence", "int"), *OF_DETAILS.items(), *OF_CASE.items()]
    assert [name for name, _ in standard] == [
        "concept:name", "lifecycle:transition", "org:resource", "time:timestamp", "identity:id",
        "concept:name",
    ]  # fmt: skip
