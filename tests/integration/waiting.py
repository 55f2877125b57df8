"""Two people at once: the one goes on as soon as the other waits for it."""

from __future__ import annotations

import time

from django.db import connection

PATIENCE = 30  # seconds


def until_somebody_waits() -> None:
    """Return once another session waits for what this one's transaction holds."""
    deadline = time.monotonic() + PATIENCE
    with connection.cursor() as cursor:
        while True:
            cursor.execute(
                "SELECT EXISTS (SELECT FROM pg_locks"
                " WHERE NOT granted AND pg_backend_pid() = ANY (pg_blocking_pids(pid)))"
            )
            if cursor.fetchone() == (True,):
                return
            assert time.monotonic() < deadline, "Nobody waits."
            time.sleep(0.01)
