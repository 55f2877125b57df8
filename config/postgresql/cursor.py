"""The cursor of the service: prepares what is marked, and survives a migration beside it."""

from __future__ import annotations

from typing import Any, Final

from django.db.backends.postgresql.base import ServerBindingCursor
from psycopg import Connection, Error, OperationalError, abc
from psycopg.errors import DatatypeMismatch, FeatureNotSupported
from psycopg.pq import TransactionStatus

from cases.prepared import Prepared

# PostgreSQL's own names of the places that find it out; messages are translated, these are not.
_OF_A_STATEMENT: Final = "RevalidateCachedQuery"
_OF_A_FUNCTION: Final = "plpgsql_param_eval_"


class PlanOutdated(OperationalError):
    """A migration has changed the type of a column under what this session had planned.

    Nothing of the transaction was done, and another try finds new plans: the same as a database
    that was away for a moment.
    """

    def __init__(self) -> None:
        super().__init__("A migration has changed what this session had planned: try again.")


class Cursor(ServerBindingCursor):
    """Sends values apart from statements, and prepares those that are marked so."""

    connection: Connection[Any]

    def execute(self, query: abc.Query, params: abc.Params | None = None, **options: Any) -> Cursor:
        """Execute a statement; one that is ``Prepared`` is planned the first time only.

        Raises:
            PlanOutdated: it was planned before a migration, in a transaction that has done more.
        """
        if isinstance(query, Prepared):
            options["prepare"] = True
        begins = self.connection.pgconn.transaction_status == TransactionStatus.IDLE
        try:
            super().execute(query, params, **options)  # type: ignore[misc] # psycopg's, below Django's
        except (FeatureNotSupported, DatatypeMismatch) as error:
            if not self._can_be_planned_anew(error, begins=begins):
                raise
            super().execute(query, params, **options)  # type: ignore[misc] # as above
        return self

    def _can_be_planned_anew(self, error: Error, *, begins: bool) -> bool:
        """Tell whether a statement may be sent again, since nothing was done before it."""
        place = error.diag.source_function or ""
        if place.startswith(_OF_A_FUNCTION):
            # Triggers stay compiled as long as the session, whatever is discarded.
            self.connection.close()
            raise PlanOutdated from error
        if place != _OF_A_STATEMENT:
            return False
        if not begins:
            raise PlanOutdated from error
        # Either lets psycopg forget what it has prepared, as going back from the above does.
        if self.connection.autocommit:
            self.connection.execute("DEALLOCATE ALL")
        else:
            self.connection.rollback()  # of nothing but this statement
        return True
