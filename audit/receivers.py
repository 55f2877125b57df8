"""Writes one audit row per event, in the transaction of the change."""

from __future__ import annotations

from typing import Any, Final

import orjson
from django.db import connection
from django.utils.timezone import now

from audit import chain
from cases.events import CaseEvent, Json, rfc3339
from cases.prepared import Prepared
from cases.signals import request_id

# One parameter, a JSON array, in the order of the events: the same plan and text for one event
# and for a batch. The hashes that link a row into its chain are the trigger's to set.
_INSERT: Final = Prepared("""
INSERT INTO audit_events (id, case_id, sequence, actor_id, event_type, occurred_at, recorded_at,
                          request_id, details, content_hash, previous_hash, hash)
SELECT id, case_id, sequence, actor_id, event_type, occurred_at, %s, %s, details,
       decode(content_hash, 'hex'), '', ''
  FROM ROWS FROM (jsonb_to_recordset(%s::jsonb)
           AS (id uuid, case_id text, sequence int, actor_id text, event_type text,
               occurred_at timestamptz, details jsonb, content_hash text))
       WITH ORDINALITY AS new (id, case_id, sequence, actor_id, event_type, occurred_at, details,
                               content_hash, place)
 ORDER BY place
""")


def record_events(events: tuple[CaseEvent, ...], **kwargs: Any) -> None:
    """Insert the rows of a batch in one statement; the database links them into their chains."""
    del kwargs
    recorded_at, request = now(), request_id.get()
    rows: list[dict[str, Json]] = []
    for event in events:
        details = event.details()
        content = chain.canonical(
            event_id=event.id,
            case_id=event.case_id,
            sequence=event.sequence,
            actor_id=event.actor_id,
            event_type=event.type,
            occurred_at=event.occurred_at,
            recorded_at=recorded_at,
            request_id=request,
            details=details,
        )
        rows.append(
            {
                "id": str(event.id),
                "case_id": event.case_id,
                "sequence": event.sequence,
                "actor_id": event.actor_id,
                "event_type": event.type,
                "occurred_at": rfc3339(event.occurred_at),
                "details": details,
                "content_hash": chain.content_hash(content).hex(),
            }
        )
    with connection.cursor() as cursor:
        cursor.execute(_INSERT, [recorded_at, request, orjson.dumps(rows).decode()])
