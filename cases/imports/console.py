"""What the import commands share: options, the rejects file, the progress bar."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Self, TextIO

from django.conf import settings
from django.core.management.base import CommandParser
from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeElapsedColumn

from cases.imports.rows import FileError, Row, reject_line


def add_file_arguments(parser: CommandParser) -> None:
    """Declare what reading a file needs."""
    parser.add_argument("file", type=Path, help="CSV, or JSON Lines where it ends in .jsonl.")
    parser.add_argument(
        "--map",
        action="append",
        default=[],
        metavar="FIELD=COLUMN",
        help="Fill a field from a column; COLUMN:KEY takes KEY out of a 'KEY=value;…' cell.",
    )
    parser.add_argument("--delimiter", default=",", help="Between the cells of a CSV (a comma).")
    parser.add_argument(
        "--time-zone",
        default=settings.SLA_TIME_ZONE,
        help="Of times without an offset (%(default)s).",
    )
    parser.add_argument(
        "--rejects",
        type=Path,
        help="Where to write the rows that were not loaded (NAME.rejects.jsonl, here).",
    )
    parser.add_argument("--dry-run", action="store_true", help="Do it all, then undo it all.")
    parser.add_argument("--json", action="store_true", help="Write the outcome as JSON.")


class RejectsFile:
    """Rows that were not loaded: line, reason and row, a JSON object a line.

    It is opened before the first row, so that no run ends half-way for want of a place to write;
    a run without rejects leaves none behind.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.count = 0
        self._file: TextIO

    def __enter__(self) -> Self:
        """Open the file. Raises FileError when it cannot be written."""
        try:
            self._file = self.path.open("w", encoding="utf-8")
        except OSError as error:
            message = f"{self.path} cannot be written: {error.strerror}. Choose --rejects PATH."
            raise FileError(message) from error
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._file.close()
        if not self.count:
            self.path.unlink(missing_ok=True)

    def write(self, row: Row, reason: str) -> None:
        """Add a row; the reason is a sentence."""
        self.count += 1
        self._file.write(reject_line(row, reason))


class Bar:
    """A progress bar over the bytes of a file, on a terminal; nothing elsewhere."""

    def __init__(self, progress: Progress, path: Path) -> None:
        self._progress = progress
        self._size = path.stat().st_size
        self._task = progress.add_task(path.name, total=self._size)

    def move(self, position: int) -> None:
        """Show how many bytes have been read."""
        self._progress.update(self._task, completed=position)

    def move_to_share(self, share: float) -> None:
        """Show how much of the work is done, from 0 to 1."""
        self.move(round(self._size * share))


@contextmanager
def progress_bar(path: Path) -> Iterator[Bar]:
    """Show a bar on standard error while the block runs, if that is a terminal."""
    console = Console(stderr=True)
    columns = (TextColumn("{task.description}"), BarColumn(), TaskProgressColumn())
    with Progress(
        *columns, TimeElapsedColumn(), console=console, disable=not console.is_terminal
    ) as progress:
        yield Bar(progress, path)
