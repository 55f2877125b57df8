"""The database backend: Django finds ``DatabaseWrapper`` here by the name of the module."""

from __future__ import annotations

import select
import sys
import threading
from typing import Any, ClassVar

from django.conf import settings
from django.db import DEFAULT_DB_ALIAS
from django.db import connections as all_connections
from django.db.backends.base.base import NO_DB_ALIAS
from django.db.backends.postgresql import base
from psycopg import Connection
from psycopg.types.datetime import TimestamptzLoader
from psycopg_pool import ConnectionPool

from config.metrics import connections, pools
from config.postgresql import sessions
from config.postgresql.cursor import Cursor

_making_a_pool = threading.Lock()


class DatabaseWrapper(base.DatabaseWrapper):
    """A connection of the service."""

    connection: Connection[Any] | None
    _connection_pools: ClassVar[dict[str, ConnectionPool[Connection[Any]]]]  # of Django's class

    def get_connection_params(self) -> dict[str, Any]:
        """Return what psycopg connects with."""
        # psycopg prepares nothing without a threshold; only what is marked shall be prepared.
        threshold = sys.maxsize if settings.PREPARED_STATEMENTS else None
        ours = {"cursor_factory": Cursor, "prepare_threshold": threshold}
        return sessions.parameters(super().get_connection_params()) | ours

    @property
    def pool(self) -> ConnectionPool[Connection[Any]] | None:
        """The connections that the threads of this process share, if they are to."""
        options = self.settings_dict["OPTIONS"].get("pool")
        if not options or self.alias == NO_DB_ALIAS:
            return None
        with _making_a_pool:
            if self.alias not in self._connection_pools:
                pool = self._connection_pools[self.alias] = ConnectionPool(
                    kwargs=self.get_connection_params() | {"autocommit": True},
                    open=False,
                    configure=self._configure_connection,
                    check=_check,
                    **options,
                )
                pools.watch(self.alias, pool)
        return self._connection_pools[self.alias]

    def _configure_connection(self, connection: Connection[Any]) -> Any:
        """Make a new connection ready; moments are read by psycopg's loader in C.

        Django's is Python and takes a third of the time of a page. Both give the time zone of the
        connection, which Django sets.
        """
        connections.opened()
        connection.adapters.register_loader("timestamptz", TimestamptzLoader)
        return super()._configure_connection(connection)  # type: ignore[misc] # Django's own

    def get_new_connection(self, conn_params: dict[str, Any]) -> Connection[Any]:
        """Connect, or take one out of the pool."""
        connection: Connection[Any] = super().get_new_connection(conn_params)
        connections.taken()
        return connection

    def _close(self) -> None:
        """Let go of the connection."""
        if self.connection is not None:
            connections.let_go()
        super()._close()  # type: ignore[misc] # Django's, unknown to its types

    def create_cursor(self, name: str | None = None) -> Any:
        """Return a cursor that reads as its connection does; one with a name is the server's."""
        assert self.connection is not None  # noqa: S101 (Django connects before)
        if name is None:
            return self.connection.cursor()
        withhold = self.connection.autocommit  # outside of a transaction it must outlive its own
        return self.connection.cursor(name, scrollable=False, withhold=withhold)

    def is_usable(self) -> bool:
        """Tell whether the connection works, mostly without a word to the server.

        A server that ends a session says so, and the closed socket can be read. While nothing has
        come, the session is there as far as anybody can know; Django would ask ``SELECT 1`` before
        each request, and that could be outdated a moment later just as well.
        """
        if self.connection is None:
            return False
        if self.errors_occurred or not _is_silent(self.connection):
            return super().is_usable()
        return True


def unpooled() -> DatabaseWrapper:
    """Return a connection to the same database that is nobody else's, and not of the pool."""
    settings_dict = all_connections[DEFAULT_DB_ALIAS].settings_dict
    options = {name: v for name, v in settings_dict["OPTIONS"].items() if name != "pool"}
    return DatabaseWrapper({**settings_dict, "OPTIONS": options})


def _check(connection: Connection[Any]) -> None:
    """Look at a connection that comes out of the pool; see ``DatabaseWrapper.is_usable``."""
    if not _is_silent(connection):
        ConnectionPool.check_connection(connection)


def _is_silent(connection: Connection[Any]) -> bool:
    if connection.closed:
        return False
    look = select.poll()
    look.register(connection.fileno(), select.POLLIN)
    return not look.poll(0)
