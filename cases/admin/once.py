"""Forms that do their work once, however often they are sent: a double click, a reload, a retry.

A form carries a key of its own. The key is kept with what the form did, in the same transaction:
who sends it again is told the same. A form that was refused has done nothing and may be sent again.

What is done to many cases is many transactions: its key is taken before the first and kept with
the results after the last.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Final, Literal
from uuid import UUID, uuid4, uuid5

from django.db import connection, transaction

from cases.policies import Actor

_KEY: Final = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
# The second of two that come at once waits here for the first one's transaction to end.
_TAKE: Final = """
INSERT INTO idempotency_keys (actor_id, key, fingerprint, status, body, headers)
VALUES (%s, %s, '', 303, '', '{}') ON CONFLICT DO NOTHING
"""
_KEEP: Final = "UPDATE idempotency_keys SET body = %s WHERE actor_id = %s AND key = %s"
_KEPT: Final = "SELECT body FROM idempotency_keys WHERE actor_id = %s AND key = %s"


def _stored(kind: Literal["one", "many"], key: object) -> str:
    """Return the key as the table holds it.

    A line end is in no Idempotency-Key of the API, so nobody can send there what is kept here, and
    what was done to many cases is never told as what was done to one.
    """
    return f"{kind}\n{key}"


def once(actor: Actor, key: str, work: Callable[[], str | None]) -> tuple[str | None, bool]:
    """Do the work, unless a form with this key did it already; without a key, just do it.

    Args:
        actor: who sends the form.
        key: the form's own; nobody else's form has it.
        work: returns the id of the case, or None where it did nothing.

    Returns:
        What the work returned, and whether that was an earlier time.
    """
    if not _KEY.fullmatch(key):
        return work(), False
    mine = [actor.id, _stored("one", key)]
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(_TAKE, mine)
        if cursor.rowcount == 0:
            cursor.execute(_KEPT, mine)
            return str(cursor.fetchone()[0]), True
        done = work()
        if done is None:
            transaction.set_rollback(True)
            return None, False
        cursor.execute(_KEEP, [done, *mine])
        return done, False


def key_of(form_key: str, *sent: str) -> UUID:
    """Return the key of what was sent with a form: the same only for the same.

    A page that the browser has kept bears its key for good, whatever is chosen on it.
    """
    own = UUID(form_key) if _KEY.fullmatch(form_key) else uuid4()
    return uuid5(own, "\0".join(sent))


def take(actor: Actor, key: UUID) -> bool:
    """Take a key, at once; tell whether nobody had it."""
    with connection.cursor() as cursor:
        cursor.execute(_TAKE, [actor.id, _stored("many", key)])
        return bool(cursor.rowcount)


def keep(actor: Actor, key: UUID, results: str) -> None:
    """Keep what came of the work, with the key that was taken for it."""
    with connection.cursor() as cursor:
        cursor.execute(_KEEP, [results, actor.id, _stored("many", key)])


def kept(actor: Actor, key: UUID) -> str | None:
    """Return what was kept with a key; empty while the work is under way, None for no key."""
    with connection.cursor() as cursor:
        cursor.execute(_KEPT, [actor.id, _stored("many", key)])
        row = cursor.fetchone()
    return None if row is None else str(row[0])
