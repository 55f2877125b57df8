"""Makes anchors: heads, root, signature, row, event, in one transaction over one snapshot."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime
from typing import Any, Final

from django.db import connection, transaction
from django.utils.timezone import now

from audit import merkle
from audit.anchors import heads
from audit.anchors.events import AuditAnchored
from audit.anchors.statement import Head, Statement
from audit.models import AuditAnchor
from audit.signed_note import SigningKey
from cases.events import rfc3339
from cases.signals import publish_service

_AT_ONCE: Final = 5_000  # rows
_SHOWN: Final = 10  # cases that an error names

Progress = Callable[[int, int], None]


class BrokenPast(Exception):
    """The trail does not hold what the last anchor covers: nothing is signed over that."""

    def __init__(self, number: int, cases: list[str]) -> None:
        more = " and others" if len(cases) > _SHOWN else ""
        super().__init__(
            f"Anchor {number} covers heads that the trail does not hold any more: "
            f"{', '.join(cases[:_SHOWN])}{more}. Nothing was signed; run verify_audit --anchor."
        )


@transaction.atomic(durable=True)
def make_anchor(
    key: SigningKey, *, at: datetime | None = None, progress: Progress = lambda _done, _all: None
) -> AuditAnchor:
    """Sign the heads of all chains and store what was signed.

    Args:
        key: signs it; its name stands in front of the anchor's number.
        at: the time that is stated; now by default.
        progress: is told how many heads of how many are hashed.

    Raises:
        BrokenPast: what the last anchor covers is not there any more.
    """
    with connection.cursor() as cursor:
        cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
        # Before anything is read: who waits here for another run sees what that one wrote.
        cursor.execute("LOCK TABLE audit_anchor_turn IN EXCLUSIVE MODE")
        last = AuditAnchor.objects.order_by("number").last()
        if last is not None:
            _check_past(cursor, last.number)
        number = 1 if last is None else last.number + 1
        cursor.execute(heads.CHANGED, {"number": number})
        cursor.execute("SELECT count(DISTINCT case_id), count(*) FROM ONLY audit_events")
        chains, events = cursor.fetchone()
    root = merkle.root(_told(leaf_hashes(number), chains, progress))
    statement = Statement(
        name=key.name,
        number=number,
        chains=chains,
        root=root,
        events=events,
        time=rfc3339(at or now()),
        previous=b"" if last is None else _digest(last),
    )
    anchor = AuditAnchor.objects.create(
        number=number,
        taken_at=datetime.fromisoformat(statement.time),
        chains=chains,
        events=events,
        root=root,
        note=key.sign(statement.text()),
    )
    publish_service(
        AuditAnchored(
            sequence=number,
            occurred_at=anchor.taken_at,
            chains=chains,
            events=events,
            root=root.hex(),
            note=anchor.note,
        )
    )
    return anchor


def leaf_hashes(number: int) -> Iterator[bytes]:
    """Yield the hashes of an anchor's leaves in their order; call it in a transaction."""
    for row in covered_heads(number):
        yield row.leaf_hash()


def covered_heads(number: int) -> Iterator[Head]:
    """Yield the heads that an anchor covers in the order of its leaves; as above."""
    with connection.chunked_cursor() as cursor:
        cursor.execute(heads.COVERED, {"number": number})
        while rows := cursor.fetchmany(_AT_ONCE):
            for case_id, sequence, hash_ in rows:
                yield Head(case_id, sequence, bytes(hash_))


def _check_past(cursor: Any, number: int) -> None:
    broken = f"SELECT c.case_id FROM ({heads.COMPARED}) AS c (case_id, sequence, was, now_)"  # noqa: S608 (constants)
    cursor.execute(f"{broken} WHERE was IS DISTINCT FROM now_ LIMIT 11", {"number": number})
    if cases := [case_id for (case_id,) in cursor.fetchall()]:
        raise BrokenPast(number, cases)


def _digest(anchor: AuditAnchor) -> bytes:
    text, _, _ = anchor.note.rpartition("\n\n")
    return Statement.parse(f"{text}\n").digest()


def _told(hashes: Iterator[bytes], total: int, progress: Progress) -> Iterator[bytes]:
    for done, leaf in enumerate(hashes, start=1):
        if done % _AT_ONCE == 0:
            progress(done, total)
        yield leaf
