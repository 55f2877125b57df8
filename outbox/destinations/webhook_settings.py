"""What the settings of the webhook must be, a sentence for each thing that is wrong."""

from __future__ import annotations

import base64
import binascii
from typing import Final

import httpx
from django.conf import settings
from django.core.checks import CheckMessage, Error

_PREFIX: Final = "whsec_"
# What Standard Webhooks ask of a secret, in bytes.
_LEAST, _MOST = 24, 64
_HOW: Final = (
    "Make one with: python -c 'import base64, secrets; "
    'print("whsec_" + base64.b64encode(secrets.token_bytes(32)).decode())\''
)


def check() -> list[CheckMessage]:
    """Return what is wrong with OUTBOX_WEBHOOK_URL and OUTBOX_WEBHOOK_SECRET."""
    found: list[CheckMessage] = []
    if problem := _problem_of_url(settings.OUTBOX_WEBHOOK_URL):
        found.append(
            Error(
                f"OUTBOX_WEBHOOK_URL {problem}",
                hint="Set it to the https address of the receiver.",
                id="outbox.E010",
            )
        )
    secrets = settings.OUTBOX_WEBHOOK_SECRET.split()
    if not secrets:
        found.append(Error("OUTBOX_WEBHOOK_SECRET is not set.", hint=_HOW, id="outbox.E011"))
    elif not all(map(_is_secret, secrets)):
        found.append(
            Error(
                "OUTBOX_WEBHOOK_SECRET is no secret of Standard Webhooks: whsec_ and the base64 of"
                f" {_LEAST} to {_MOST} bytes.",
                hint=_HOW,
                id="outbox.E012",
            )
        )
    return found


def _problem_of_url(text: str) -> str | None:
    """Return how the sentence about the address goes on, without repeating what is secret."""
    if not text:
        return "is not set."
    try:
        url = httpx.URL(text)
    except httpx.InvalidURL:
        return "is no address."
    if url.scheme not in ("https", "http") or not url.host:
        return "is no https address."
    if url.userinfo or url.fragment:
        return "holds a user or a fragment: the signature says who sends."
    if url.scheme == "http" and (settings.PRODUCTION or not settings.OUTBOX_WEBHOOK_ALLOW_PRIVATE):
        return (
            "is without TLS: http is for trials, outside of production and with "
            "OUTBOX_WEBHOOK_ALLOW_PRIVATE=on."
        )
    return None


def _is_secret(text: str) -> bool:
    if not text.startswith(_PREFIX):
        return False
    try:
        key = base64.b64decode(text.removeprefix(_PREFIX), validate=True)
    except (binascii.Error, ValueError):
        return False
    return _LEAST <= len(key) <= _MOST
