"""Reads that a replica may answer: lists, exports, reports.

A read goes to the replica once that has replayed all that the primary had written when the read
began. So it shows every change that anybody had been told of by then, the caller's own before all,
and every right that had been taken away. A replica that does not get there in time, or is away,
is left alone for a while: the primary answers, as it would without one.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from contextvars import ContextVar
from typing import Any, Final, TypeVar
from weakref import WeakKeyDictionary

import structlog
from django.conf import settings
from django.db import DEFAULT_DB_ALIAS, InterfaceError, OperationalError, connections, transaction
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models import Model

from cases.prepared import Prepared

T = TypeVar("T")

REPLICA: Final = "replica"
# For how long a replica that was behind or away is not asked again, in seconds.
REST: Final = {"behind": 1.0, "away": 5.0}

# Positions in the log of writes, as numbers. A commit that is not waited for on the disk is seen by
# others before it is there.
_WRITTEN: Final = Prepared(
    "SELECT (CASE current_setting('synchronous_commit') WHEN 'off' THEN pg_current_wal_insert_lsn()"
    " ELSE pg_current_wal_flush_lsn() END - '0/0')::bigint"
)
# One that was promoted goes its own way.
_REPLAYED: Final = Prepared(
    "SELECT CASE WHEN pg_is_in_recovery() THEN (pg_last_wal_replay_lsn() - '0/0')::bigint END"
)
_CLUSTER: Final = "SELECT system_identifier FROM pg_control_system()"
_QUERY_CANCELED: Final = "57014"
_LONGEST_PAUSE: Final = 0.008  # seconds between two looks at what is replayed

_log = structlog.get_logger("replica")
_alias: ContextVar[str] = ContextVar("alias", default=DEFAULT_DB_ALIAS)
_rests_until = 0.0
# Sessions that were found to be of the primary's cluster, and how far their servers were last seen.
_seen: WeakKeyDictionary[Any, int] = WeakKeyDictionary()


def connection() -> BaseDatabaseWrapper:
    """Return the connection that the read under way uses; outside of one, the primary's."""
    return connections[_alias.get()]


def from_replica(read: Callable[[], T]) -> T:
    """Carry out a read, on the replica where there is one that is up to date.

    Within a transaction it stays there, since the replica knows nothing of that. What fails because
    the replica fails is read once more, from the primary.

    Args:
        read: reads, and has read all it needs when it returns; raises whatever it likes.
    """
    if REPLICA not in settings.DATABASES or transaction.get_connection().in_atomic_block:
        return read()
    if time.monotonic() < _rests_until:
        return read()
    try:
        if not _caught_up():
            _rest("behind")
            return read()
    except (OperationalError, InterfaceError) as error:
        _rest("away", type(error.__cause__ or error).__name__)
        return read()
    token, session = _alias.set(REPLICA), connections[REPLICA].connection
    try:
        found = read()
        if _stands_by(session):
            return found
        _rest("behind")
    except (OperationalError, InterfaceError) as error:
        if getattr(error.__cause__, "sqlstate", None) == _QUERY_CANCELED:  # it took too long there
            raise
        _rest("away", type(error.__cause__ or error).__name__)
    finally:
        _alias.reset(token)
    return read()


def _caught_up() -> bool:
    """Wait until the replica has replayed what the primary has written; tell whether it did.

    A replica never goes back, so one that was seen to be as far before is not asked again.

    Raises:
        OperationalError: the replica, or the primary, is away.
    """
    written = _asked(connections[DEFAULT_DB_ALIAS], _WRITTEN)
    own = connections[REPLICA]
    own.ensure_connection()
    session = own.connection
    if session not in _seen:
        if _asked(own, _CLUSTER) != _asked(connections[DEFAULT_DB_ALIAS], _CLUSTER):
            return False
        _seen[session] = 0
    if _seen[session] >= written and _stands_by(session):
        return True
    end = time.monotonic() + settings.REPLICA_WAIT_MS / 1000
    pause = 0.001
    while (replayed := _asked(own, _REPLAYED)) is not None:
        _seen[session] = replayed
        if replayed >= written:
            return True
        if time.monotonic() + pause > end:
            break
        time.sleep(pause)
        pause = min(pause * 2, _LONGEST_PAUSE)
    return False


def _asked(own: BaseDatabaseWrapper, statement: str) -> Any:
    with own.cursor() as cursor:
        cursor.execute(statement)
        return cursor.fetchone()[0]


def _stands_by(session: Any) -> bool:
    """Tell whether the replica still was one at the last answer: it says when it is promoted."""
    return bool(session.info.parameter_status("in_hot_standby") == "on")


def _rest(why: str, error: str = "") -> None:
    global _rests_until  # noqa: PLW0603 (one replica, one state of it in a process)
    _rests_until = time.monotonic() + REST[why]
    _log.warning(f"replica_{why}", **{"error": error} if error else {})


class Router:
    """Sends the ORM's reads where the read under way goes, and all else to the primary."""

    def db_for_read(self, model: type[Model], **hints: Any) -> str:
        """Return the alias of the read under way, whatever database an object came from."""
        del model, hints
        return _alias.get()

    def db_for_write(self, model: type[Model], **hints: Any) -> str:
        """Return the primary's, for objects that were read from the replica too."""
        del model, hints
        return DEFAULT_DB_ALIAS

    def allow_relation(self, obj1: Model, obj2: Model, **hints: Any) -> bool:
        """Allow all: both databases are one."""
        del obj1, obj2, hints
        return True

    def allow_migrate(self, db: str, app_label: str, **hints: Any) -> bool:
        """Migrate the primary; the replica follows by itself."""
        del app_label, hints
        return db == DEFAULT_DB_ALIAS
