"""What the hashes of the trail are computed over. Plain Python; format 1.

``content_hash``   SHA-256 of the event's canonical content
``previous_hash``  ``hash`` of the case's previous event; 32 zero bytes for the first
``hash``           SHA-256 of ``previous_hash`` followed by ``content_hash``

The application computes the first; the database links the other two as the row comes in, under
the lock of the case row, so no further round trip is needed and no writer can choose them.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from datetime import datetime
from uuid import UUID

from cases.events import Json, rfc3339

FORMAT = 1
GENESIS = bytes(32)


def canonical(
    *,
    event_id: UUID,
    case_id: str,
    sequence: int,
    actor_id: str,
    event_type: str,
    occurred_at: datetime,
    recorded_at: datetime,
    request_id: str,
    details: Mapping[str, Json],
) -> bytes:
    """Return the event's content as canonical JSON (RFC 8785) in UTF-8.

    Names are ASCII and values are text, integers, booleans and null, so that the plain rules of
    RFC 8785 are: sorted names, no spaces, shortest escapes. Times are UTC with microseconds.
    """
    content = {
        "actor_id": actor_id,
        "case_id": case_id,
        "details": details,
        "event_id": str(event_id),
        "event_type": event_type,
        "format": FORMAT,
        "occurred_at": rfc3339(occurred_at),
        "recorded_at": rfc3339(recorded_at),
        "request_id": request_id,
        "sequence": sequence,
    }
    return json.dumps(
        content, ensure_ascii=False, sort_keys=True, separators=(",", ":"), allow_nan=False
    ).encode()


def content_hash(content: bytes) -> bytes:
    """Return the SHA-256 of canonical content, 32 bytes."""
    return hashlib.sha256(content).digest()


def link(previous_hash: bytes, content_hash: bytes) -> bytes:
    """Return the hash that chains an event to the previous one, 32 bytes."""
    return hashlib.sha256(previous_hash + content_hash).digest()
