"""Writes the outbox rows of each event, in the transaction of the change."""

from __future__ import annotations

from typing import Any, Final

import orjson
from django.db import connection

from cases.events import CaseEvent, Json, rfc3339
from cases.prepared import Prepared
from outbox.cloudevents import cloudevent
from outbox.destinations import configured
from outbox.wakeup import announce

# One parameter, a JSON array, in the order of the events: the same plan and text for one event
# and for a batch. The database's clock says from when on a row is due, as it does in the relay.
_INSERT: Final = Prepared("""
INSERT INTO outbox_events (event_id, destination, case_id, sequence, event_type, payload,
                           occurred_at, attempts, last_error)
SELECT event_id, destination, case_id, sequence, event_type, payload, occurred_at, 0, ''
  FROM ROWS FROM (jsonb_to_recordset(%s::jsonb)
           AS (event_id uuid, destination text, case_id text, sequence int, event_type text,
               payload jsonb, occurred_at timestamptz))
       WITH ORDINALITY AS new (event_id, destination, case_id, sequence, event_type, payload,
                               occurred_at, place)
 ORDER BY place
""")


def enqueue_events(events: tuple[CaseEvent, ...], **kwargs: Any) -> None:
    """Insert one row per event and destination that wants it, in one statement."""
    del kwargs
    destinations = configured()
    rows: list[dict[str, Json]] = []
    for event in events:
        if not event.announced:
            continue
        takers = [name for name, destination in destinations.items() if destination.wants(event)]
        payload = cloudevent(event) if takers else {}
        rows += [
            {
                "event_id": str(event.id),
                "destination": name,
                "case_id": event.case_id,
                "sequence": event.sequence,
                "event_type": event.type,
                "payload": payload,
                "occurred_at": rfc3339(event.occurred_at),
            }
            for name in takers
        ]
    if rows:
        with connection.cursor() as cursor:
            cursor.execute(_INSERT, [orjson.dumps(rows).decode()])
        announce()
