"""Files that people upload: what they are, their columns, their rows put by in parts.

The file is read once, from its first byte to its last, and not kept: its rows are.
"""

from __future__ import annotations

import json
import re
import zlib
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from itertools import islice
from pathlib import PurePath
from typing import Any, BinaryIO, Final

from django.conf import settings
from django.db import connection, transaction

from cases import services
from cases.imports.cases import BATCH
from cases.imports.mapping import keys_within
from cases.imports.rows import JSON_LINES, FileError, Row, Source, read_rows
from cases.intake import SHORT_MAX
from cases.lifecycle import CaseAction
from cases.models import RegisterPart, RegisterState, UploadedRegister
from cases.policies import Actor

# More is for the command, which has no person waiting.
MOST_ROWS: Final = 250_000
MOST_COLUMNS: Final = 200
# Uploads of one person that were not imported yet.
MOST_WAITING: Final = 10
MEBIBYTE: Final = 1_048_576

_HEAD: Final = 65_536
_LOOKED_AT: Final = 50
_EXAMPLES: Final = 3
_EXAMPLE_MAX: Final = 60
_DELIMITERS: Final = (",", ";", "\t", "|")
# What PostgreSQL takes for no text.
_NO_TEXT: Final = re.compile("[\0\ud800-\udfff]")
_CONTROL: Final = re.compile(r"[\x00-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ud800-\udfff]+")
_NOT_TEXT: Final[dict[bytes, str]] = {
    b"PK\x03\x04": "This is a spreadsheet or an archive",
    b"\xd0\xcf\x11\xe0": "This is a spreadsheet or another office document",
    b"%PDF": "This is a PDF",
    b"\x1f\x8b": "This file is compressed",
}
_UTF_16: Final = (b"\xff\xfe", b"\xfe\xff")
_BOM: Final = b"\xef\xbb\xbf"
# Uploads of one person take turns, so that each sees those before it. The lock ends with the
# transaction; the number keeps it apart from other advisory locks.
_TAKE_TURNS: Final = "SELECT pg_advisory_xact_lock(hashtextextended(%s, 4712))"


def refused_size(size: int) -> FileError:
    """Return the refusal of an upload of so many bytes."""
    return FileError(
        f"The file has {size / MEBIBYTE:,.1f} MiB; at most {settings.IMPORT_MAX_MIB:,} can be "
        "uploaded. Split it, or let an operator import it by command."
    )


def shown(text: str, maximum: int = _EXAMPLE_MAX) -> str:
    """Return a text as a page shows it: short, and nothing in it that is no character."""
    text = _NO_TEXT.sub("\ufffd", text)
    return text if len(text) <= maximum else f"{text[: maximum - 1]}…"


def take_in(
    file: BinaryIO, *, name: str, actor: Actor, at: datetime, delimiter: str = ""
) -> UploadedRegister:
    """Put an uploaded file by, in one transaction.

    Args:
        file: at its start; it can be sought in.
        name: as the person's machine calls it; its end tells JSON Lines from CSV.
        actor: who uploads it.
        at: when.
        delimiter: between the cells of a CSV; what stands in its first line most often by default.

    Raises:
        PermissionDenied: the actor may not create cases.
        FileError: this is no register, or more than is taken; the message says what to do.
    """
    services.check_may(action=CaseAction.CREATE, actor=actor)
    name = _CONTROL.sub(" ", PurePath(name.replace("\\", "/")).name).strip() or "register"
    head = file.read(_HEAD)
    size = file.seek(0, 2)
    file.seek(0)
    _refuse_what_is_no_register(name, head, size)
    json_lines = PurePath(name).suffix.lower() in JSON_LINES
    delimiter = "" if json_lines else delimiter or _delimiter_in(head)
    with transaction.atomic(), read_rows(file, name=name, delimiter=delimiter) as source:
        _refuse_one_too_many(actor)
        register = UploadedRegister(
            actor_id=actor.id,
            file_name=shown(name, SHORT_MAX),
            file_size=size,
            delimiter=delimiter,
            columns=[],
            row_count=0,
            part_count=0,
            created_at=at,
        )
        register.save()
        _put_by(register, source)
    return register


def _refuse_one_too_many(actor: Actor) -> None:
    with connection.cursor() as cursor:
        cursor.execute(_TAKE_TURNS, [actor.id])
    mine = UploadedRegister.objects.filter(actor_id=actor.id)
    if mine.exclude(state=RegisterState.LOADED).count() >= MOST_WAITING:
        message = f"{MOST_WAITING} of your uploads wait to be imported: import or delete one first."
        raise FileError(message)


def _refuse_what_is_no_register(name: str, head: bytes, size: int) -> None:
    if not head.removeprefix(_BOM).strip():
        message = "The file is empty."
        raise FileError(message)
    if size > settings.IMPORT_MAX_MIB * MEBIBYTE:
        raise refused_size(size)
    if head.startswith(_UTF_16):
        message = "The file is in UTF-16. Save it as CSV in UTF-8, and upload that."
        raise FileError(message)
    for beginning, what in _NOT_TEXT.items():
        if head.startswith(beginning):
            message = f"{what}. Save the table as CSV in UTF-8, and upload that."
            raise FileError(message)
    if PurePath(name).suffix.lower() == ".json":
        message = (
            "JSON is taken as JSON Lines: one object a line, in a file whose name ends in .jsonl."
        )
        raise FileError(message)


def _delimiter_in(head: bytes) -> str:
    """Return which delimiter stands most often in the first line, outside of quotes."""
    line = head.removeprefix(_BOM).lstrip(b"\r\n").splitlines()[0]
    text = re.sub(r'"[^"]*"', "", line.decode(errors="replace"))
    return max(_DELIMITERS, key=text.count)


def _put_by(register: UploadedRegister, source: Source) -> None:
    if source.columns is not None:
        _check_columns(source.columns)
    rows = iter(source.rows)
    first = list(islice(rows, _LOOKED_AT))
    names = dict.fromkeys(source.columns or ())
    for part in _parts(first, rows):
        register.row_count += len(part)
        if register.row_count > MOST_ROWS:
            message = (
                f"The file has more than {MOST_ROWS:,} rows. Split it, or let an operator import "
                "it by command."
            )
            raise FileError(message)
        if source.columns is None:
            _find_names(part, names)
        RegisterPart.objects.create(
            register=register, number=register.part_count, rows=packed(part), written=b""
        )
        register.part_count += 1
    if not register.row_count:
        message = "There are no rows below the header."
        raise FileError(message)
    register.columns = [_described(name, first) for name in names]
    register.save(update_fields=["columns", "row_count", "part_count"])


def _find_names(rows: Iterable[Row], names: dict[str, None]) -> None:
    """Add the names in JSON objects; those that are no text, or too many, fill no field."""
    for row in rows:
        for name in row.cells:
            if name not in names and len(names) < MOST_COLUMNS and _is_name(name):
                names[name] = None


def _is_name(name: str) -> bool:
    return len(name) <= SHORT_MAX and not _NO_TEXT.search(name)


def _check_columns(columns: Sequence[str]) -> None:
    if len(columns) > MOST_COLUMNS:
        message = f"The header names {len(columns):,} columns; at most {MOST_COLUMNS} are taken."
        raise FileError(message)
    if not all(map(_is_name, columns)):
        message = (
            f"The header names a column with more than {SHORT_MAX} characters, or with one that is "
            "none. Is the first line of the file its header?"
        )
        raise FileError(message)


def _parts(first: list[Row], rows: Iterator[Row]) -> Iterator[list[Row]]:
    part = first + list(islice(rows, BATCH - len(first)))
    while part:
        yield part
        part = list(islice(rows, BATCH))


def _described(name: str, rows: Sequence[Row]) -> dict[str, Any]:
    """Return a column as it is offered: its name, some of its values, keys within them."""
    cells = [row.cells[name] for row in rows if not row.problem and row.cells.get(name)]
    keys = [key for key in keys_within(cells) if not _NO_TEXT.search(key)]
    examples = dict.fromkeys(shown(cell) for cell in cells)
    return {"name": name, "examples": [*islice(examples, _EXAMPLES)], "keys": keys}


def packed(rows: Iterable[Row]) -> bytes:
    """Return rows as a part keeps them."""
    whole = [(row.line, dict(row.cells), row.problem) for row in rows]
    # ASCII escapes keep even bytes that were no text.
    return zlib.compress(json.dumps(whole).encode("ascii"), 1)


def unpacked(kept: bytes) -> list[Row]:
    """Return the rows of a part."""
    return [Row(*row) for row in json.loads(zlib.decompress(kept))]
