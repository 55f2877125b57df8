"""Keys of devices as they stand in the database: sealed, so that a copy of it makes no codes.

AES-256-GCM under a key that HKDF (RFC 5869) draws from ``SECRET_KEY``, with the account bound in: a
sealed key that is moved to another account does not open. What was sealed under one of
``SECRET_KEY_FALLBACKS`` opens too.
"""

from __future__ import annotations

import secrets
from base64 import urlsafe_b64decode, urlsafe_b64encode
from functools import cache
from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from django.conf import settings

KEY_BYTES: Final = 20  # of a device, as RFC 4226 has it
# No hexadecimal digit is a dot, so this begins no key as earlier versions kept it. The library's
# column has room for 80 characters; these are 67.
FORM: Final = "v1."
_NONCE_BYTES: Final = 12


class Unreadable(Exception):
    """The key was sealed under another ``SECRET_KEY``, for another account, or is broken."""


def new(account: int) -> str:
    """Return a new key for a device of this account (its primary key), sealed."""
    return seal(secrets.token_bytes(KEY_BYTES), account)


def seal(key: bytes, account: int) -> str:
    """Return what is kept of a key."""
    nonce = secrets.token_bytes(_NONCE_BYTES)
    sealed = _cipher(settings.SECRET_KEY).encrypt(nonce, key, _bound(account))
    return FORM + urlsafe_b64encode(nonce + sealed).decode()


def is_sealed(kept: str) -> bool:
    """Tell whether a key is sealed at all: earlier versions kept it as it was."""
    return kept.startswith(FORM)


def is_current(kept: str, account: int) -> bool:
    """Tell whether a key is sealed under the ``SECRET_KEY`` of now."""
    return is_sealed(kept) and _opened(kept, account, settings.SECRET_KEY) is not None


def unseal(kept: str, account: int) -> bytes:
    """Return a key, also one that an earlier version kept as it was.

    Raises:
        Unreadable: none of the secrets opens it.
    """
    if not is_sealed(kept):
        return bytes.fromhex(kept)
    for secret in (settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS):
        key = _opened(kept, account, secret)
        if key is not None:
            return key
    raise Unreadable


def _opened(kept: str, account: int, secret: str) -> bytes | None:
    try:
        sealed = urlsafe_b64decode(kept.removeprefix(FORM))
        return _cipher(secret).decrypt(
            sealed[:_NONCE_BYTES], sealed[_NONCE_BYTES:], _bound(account)
        )
    except (InvalidTag, ValueError):  # another key, or nothing that was ever sealed
        return None


@cache
def _cipher(secret: str) -> AESGCM:
    drawn = HKDF(SHA256(), length=32, salt=None, info=b"regulatory-cases: keys of second factors")
    return AESGCM(drawn.derive(secret.encode()))


def _bound(account: int) -> bytes:
    return f"account {account}".encode()
