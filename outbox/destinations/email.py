"""The ``email`` destination: tells people of what waits for them, through Django's mail backend."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from datetime import datetime
from email.utils import parseaddr
from typing import ClassVar, Final
from urllib.parse import urlsplit

from django.conf import settings
from django.core.checks import CheckMessage, Error
from django.core.exceptions import ValidationError
from django.core.validators import validate_email

from cases.events import CaseEvent, ServiceEvent
from outbox.destinations.base import Destination, Message, Outcome
from outbox.destinations.letters import Round
from outbox.destinations.notices import Letter, is_told, letter

_BEGIN_SECONDS: Final = 15.0  # after that a batch begins no further letter
_WAIT_SECONDS: Final = 28.0  # after that a mail server that drips is left alone


class EmailDestination(Destination):
    """Sends a letter to each person concerned, over one connection for a batch."""

    name = "email"
    time_limit: ClassVar[float] = 30.0
    passes_on: ClassVar[bool] = False  # letters tell less of any case

    def __init__(self) -> None:
        # Who has got a letter that others have not: its next attempt is for the others alone.
        self._told: set[tuple[str, str]] = set()

    @classmethod
    def wants(cls, event: CaseEvent | ServiceEvent) -> bool:
        """Tell whether somebody else is to hear of the event."""
        return isinstance(event, CaseEvent) and is_told(event)

    @classmethod
    def check(cls) -> list[CheckMessage]:
        """Return what is wrong with the mail server, the sender and the links."""
        return check_settings()

    def deliver(self, messages: Sequence[Message]) -> Sequence[Outcome]:
        """Send all letters, one after another."""
        letters = [(message, _letter_of(message)) for message in messages]
        work = Round(letters, self._told, seconds=_BEGIN_SECONDS)
        # In a thread of its own: a server that answers a byte at a time never runs into a time-out.
        thread = threading.Thread(target=work.run, name="email", daemon=True)
        thread.start()
        thread.join(_WAIT_SECONDS)
        return work.outcomes()


def _letter_of(message: Message) -> Letter:
    values = message.parsed()
    return letter(message.type, values["data"], datetime.fromisoformat(values["time"]))


def check_settings() -> list[CheckMessage]:
    """Return what is wrong with the mail server, the sender and the links, whoever sends."""
    found: list[CheckMessage] = []
    how = "Set it to smtp+tls://user:password@host:587 (STARTTLS) or smtp+ssl://…:465 (TLS)."
    if not settings.EMAIL_URL:
        found.append(Error("EMAIL_URL is not set.", hint=how, id="outbox.E030"))
    elif not settings.EMAIL_URL_READ:
        # Never shown: it holds a password.
        found.append(Error("EMAIL_URL is no mail server's address.", hint=how, id="outbox.E031"))
    try:
        validate_email(parseaddr(settings.DEFAULT_FROM_EMAIL)[1])
    except ValidationError:
        found.append(
            Error(
                f"DEFAULT_FROM_EMAIL is {settings.DEFAULT_FROM_EMAIL!r}, which is no sender.",
                hint='Set it to an address, like "Cases <cases@example.org>".',
                id="outbox.E032",
            )
        )
    url = urlsplit(settings.PUBLIC_URL)
    if settings.PUBLIC_URL and (url.scheme not in ("http", "https") or not url.netloc):
        found.append(
            Error(
                f"PUBLIC_URL is {settings.PUBLIC_URL!r}, which is no address of a web page.",
                hint="Set it to where people reach the service, like https://cases.example.org; "
                "unset it to send no links.",
                id="outbox.E033",
            )
        )
    return found
