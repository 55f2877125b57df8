"""One case, verified in the database connection of whoever asks: a page, a command, a test."""

from __future__ import annotations

from django.db import connection, transaction

from audit.verify.findings import Report
from audit.verify.rows import SESSION, Source, check_all
from audit.verify.trail import Row, TrailCheck


def verify_case(case_id: str) -> Report:
    """Check one case: its chain, its replay, its row, its notes, its grants.

    All of it is read from one snapshot. In a transaction of the caller's it sees what that sees.
    A case that nothing knows of gives a report about 0 cases: ask the selectors first who may see
    it.
    """
    check = TrailCheck()
    alone = not connection.in_atomic_block
    with transaction.atomic(), connection.cursor() as cursor:
        if alone:
            cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY")
        for statement in SESSION.split("; "):
            cursor.execute(statement)

        def read(source: Source) -> list[Row]:
            cursor.execute(source.sql("{key} = %s"), [case_id])
            rows: list[Row] = cursor.fetchall()
            return rows

        check_all(read, check)
    return Report(tally=check.tally, findings=check.findings)
