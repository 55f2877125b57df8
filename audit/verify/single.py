"""One case, verified in the database connection of whoever asks: a page, a command, a test."""

from __future__ import annotations

from django.db import connection, transaction

from audit.verify.findings import Report
from audit.verify.rows import SESSION, check_rows


def verify_case(case_id: str) -> Report:
    """Check one case: its chain, its replay, its row, its notes, its grants.

    All of it is read from one snapshot. In a transaction of the caller's it sees what that sees.
    A case that nothing knows of gives a report about 0 cases: ask the selectors first who may see
    it.
    """
    alone = not connection.in_atomic_block
    with transaction.atomic():
        with connection.cursor() as cursor:
            if alone:
                cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY")
            cursor.execute(SESSION)
        with connection.wrap_database_errors:
            return check_rows(connection.connection, "{key} = %(case)s", {"case": case_id})
