"""The trail against an anchor: what was signed then must be in the chains now. No Django."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from psycopg import Connection

from audit import merkle
from audit.anchors.heads import COMPARED
from audit.anchors.statement import Head, Statement
from audit.verify.findings import Finding, Report

_AT_ONCE: Final = 5_000  # rows
_STORED: Final = "SELECT root FROM ONLY audit_anchors WHERE number = %(number)s"


def check_anchor(connection: Connection[Any], statement: Statement) -> Report:
    """Check that the trail still holds every head that an anchor covers.

    What came later does not matter: a head of then must be in its chain, at its place. The root is
    computed from the hashes of the trail itself; the list of heads only says where to look, so
    nothing is gained by changing the list.

    Args:
        connection: psycopg's, in a transaction that sees one moment.
        statement: of a note whose signature was checked.
    """
    report = Report()
    [stored] = connection.execute(_STORED, {"number": statement.number}).fetchall() or [None]
    if stored is None:
        _found(
            report,
            f"this database does not know anchor {statement.number} of {statement.time}: it is "
            "another database, or one from before that moment",
        )
        return report
    if bytes(stored[0]) != statement.root:
        _found(report, f"the database holds another anchor {statement.number}, of another root")
    size = [0]
    root = merkle.root(_leaves(connection, statement, report, size))
    if size[0] != statement.chains:
        message = f"anchor {statement.number} covers {statement.chains} cases, now {size[0]}"
        _found(report, message)
    elif root != statement.root and not any(one.case_id for one in report.findings):
        _found(
            report,
            f"the chains do not give the root of anchor {statement.number}: heads were rewritten, "
            "in the trail and in the list of what the anchor covers",
        )
    return report


def _leaves(
    connection: Connection[Any], statement: Statement, report: Report, size: list[int]
) -> Iterator[bytes]:
    with connection.cursor("verify_anchor", binary=True) as cursor:
        cursor.execute(COMPARED, {"number": statement.number})
        while rows := cursor.fetchmany(_AT_ONCE):
            size[0] += len(rows)
            for case_id, sequence, covered, there in rows:
                if there is None:
                    message = f"anchor {statement.number} covers it, and it is gone"
                    _found(report, message, case_id, sequence)
                elif there != covered:
                    message = f"anchor {statement.number} covers another hash: it was rewritten"
                    _found(report, message, case_id, sequence)
                yield Head(case_id, sequence, there or b"").leaf_hash()


def _found(report: Report, message: str, case_id: str = "", sequence: int | None = None) -> None:
    report.findings.append(Finding(case_id, sequence, "anchor", message))
