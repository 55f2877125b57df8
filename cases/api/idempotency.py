"""Requests that can be repeated: the Idempotency-Key header (IETF draft of the HTTPAPI group).

The same actor, key and request get the stored answer again, and nothing happens twice. The answer
is stored in the transaction of the work, so a request that failed leaves its key free.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable
from typing import Any, Final, cast

from django.db import IntegrityError, connection, transaction
from rest_framework.exceptions import APIException, ParseError
from rest_framework.request import Request
from rest_framework.response import Response

from cases.models import IdempotencyKey
from cases.models.idempotency import KEY_MAX
from cases.policies import Actor
from cases.prepared import Prepared

_KEY: Final = re.compile(rf"[\x20-\x7e]{{1,{KEY_MAX}}}")
_KEPT_HEADERS: Final = ("ETag", "Location")
_PRIMARY_KEY: Final = "idempotency_keys_pkey"

# The lock makes a second request of the same key see at once that the first is not done; it ends
# with the transaction, however that ends. The number keeps it apart from other advisory locks.
_LOOK: Final = Prepared("""
SELECT lock.free, known.fingerprint, known.status, known.body, known.headers::text
  FROM (SELECT pg_try_advisory_xact_lock(hashtextextended(%(actor_id)s || E'\\n' || %(key)s, 4711))
               AS free) AS lock
  LEFT JOIN idempotency_keys AS known
         ON known.actor_id = %(actor_id)s AND known.key = %(key)s
""")


class IdempotencyKeyReused(APIException):
    """The key stands for another request."""

    status_code = 409
    default_detail = "This Idempotency-Key was used for another request: take a new one."
    default_code = "idempotency_key_reused"


class IdempotencyKeyInProgress(APIException):
    """The first request with this key has not ended."""

    status_code = 409
    default_detail = "The first request with this Idempotency-Key is still at work: ask again."
    default_code = "idempotency_key_in_progress"
    wait = 1  # seconds


def once(request: Request, work: Callable[[], Response]) -> Response:
    """Do the work, unless it was done already for this Idempotency-Key; without one, just do it.

    Args:
        request: read and found valid; its actor is known.
        work: carries the request out, and raises where it is refused.

    Raises:
        ParseError: the key is not 1 to 255 printable ASCII characters.
        IdempotencyKeyReused: the actor sent another request under this key.
        IdempotencyKeyInProgress: the same request is being carried out right now.
    """
    key: str | None = request.META.get("HTTP_IDEMPOTENCY_KEY")
    if key is None:
        return work()
    if not _KEY.fullmatch(key):
        message = f"Idempotency-Key takes 1 to {KEY_MAX} printable ASCII characters."
        raise ParseError(message)
    actor_id = cast(Actor, request.auth).id
    asked = _fingerprint(request)
    try:
        return _once(actor_id, key, asked, work)
    except IntegrityError as error:
        # The first request committed between our look and our lock: its answer is there by now.
        if _violated(error) != _PRIMARY_KEY:
            raise
        return _once(actor_id, key, asked, work)


@transaction.atomic
def _once(actor_id: str, key: str, asked: bytes, work: Callable[[], Response]) -> Response:
    with connection.cursor() as cursor:
        cursor.execute(_LOOK, {"actor_id": actor_id, "key": key})
        free, fingerprint, status, body, headers = cursor.fetchone()
    if fingerprint is not None:
        if bytes(fingerprint) != asked:
            raise IdempotencyKeyReused
        kept = json.loads(headers) | {"Idempotent-Replayed": "true"}
        return Response(json.loads(body), status=status, headers=kept)
    if not free:
        raise IdempotencyKeyInProgress
    response = work()
    IdempotencyKey(
        actor_id=actor_id,
        key=key,
        fingerprint=asked,
        status=response.status_code,
        body=json.dumps(response.data, ensure_ascii=False),
        headers={name: response[name] for name in _KEPT_HEADERS if name in response},
    ).save(force_insert=True)
    return response


def _fingerprint(request: Request) -> bytes:
    asked: list[Any] = [
        request.method,
        request.get_full_path().removeprefix("/v1"),  # the same API as at the root
        request.META.get("HTTP_IF_MATCH"),
        request.data,
    ]
    return hashlib.sha256(json.dumps(asked, sort_keys=True).encode()).digest()


def _violated(error: IntegrityError) -> str | None:
    return getattr(getattr(error.__cause__, "diag", None), "constraint_name", None)
