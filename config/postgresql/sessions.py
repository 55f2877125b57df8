"""What a session is told of its limits when it begins, by the kind of process that it serves.

A limit of 0 is not sent: then PostgreSQL's own holds, of the role, the database or the server.
"""

from __future__ import annotations

from typing import Any, Final

from django.conf import settings

WEB: Final = "web"
_SHORT: Final = 63  # bytes that PostgreSQL keeps of a name

process = "python"
"""The kind of this process: the web server, or the command that runs."""


def limits() -> dict[str, int]:
    """Return PostgreSQL's settings for sessions of this process, times in seconds."""
    if process == WEB:
        return {
            "statement_timeout": settings.DATABASE_STATEMENT_SECONDS,
            "lock_timeout": settings.DATABASE_LOCK_SECONDS,
            "idle_in_transaction_session_timeout": settings.DATABASE_IDLE_SECONDS,
        }
    # A command is not answered for: it may work for hours. But a migration that waits for a table
    # lets all others wait behind it, readers too.
    locks = settings.DATABASE_MIGRATE_LOCK_SECONDS if process == "migrate" else 0
    return {
        "statement_timeout": settings.DATABASE_COMMAND_SECONDS,
        "lock_timeout": locks,
        "idle_in_transaction_session_timeout": 0,
    }


def parameters(given: dict[str, Any]) -> dict[str, Any]:
    """Return what psycopg connects with, beside what the address of the database says itself."""
    ours = [f"-c {name}={seconds}s" for name, seconds in limits().items() if seconds]
    options = " ".join([*ours, *filter(None, [given.get("options")])])
    return {
        "application_name": f"regulatory-cases {process}"[:_SHORT],
        "connect_timeout": settings.DATABASE_CONNECT_SECONDS,
        # A host that is gone says nothing: a minute, and its sessions are given up.
        "keepalives_idle": 30,
        "keepalives_interval": 10,
        "keepalives_count": 3,
        "tcp_user_timeout": 60_000,
        **given,
        **({"options": options} if options else {}),
    }
