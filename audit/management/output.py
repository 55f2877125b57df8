"""Where a command writes a file to: whole under its name, or not at all; or standard output."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from types import FrameType
from typing import Any, NoReturn

from django.core.management.base import CommandError

Write = Callable[[bytes], Any]


@contextmanager
def whole_file(path: Path) -> Iterator[Write]:
    """Write beside the file and take its place in the end, if the block ends well.

    So the name stands for a complete file, before, during and after.

    Raises:
        CommandError: 2, the place cannot be written to; 1, writing failed, as on a full disk.
    """
    path = path.resolve()
    if path.exists() and not path.is_file():
        message = f"{path} is no regular file. Without --output the file goes to standard output."
        raise CommandError(message, returncode=2)
    part = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        file = part.open("xb")
    except OSError as error:
        message = f"{path} cannot be written: {error.strerror}."
        raise CommandError(message, returncode=2) from error
    try:
        with file:
            yield file.write
            file.flush()
            os.fsync(file.fileno())
        part.replace(path)
    except OSError as error:
        message = f"Writing {path} failed: {error.strerror}. What was there before is still there."
        raise CommandError(message, returncode=1) from error
    finally:
        part.unlink(missing_ok=True)


@contextmanager
def standard_output() -> Iterator[Write]:
    """Write to standard output; a reader who has gone away ends the command with 1, in silence."""
    output = sys.stdout.buffer
    try:
        yield output.write
        output.flush()
    except BrokenPipeError:
        _drop_what_is_left(output.fileno())
        sys.exit(1)
    except OSError as error:
        _drop_what_is_left(output.fileno())
        message = f"Writing to standard output failed: {error.strerror}. The file is not complete."
        raise CommandError(message, returncode=1) from error


def _drop_what_is_left(output: int) -> None:
    """Let Python's own flush at its end, which would fail once more and end with 120, succeed."""
    with Path(os.devnull).open("wb") as nothing, suppress(OSError):
        os.dup2(nothing.fileno(), output)


@contextmanager
def ended_by_sigterm() -> Iterator[None]:
    """Let SIGTERM end the block as an exception does: with everything tidied up."""

    def leave(number: int, frame: FrameType | None) -> NoReturn:
        del frame
        sys.exit(128 + number)

    before = signal.signal(signal.SIGTERM, leave)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)
