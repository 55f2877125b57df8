"""API tokens: made, looked up and revoked here, whichever way is asked."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import datetime, timedelta
from hashlib import sha256
from hmac import compare_digest
from typing import Final

import structlog
from django.conf import settings
from django.contrib.auth.models import User
from django.db import connection, transaction
from django.db.models import QuerySet
from django.utils.timezone import now
from knox.crypto import hash_token
from knox.models import get_digest_token
from knox.settings import CONSTANTS

from cases.actors import ACCOUNT_COLUMNS, Account
from cases.models import rights
from cases.policies import Actor
from cases.prepared import Prepared
from config.models import ApiToken
from config.notices import tell

# Anything else is no token of ours, and needs no look into the database to say so.
FORM: Final = re.compile(r"rcm_[0-9a-f]{64}")
LONGEST_NAME: Final = 100  # characters
_OPENED: Final = Prepared(f"""
    SELECT t.digest, t.expiry, t.revoked_at IS NOT NULL, {rights.CURRENT}, {ACCOUNT_COLUMNS}
      FROM api_tokens t
      JOIN auth_user u ON u.id = t.user_id
     WHERE t.token_key = %s
""")  # noqa: S608 (constants)
# Whom tokens opened for, by their SHA-256: what was read, with the version of all rights then.
_REMEMBERED: Final[dict[bytes, tuple[Actor, datetime]]] = {}
_MOST_REMEMBERED: Final = 10_000
_log = structlog.get_logger("tokens")


class TokenRefused(Exception):
    """The API token cannot be made, or does not open anything."""


def create_token(*, user: User, name: str, days: int, by: str) -> tuple[ApiToken, str]:
    """Make a token that acts as an account.

    Args:
        user: the account.
        name: what the token is for, in words of its owner.
        days: for how long it holds, from 1 to ``API_TOKEN_TTL_DAYS``.
        by: who makes it.

    Returns:
        The stored row and the token, which is known only now.

    Raises:
        TokenRefused: says in words what is wrong.
    """
    name = name.strip()
    if not user.is_active:
        message = f"The account {user.username} is switched off."
        raise TokenRefused(message)
    if not 1 <= len(name) <= LONGEST_NAME or not name.isprintable():
        message = f"A name has 1 to {LONGEST_NAME} printable characters."
        raise TokenRefused(message)
    if not 1 <= days <= settings.API_TOKEN_TTL_DAYS:
        message = f"A token holds from 1 to {settings.API_TOKEN_TTL_DAYS} days."
        raise TokenRefused(message)
    digest, token = get_digest_token()
    row = ApiToken.objects.create(
        digest=digest,
        token_key=token[: CONSTANTS.TOKEN_KEY_LENGTH],
        user=user,
        name=name,
        expiry=now() + timedelta(days=days),
        created_by=by,
    )
    _tell("api_token_created", row, by)
    return row, token


def revoke_tokens(tokens: QuerySet[ApiToken], *, by: str) -> list[ApiToken]:
    """End tokens now, for good; those that were revoked before stay as they are.

    Returns:
        The rows that this call revoked.
    """
    with transaction.atomic():
        rows = list(tokens.filter(revoked_at=None).select_for_update(of=("self",)))
        for row in rows:
            row.revoked_at, row.revoked_by = now(), by
            row.save(update_fields=["revoked_at", "revoked_by"])
            _tell("api_token_revoked", row, by)
    return rows


def find(token: str) -> QuerySet[ApiToken]:
    """Return the row of a token, expired or revoked or not, as a queryset of at most one."""
    if not FORM.fullmatch(token):
        return ApiToken.objects.none()
    return ApiToken.objects.filter(digest=hash_token(token)).select_related("user")


def open_with(token: str, *, remembered: bool = False) -> Actor:
    """Return the actor that the account of a token is.

    Args:
        token: as the caller sent it.
        remembered: what an earlier request has read will do, without a statement; the actor then
            has a ``rights_version``, and whoever reads for it compares that.

    Raises:
        TokenRefused: no such token, or it has expired, was revoked, or its account is off.
    """
    if not FORM.fullmatch(token):
        message = "This is no API token."
        raise TokenRefused(message)
    name = sha256(token.encode()).digest()
    if remembered and (known := _REMEMBERED.get(name)) is not None and known[1] > now():
        return known[0]
    with connection.cursor() as cursor:
        # By the part that is no secret; the rest is compared in constant time.
        cursor.execute(_OPENED, [token[: CONSTANTS.TOKEN_KEY_LENGTH]])
        rows = cursor.fetchall()
    asked = hash_token(token)
    found = next((row for row in rows if compare_digest(row[0], asked)), None)
    if found is None:
        message = "There is no such API token."
        raise TokenRefused(message)
    _, expiry, revoked, version, *columns = found
    account = Account(*columns)
    if revoked:
        message = "The API token was revoked."
        raise TokenRefused(message)
    if expiry <= now():
        message = "The API token has expired."
        raise TokenRefused(message)
    if not account.is_active:
        message = "The account of the API token is switched off."
        raise TokenRefused(message)
    actor = account.actor()
    if len(_REMEMBERED) >= _MOST_REMEMBERED:
        _REMEMBERED.clear()
    _REMEMBERED[name] = replace(actor, rights_version=version), expiry
    return actor


def _tell(event: str, row: ApiToken, by: str) -> None:
    tell(row.user, event, detail=f"{row.name} (holds until {row.expiry:%Y-%m-%d})", by=by)
    facts = {"token_id": str(row.id), "owner": row.user.username, "by": by}
    transaction.on_commit(lambda: _log.info(event, expires=row.expiry.isoformat(), **facts))
