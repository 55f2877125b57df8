"""The issuer of OpenID Connect tokens: where its endpoints are, and which keys it signs with.

Both are asked for when they are first needed and kept in the process. What a stranger sends can
cause at most one question to the issuer in a while.
"""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Mapping
from functools import lru_cache
from http.client import HTTPException
from typing import Any, Final
from urllib.error import HTTPError
from urllib.parse import urlencode, urlsplit
from urllib.request import HTTPRedirectHandler, Request, build_opener

import structlog
from django.conf import settings

_TIMEOUT: Final = 3.0  # seconds for each wait for the issuer
_LARGEST: Final = 1_048_576  # bytes of an answer
_FRESH: Final = 600.0  # seconds for which keys are taken without asking again
_STALE: Final = 3600.0  # seconds for which they are still taken while the issuer is away
_PAUSE: Final = 30.0  # seconds between two questions caused by unknown keys
_PAUSE_AFTER_FAILURE: Final = 5.0  # seconds for which an issuer that is away is not asked again
_log = structlog.get_logger("oidc")


class IssuerAway(Exception):
    """The identity provider does not answer, or not as it should."""


class _NoRedirects(HTTPRedirectHandler):
    """An endpoint is where its document says; a redirect could lead to a place without TLS."""

    def redirect_request(self, *args: Any, **kwargs: Any) -> None:
        del args, kwargs


def ask(url: str, *, form: Mapping[str, str] | None = None, bearer: str = "") -> dict[str, Any]:
    """Return the JSON object at an address of the issuer.

    Args:
        url: http or https.
        form: what to POST; without it, GET.
        bearer: an access token to send along.

    Raises:
        IssuerAway: no answer in time, no success, no JSON object, too large, or a redirect.
    """
    if urlsplit(url).scheme not in ("http", "https"):
        message = "an endpoint without http or https"
        raise IssuerAway(message)
    headers = {"Accept": "application/json"} | (
        {"Authorization": f"Bearer {bearer}"} if bearer else {}
    )
    body = urlencode(form).encode() if form is not None else None
    request = Request(url, data=body, headers=headers)  # noqa: S310 (the scheme is looked at above)
    try:
        with build_opener(_NoRedirects).open(request, timeout=_TIMEOUT) as answer:
            found = json.loads(answer.read(_LARGEST + 1))
    except HTTPError as error:
        error.close()
        message = f"status {error.code}"
        raise IssuerAway(message) from None
    except (OSError, HTTPException, ValueError, RecursionError) as error:
        raise IssuerAway(type(error).__name__) from error
    if not isinstance(found, dict):
        message = "no JSON object"
        raise IssuerAway(message)
    return found


class Issuer:
    """One issuer, named by its identifier (OpenID Connect Discovery 1.0); safe for threads."""

    def __init__(self, identifier: str) -> None:
        self.identifier = identifier
        self._lock = threading.Lock()
        self._document: dict[str, Any] = {}
        self._keys: list[dict[str, Any]] = []
        self._answered = float("-inf")
        self._failed = float("-inf")

    def endpoint(self, name: str) -> str:
        """Return an address from the issuer's document, like ``token_endpoint``; empty: none.

        Raises:
            IssuerAway: the document cannot be had, or the address is without TLS, but not the
                issuer.
        """
        if not self._document:
            with self._lock:
                if not self._document:
                    self._guarded(self._discover)
        return self._address(name)

    def keys(self, kid: str | None) -> list[dict[str, Any]]:
        """Return the keys of this id as JWKs (RFC 7517); without an id, all keys there are.

        Raises:
            IssuerAway: the keys cannot be had, and none are known that may still be used.
        """
        found, age = self._known(kid), time.monotonic() - self._answered
        if age < _PAUSE or (found and age < _FRESH):
            return found
        usable = bool(found) and age < _STALE
        # One thread asks. The others go on with what they have, or wait where they have nothing.
        if not self._lock.acquire(blocking=not usable):
            return found
        try:
            if time.monotonic() - self._answered >= min(age, _PAUSE):
                self._guarded(self._fetch_keys)
        except IssuerAway:
            if not usable:
                raise
        finally:
            self._lock.release()
        return self._known(kid)

    def _known(self, kid: str | None) -> list[dict[str, Any]]:
        return [key for key in self._keys if kid is None or key.get("kid") == kid]

    def _guarded(self, question: Callable[[], None]) -> None:
        """Ask the issuer, unless it was away a moment ago."""
        if time.monotonic() - self._failed < _PAUSE_AFTER_FAILURE:
            message = "it was away a moment ago"
            raise IssuerAway(message)
        try:
            question()
        except IssuerAway as error:
            self._failed = time.monotonic()
            _log.warning("issuer_away", issuer=self.identifier, cause=str(error))
            raise

    def _discover(self) -> None:
        document = ask(f"{self.identifier.rstrip('/')}/.well-known/openid-configuration")
        if document.get("issuer") != self.identifier:
            message = "its document names another issuer"
            raise IssuerAway(message)
        self._document = document

    def _fetch_keys(self) -> None:
        self._discover()
        keys = ask(self._address("jwks_uri")).get("keys")
        if not isinstance(keys, list):
            message = "no list of keys"
            raise IssuerAway(message)
        self._keys = [key for key in keys if isinstance(key, dict)]
        self._answered = time.monotonic()

    def _address(self, name: str) -> str:
        address = str(self._document.get(name) or "")
        secure = urlsplit(self.identifier).scheme == "https"
        if address and secure and urlsplit(address).scheme != "https":
            message = f"its {name} is without TLS"
            raise IssuerAway(message)
        return address


@lru_cache(maxsize=4)
def _issuer(identifier: str) -> Issuer:
    return Issuer(identifier)


def the_issuer() -> Issuer:
    """Return the issuer of ``OIDC_ISSUER``, one object per process with what it has learnt."""
    return _issuer(settings.OIDC_ISSUER)
