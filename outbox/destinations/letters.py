"""Sends the letters of one batch over one connection, and says what became of each message."""

from __future__ import annotations

import smtplib
import time
from collections.abc import Sequence
from contextlib import suppress
from email.utils import parseaddr
from typing import Any, Final

import structlog
from django.conf import settings
from django.core.mail import EmailMessage, get_connection

from outbox.destinations.base import (
    DELIVERED,
    Message,
    Outcome,
    Result,
    failed,
    refused,
    untried,
)
from outbox.destinations.notices import Letter

_log = structlog.get_logger("outbox")

_PERMANENT: Final = range(500, 600)  # of SMTP's answers (RFC 5321, 4.2.1)
_NO_TIME: Final = "The mail server is too slow."


class Round:
    """The letters of one batch. ``run`` may be left alone in its thread: it begins nothing more."""

    def __init__(
        self,
        letters: Sequence[tuple[Message, Letter]],
        told: set[tuple[str, str]],
        *,
        seconds: float,
    ) -> None:
        """Take the letters.

        Args:
            letters: what to send, the messages of a case in their order.
            told: who has got which message already, of those that others have not got; kept up.
            seconds: after that no further letter is begun.
        """
        self._letters, self._told = letters, told
        self._until = time.monotonic() + seconds
        self._outcomes: dict[int, Outcome] = {}
        self._in_hand = -1
        self._away = untried(_NO_TIME)

    def outcomes(self) -> list[Outcome]:
        """Return what became of each message; no further letter is begun from now on."""
        self._until = 0
        known = dict(self._outcomes)
        known.setdefault(self._in_hand, failed(_NO_TIME))
        return [known.get(place, self._away) for place in range(len(self._letters))]

    def run(self) -> None:
        """Send what can be sent."""
        for place, (message, letter) in enumerate(self._letters):
            if not letter.to:  # nobody to tell: that needs no mail server
                self._outcomes[place] = DELIVERED
                _log.warning("outbox_email_nobody", case_id=message.subject, event_id=message.id)
        if len(self._outcomes) == len(self._letters):
            return
        connection = get_connection()
        try:
            connection.open()
            self._send_all(connection)
        except OSError as error:  # smtplib's errors are
            self._away = untried(f"The mail server cannot be used ({_named(error)}).")
        finally:
            with suppress(OSError):
                connection.close()

    def _send_all(self, connection: Any) -> None:
        ended: set[str] = set()
        for place, (message, letter) in enumerate(self._letters):
            if message.subject in ended or place in self._outcomes:
                continue
            outcome = DELIVERED
            for account, address in letter.to.items():
                if (message.id, account) in self._told:
                    continue
                if time.monotonic() >= self._until:
                    return
                self._in_hand = place
                one = _send(connection, message, letter, account, address)
                if one.result is Result.DELIVERED:
                    self._told.add((message.id, account))
                elif outcome.result is not Result.REFUSED:
                    outcome = one
            self._outcomes[place] = outcome
            if outcome.result is Result.DELIVERED:
                self._told -= {(message.id, account) for account in letter.to}
            else:
                ended.add(message.subject)


def _send(connection: Any, message: Message, letter: Letter, account: str, address: str) -> Outcome:
    """Send a letter to one person.

    Raises:
        OSError: the connection or the server is gone: nothing else can be sent over it.
    """
    domain = parseaddr(settings.DEFAULT_FROM_EMAIL)[1].rpartition("@")[2]
    try:
        mail = EmailMessage(
            letter.subject,
            letter.text,
            to=[address],
            # The same at each attempt: many mail systems drop the second one.
            headers={"Message-ID": f"<{message.id}@{domain}>", "Auto-Submitted": "auto-generated"},
        )
        connection.send_messages([mail])
    except smtplib.SMTPRecipientsRefused as error:
        code = next(iter(error.recipients.values()))[0]
        if code in _PERMANENT:
            _unreachable(message, account, f"The mail server refused the address ({code}).")
            return DELIVERED
        return failed(f"The mail server did not take a letter now ({code}).")
    except smtplib.SMTPSenderRefused as error:
        return failed(f"The mail server refused the sender ({error.smtp_code}).")
    except smtplib.SMTPDataError as error:
        said = f"The mail server refused the letter ({error.smtp_code})."
        return refused(said) if error.smtp_code in _PERMANENT else failed(said)
    except (ValueError, smtplib.SMTPNotSupportedError):
        # A line break, or letters that this server cannot write: nobody has such an address.
        _unreachable(message, account, "The address cannot be written to.")
    return DELIVERED


def _unreachable(message: Message, account: str, why: str) -> None:
    """Log who was not told. That is for a person to repair, and holds nobody else up."""
    _log.warning(
        "outbox_email_unreachable",
        case_id=message.subject,
        event_id=message.id,
        account=account,
        error=why,
    )


def _named(error: OSError) -> str:
    """Say what went wrong, without the server's own words: they may repeat what we sent."""
    if isinstance(error, smtplib.SMTPResponseException):
        return f"{type(error).__name__} {error.smtp_code}"
    return type(error).__name__
