"""The ``webhook`` destination: an HTTPS POST per message, signed as Standard Webhooks say."""

from __future__ import annotations

import asyncio
import errno
import http
import os
import ssl
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import ClassVar, Final

import httpx
from django.conf import settings
from django.core.checks import CheckMessage
from standardwebhooks import Webhook

from outbox.cloudevents import CONTENT_TYPE
from outbox.destinations import webhook_settings
from outbox.destinations.addresses import RefusedAddress, addresses_of
from outbox.destinations.base import (
    DELIVERED,
    Destination,
    Message,
    Outcome,
    Unavailable,
    failed,
    refused,
    untried,
)
from outbox.destinations.side_by_side import Loop, side_by_side

_AT_ONCE: Final = 32  # requests, over as many connections
_TIMEOUT: Final = httpx.Timeout(connect=5, read=10, write=10, pool=15)  # seconds, each
_WHOLE_SECONDS: Final = 15.0  # for one message, whatever drips
_BEGIN_SECONDS: Final = 10.0  # after that a batch begins nothing more
_BODY_MOST: Final = 16_384  # bytes of an answer; the status alone decides
_BODY_SECONDS: Final = 1.0
_RETRY_AFTER_MOST: Final = 3_600.0  # seconds

# What an answer says about the moment, not about the message. 401 and 403 tell that the secret is
# wrong, at either end: the message is as good as before once it has been set right.
_LATER: Final = frozenset(
    {
        http.HTTPStatus.UNAUTHORIZED,
        http.HTTPStatus.FORBIDDEN,
        http.HTTPStatus.REQUEST_TIMEOUT,
        http.HTTPStatus.TOO_EARLY,
    }
)


class WebhookDestination(Destination):
    """Posts each message to one receiver, many cases at once, those of a case one by one."""

    name = "webhook"
    time_limit: ClassVar[float] = 30.0

    def __init__(self) -> None:
        self._url = httpx.URL(settings.OUTBOX_WEBHOOK_URL)
        self._signers = [Webhook(one) for one in settings.OUTBOX_WEBHOOK_SECRET.split()]
        self._loop: Loop | None = None
        # A client for each request that may be under way, with one connection: a pool of many looks
        # at all of them before and after each request.
        self._clients: list[httpx.AsyncClient] = []

    @classmethod
    def check(cls) -> list[CheckMessage]:
        """Return what is wrong with the address and the secret."""
        return webhook_settings.check()

    def deliver(self, messages: Sequence[Message]) -> Sequence[Outcome]:
        """Post all messages and wait for the receiver's answers."""
        if self._loop is None:
            self._loop = Loop("webhook")
        return self._loop.run(self._deliver(messages), seconds=self.time_limit)

    def close(self) -> None:
        """Close the connections."""
        if self._loop is not None:
            self._loop.run(self._hang_up(), seconds=_WHOLE_SECONDS)
            self._loop.close()

    async def _deliver(self, messages: Sequence[Message]) -> list[Outcome]:
        if not self._clients:
            self._clients = _clients()
        addresses = await self._addresses()
        return await side_by_side(
            messages,
            lambda message, hand: self._post(self._clients[hand], message, addresses),
            at_once=_AT_ONCE,
            seconds=_BEGIN_SECONDS,
        )

    async def _hang_up(self) -> None:
        for client in self._clients:
            await client.aclose()

    async def _addresses(self) -> list[str]:
        """Look the receiver up, for this batch.

        Raises:
            Unavailable: there is no address to connect to now.
        """
        port = self._url.port or {"https": 443, "http": 80}[self._url.scheme]
        try:
            async with asyncio.timeout(_TIMEOUT.connect):
                return await addresses_of(
                    self._url.host, port, allow_private=settings.OUTBOX_WEBHOOK_ALLOW_PRIVATE
                )
        except RefusedAddress as error:
            message = (
                f"{self._url.host} is a private address; OUTBOX_WEBHOOK_ALLOW_PRIVATE is not set."
            )
            raise Unavailable(message) from error
        except OSError as error:  # TimeoutError is one
            message = f"{self._url.host} could not be looked up."
            raise Unavailable(message) from error

    async def _post(
        self, client: httpx.AsyncClient, message: Message, addresses: Sequence[str]
    ) -> Outcome:
        outcome = untried("The receiver could not be reached.")
        try:
            async with asyncio.timeout(_WHOLE_SECONDS):
                for address in addresses:
                    try:
                        return await self._post_to(client, address, message)
                    except (httpx.ConnectError, httpx.ConnectTimeout) as error:
                        outcome = untried(f"No connection: {_cause(error)}.")
        except (TimeoutError, httpx.TimeoutException):
            outcome = failed("The receiver did not answer in time.")
        except httpx.HTTPError as error:
            outcome = failed(f"The connection broke: {type(error).__name__}.")
        return outcome

    async def _post_to(self, client: httpx.AsyncClient, address: str, message: Message) -> Outcome:
        """Post to an address that was checked, in the name of the host that stands in the URL."""
        request = client.build_request(
            "POST",
            self._url.copy_with(host=address),
            content=message.body.encode(),
            headers={"Host": self._url.netloc.decode("ascii"), **self._signed(message)},
            extensions={"sni_hostname": self._url.raw_host.decode("ascii")},
        )
        response = await client.send(request, stream=True)
        try:
            await _read_some(response)
        finally:
            await response.aclose()
        return outcome_of(response.status_code, response.headers.get("retry-after"))

    def _signed(self, message: Message) -> dict[str, str]:
        """Return the headers that say which message this is, when it was sent, and by whom."""
        at = datetime.now(UTC)
        return {
            "webhook-id": message.id,
            "webhook-timestamp": str(int(at.timestamp())),
            "webhook-signature": " ".join(
                signer.sign(message.id, at, message.body) for signer in self._signers
            ),
        }


def _clients() -> list[httpx.AsyncClient]:
    """Return clients that take nothing from the environment but whom OpenSSL trusts."""
    trusted = ssl.create_default_context()
    return [
        httpx.AsyncClient(
            verify=trusted,
            trust_env=False,
            follow_redirects=False,
            timeout=_TIMEOUT,
            limits=httpx.Limits(max_connections=1),
            headers={
                "Content-Type": CONTENT_TYPE,
                "User-Agent": "regulatory-case-management",
                "Accept-Encoding": "identity",
            },
        )
        for _ in range(_AT_ONCE)
    ]


async def _read_some(response: httpx.Response) -> None:
    """Read the answer to its end, so that the connection can be used again, but not for ever."""
    size = 0
    try:
        async with asyncio.timeout(_BODY_SECONDS):
            async for chunk in response.aiter_raw():
                size += len(chunk)
                if size > _BODY_MOST:
                    return
    except (TimeoutError, httpx.HTTPError):
        return


def outcome_of(status: int, retry_after: str | None = None) -> Outcome:
    """Return what the status of an answer says about a message.

    Args:
        status: any HTTP status, made-up ones too.
        retry_after: the header of this name, in seconds; a date is not read.
    """
    if 200 <= status <= 299:  # noqa: PLR2004 (a range of RFC 9110)
        return DELIVERED
    try:
        answer = f"The receiver answered {status} {http.HTTPStatus(status).phrase}"
    except ValueError:
        answer = f"The receiver answered {status}"
    seconds = _seconds(retry_after)
    if status == http.HTTPStatus.TOO_MANY_REQUESTS:
        return untried(f"{answer}.", retry_after=seconds)
    if 300 <= status <= 399:  # noqa: PLR2004 (a range of RFC 9110)
        return failed(f"{answer}; redirects are not followed.")
    if 400 <= status <= 499 and status not in _LATER:  # noqa: PLR2004 (a range of RFC 9110)
        return refused(f"{answer}.")
    return failed(f"{answer}.", retry_after=seconds)


def _seconds(retry_after: str | None) -> float | None:
    text = (retry_after or "").strip()
    if not (text.isascii() and text.isdecimal()):
        return None
    return min(float(text[:9]), _RETRY_AFTER_MOST)


def _cause(error: Exception) -> str:
    """Say why there is no connection, in words of ours or of the system's, without addresses."""
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, ssl.SSLCertVerificationError):
            return f"the certificate is not valid ({cause.verify_message})"
        if isinstance(cause, ssl.SSLError):
            return f"TLS failed ({cause.reason or 'no reason given'})"
        if isinstance(cause, TimeoutError):
            return "time-out"
        if isinstance(cause, OSError) and cause.errno and cause.errno in errno.errorcode:
            return os.strerror(cause.errno)  # asyncio's own words name the address
        cause = cause.__cause__ or cause.__context__
    return "time-out" if isinstance(error, httpx.ConnectTimeout) else "refused or not reachable"
