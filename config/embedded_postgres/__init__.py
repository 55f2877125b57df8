"""A PostgreSQL server of this checkout's own, for workstations and tests; never for production.

`database_url()` only computes where that server listens. `running()` makes sure that it runs for
as long as the block lasts. Any number of processes may be inside `running()` at once: the first
one starts the server, the last one to leave stops it. Three lock files carry this, and the kernel
lets go of them however a process ends:

- `mutex.lock`: held exclusively while somebody starts or stops the server;
- `users.lock`: held shared by every process inside `running()`;
- `server.lock`: inherited by the server and its children, so it is held exactly as long as one of
  them lives. The number in a pid file may by now belong to a stranger; this lock cannot lie.

The server listens on a Unix socket only, in a folder that nobody else may enter: the folder is the
access control. Nothing of Django is imported here, because settings and manage.py come first.
"""

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager

from config.embedded_postgres.place import EmbeddedPostgresError, Purpose, locate, prepare, url_of
from config.embedded_postgres.programs import find_programs
from config.embedded_postgres.server import (
    ensure_server,
    mutex,
    open_lock,
    stop_server,
    try_lock,
)

__all__ = ["EmbeddedPostgresError", "Purpose", "database_url", "find_programs", "revive", "running"]


def database_url(purpose: Purpose = "local") -> str:
    """Return the URL of the embedded database; starts nothing and only looks at the disk.

    The folder stands in the query, because that is the form which libpq and django-environ both
    read: the latter leaves a percent-encoded host as it is and even turns it into lower case.
    """
    return url_of(locate(purpose))


@contextmanager
def running(purpose: Purpose = "local") -> Iterator[str]:
    """Keep the server running, with its database, inside this block; yields its URL.

    Args:
        purpose: "local" is durable; "test" is faster, may lose data at a power cut, and has a
            data folder of its own.

    Raises:
        EmbeddedPostgresError: no server is installed, or it cannot be started or stopped.
    """
    place = locate(purpose)
    prepare(place)
    with open_lock(place, "users") as users:
        try:
            with mutex(place):
                fcntl.flock(users, fcntl.LOCK_SH)
                ensure_server(place)
            yield url_of(place)
        finally:
            with mutex(place):
                fcntl.flock(users, fcntl.LOCK_UN)
                if try_lock(users):
                    stop_server(place)


def revive(purpose: Purpose = "local") -> bool:
    """Start the server again if it has died under its users; tells whether it had.

    Raises:
        EmbeddedPostgresError: it cannot be started.
    """
    place = locate(purpose)
    with open_lock(place, "server") as server:
        if not try_lock(server):
            return False
    with mutex(place):
        ensure_server(place)
    return True
