"""The folder in which the workers of a web server count together, so that any of them can answer.

Each worker writes its figures into files of its own there, mapped into memory, and whoever is
scraped adds all of them up (docs/decisions/0024-counting-and-tracing.md). Without a folder, as
in tests and under other servers, a process counts for itself.
"""

from __future__ import annotations

import fcntl
import os
import shutil
import tempfile
from pathlib import Path
from typing import Final

# prometheus-client's name for it; read when that is imported, so the folder comes first.
FOLDER: Final = "PROMETHEUS_MULTIPROC_DIR"
# Memory of the machine's own. Where the place of temporary files is full, say of uploads, a process
# that writes into a file mapped from there is ended by the kernel, and so is each that follows.
_SHARED_MEMORY: Final = "/dev/shm"  # noqa: S108 (a folder of our own is made in it)
_NAME: Final = "cases-metrics-"
# A file in the folder, locked for as long as the master or one of its workers lives.
_LOCK: Final = "in-use"


def begin() -> None:
    """Make the folder, one for each server: figures of an earlier one are none of this.

    It lies in shared memory, where there is some and TMPDIR names no other place. A server that
    is reloaded comes by here again, and goes on counting where it was.
    """
    name = f"{_NAME}{os.getpid()}-"
    if Path(os.environ.get(FOLDER, "")).name.startswith(name):
        return
    own = os.access(_SHARED_MEMORY, os.W_OK) and not os.environ.get("TMPDIR")
    place = Path(_SHARED_MEMORY if own else tempfile.gettempdir())
    _remove_what_was_left(place)
    # It gets its name once it is locked: until then nobody else takes it for one that was left.
    made = Path(tempfile.mkdtemp(prefix=f"new-{name}", dir=place))
    fcntl.flock(os.open(made / _LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC), fcntl.LOCK_EX)
    os.environ[FOLDER] = str(made.rename(made.with_name(made.name.removeprefix("new-"))))


def _remove_what_was_left(place: Path) -> None:
    """Remove the folders of servers that were killed, which would fill the memory one by one."""
    for folder in place.glob(f"{_NAME}*"):
        try:
            lock = os.open(folder / _LOCK, os.O_RDWR | os.O_CLOEXEC)
        except OSError:  # somebody else's, or just being removed
            continue
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            shutil.rmtree(folder, ignore_errors=True)
        except OSError:  # it is in use, or lies where nothing can be locked
            continue
        finally:
            os.close(lock)


def forget(pid: int) -> None:
    """Let what a worker had at its end, like connections, end with it; what it did stays done."""
    from prometheus_client.multiprocess import mark_process_dead  # noqa: PLC0415 (after begin)

    mark_process_dead(pid)  # type: ignore[no-untyped-call] # the library's


def end() -> None:
    """Remove the folder."""
    shutil.rmtree(os.environ[FOLDER], ignore_errors=True)
