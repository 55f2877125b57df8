"""Forms that do their work once, however often they are sent: a double click, a reload, a retry.

A form carries a key of its own. The key is kept with what the form did, in the same transaction:
who sends it again is told the same. A form that was refused has done nothing and may be sent again.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Final

from django.db import connection, transaction

from cases.policies import Actor

_KEY: Final = re.compile(r"[0-9a-f-]{36}")
# The second of two that come at once waits here for the first one's transaction to end.
_TAKE: Final = """
INSERT INTO idempotency_keys (actor_id, key, fingerprint, status, body, headers)
VALUES (%s, %s, '', 303, '', '{}') ON CONFLICT DO NOTHING
"""
_KEEP: Final = "UPDATE idempotency_keys SET body = %s WHERE actor_id = %s AND key = %s"
_KEPT: Final = "SELECT body FROM idempotency_keys WHERE actor_id = %s AND key = %s"


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
    mine = [actor.id, f"form:{key}"]
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
