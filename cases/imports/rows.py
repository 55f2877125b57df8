"""Reads CSV and JSON Lines row by row, with the line each row starts on, in constant memory."""

from __future__ import annotations

import csv
import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from io import BufferedReader, TextIOWrapper
from pathlib import Path
from typing import Any, BinaryIO, Final, TextIO, cast

from cases import strict_json

# What holds an object a line; everything else is CSV.
JSON_LINES: Final = (".jsonl", ".ndjson")
# A cell beyond this is a quote that was never closed, not a text.
_CELL_MAX: Final = 10_000_000
_BROKEN: Final = re.compile("[\udc80-\udcff]")


class FileError(Exception):
    """The file as a whole cannot be read."""


@dataclass(frozen=True)
class Row:
    """One row: its cells by column, or what is wrong with it."""

    line: int
    cells: Mapping[str, str]
    problem: str = ""


def reject_line(row: Row, reason: str) -> str:
    """Write a row that was not loaded, and why, as a rejects file has it: a JSON object a line."""
    # ASCII escapes keep even bytes that were no text.
    return json.dumps({"line": row.line, "reason": reason, "row": dict(row.cells)}) + "\n"


@dataclass(frozen=True)
class Source:
    """An open file: its columns (None: each row has its own), rows, and bytes read so far."""

    columns: Sequence[str] | None
    rows: Iterator[Row]
    position: Callable[[], int]


@contextmanager
def open_rows(path: Path, *, delimiter: str = ",") -> Iterator[Source]:
    """Open a file; ``.jsonl`` and ``.ndjson`` are JSON Lines, everything else is CSV.

    Bytes that are not UTF-8 are a problem of their row, not of the file.

    Raises:
        FileError: it cannot be opened, is empty, or its header names a column twice.
    """
    try:
        file = path.open("rb")
    except OSError as error:
        message = f"{path} cannot be read: {error.strerror}."
        raise FileError(message) from error
    with file, read_rows(file, name=str(path), delimiter=delimiter) as source:
        yield source


@contextmanager
def read_rows(file: BinaryIO, *, name: str, delimiter: str = ",") -> Iterator[Source]:
    """Read an open file, which its name tells to be JSON Lines or CSV; it stays open.

    Raises:
        FileError: as ``open_rows``.
    """
    text = TextIOWrapper(file, encoding="utf-8-sig", errors="surrogateescape", newline="")
    try:
        if Path(name).suffix.lower() in JSON_LINES:
            yield Source(None, _json_rows(text), _position(text))
        else:
            yield _csv_source(text, name, delimiter)
    finally:
        text.detach()


def _position(file: TextIOWrapper) -> Callable[[], int]:
    """Return what tells how many bytes have been read; the text layer above cannot say it."""
    return cast(BufferedReader, file.buffer).tell


def _csv_source(file: TextIOWrapper, name: str, delimiter: str) -> Source:
    csv.field_size_limit(_CELL_MAX)
    try:
        # Not strict, a quote that is never closed would quietly take all further rows for its cell.
        reader = csv.reader(file, delimiter=delimiter, strict=True)
    except (TypeError, ValueError) as error:
        message = f"{delimiter!r} cannot stand between cells: give one character."
        raise FileError(message) from error
    try:
        columns = [column.strip() for column in next(reader)]
    except StopIteration:
        message = f"{name} has no header."
        raise FileError(message) from None
    except csv.Error as error:
        message = f"The header of {name} is not CSV: {error}."
        raise FileError(message) from None
    if len(set(columns)) != len(columns) or _BROKEN.search("".join(columns)):
        message = f"The header of {name} names a column twice or is not UTF-8."
        raise FileError(message)
    return Source(columns, _csv_rows(reader, columns), _position(file))


def _csv_rows(reader: Any, columns: Sequence[str]) -> Iterator[Row]:
    while True:
        line = reader.line_num + 1
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            lines = f", in lines {line} to {reader.line_num}" if reader.line_num > line else ""
            yield Row(line, {}, f"Not CSV: {error}{lines}.")
            continue
        if not cells:
            continue
        named = dict(zip(columns, cells, strict=False))
        if len(cells) != len(columns):
            problem = f"The row has {len(cells)} cells, the header {len(columns)}."
            yield Row(line, named, problem)
        else:
            yield Row(line, named, _encoding_problem(named))


def _json_rows(file: TextIO) -> Iterator[Row]:
    for line, text in enumerate(file, start=1):
        if not text.strip():
            continue
        try:
            found = strict_json.loads(text)
        except strict_json.NotJSON as error:
            yield Row(line, {}, f"Not JSON: {error}.")
            continue
        if not isinstance(found, dict):
            yield Row(line, {}, "Not a JSON object.")
            continue
        cells = {name: _as_text(value) for name, value in found.items()}
        yield Row(line, cells, _encoding_problem(cells))


def _as_text(value: object) -> str:
    """Return a JSON value as a cell would hold it; what is nested stays JSON."""
    if value is None:
        return ""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _encoding_problem(cells: Mapping[str, str]) -> str:
    broken = [name for name, value in cells.items() if _BROKEN.search(value)]
    return f"Not UTF-8: {', '.join(broken)}." if broken else ""
