"""What people are told by e-mail about changes to their own account (ASVS 2.2.3).

A notice is a row, written in the transaction of the change, so it tells of nothing that did not
happen; ``send_notices`` sends it later. Whatever the mail server does, the change itself neither
fails nor waits.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from email.utils import parseaddr
from types import MappingProxyType
from typing import Final, NamedTuple

import structlog
from django.conf import settings
from django.contrib.auth.models import User
from django.core.mail import EmailMessage
from django.utils.timezone import now

from config import asking
from config.http.addresses import client_address
from config.models import AccountNotice

_log = structlog.get_logger("notices")
_LONGEST: Final = 200  # characters of a text that people chose


class Words(NamedTuple):
    """What a kind of change is told as."""

    subject: str
    """Never holds what somebody chose, so nothing can be smuggled into a header."""
    text: str
    seldom: bool = False
    """Once an hour at most: somebody else decides how often it happens."""


WORDS: Final[Mapping[str, Words]] = MappingProxyType(
    {
        "password_changed": Words(
            "Your password was changed", "A new password was set for your account {account}."
        ),
        "second_factor_set_up": Words(
            "A second factor was set up",
            "A device that makes codes was set up for your account {account}.",
        ),
        "second_factor_replaced": Words(
            "Your second factor was changed",
            "Another device makes the codes of your account {account} from now on.",
        ),
        "second_factor_reset": Words(
            "Your second factor was taken away",
            "The second factor of your account {account} was taken away, with its recovery codes."
            " The next log-in sets up another.",
        ),
        "recovery_codes_made": Words(
            "New recovery codes were made",
            "New recovery codes were made for your account {account}; earlier ones are void.",
        ),
        "recovery_code_used": Words(
            "A recovery code was used",
            "Somebody logged in to your account {account} with one of its recovery codes."
            " Codes that are left: {detail}.",
        ),
        "code_used_twice": Words(
            "A code was used twice",
            "Somebody who knows the password of your account {account} typed a code of your device"
            " that had been used before. It was refused.",
            seldom=True,
        ),
        "login_locked": Words(
            "Your account was locked for a while",
            "Too many wrong passwords were typed for your account {account} from one address."
            " From there nobody can log in to it for {detail} minutes.",
            seldom=True,
        ),
        "api_token_created": Words(
            "An API token was made",
            "An API token that acts as your account {account} was made: {detail}.",
        ),
        "api_token_revoked": Words(
            "An API token was revoked",
            "An API token that acted as your account {account} was revoked: {detail}.",
        ),
        "identity_linked": Words(
            "Your account was linked to a single sign-on",
            "Somebody who logs in by single sign-on gets to your account {account} from now on.",
        ),
        "identity_unlinked": Words(
            "Your account is no longer linked to a single sign-on",
            "Nobody gets to your account {account} by single sign-on any more.",
        ),
        "rights_changed": Words(
            "What your account may was changed", "Your account {account} was changed: {detail}."
        ),
        "email_changed": Words(
            "The e-mail address of your account was changed",
            "Messages about your account {account} go to another address from now on. This one is"
            " sent to the earlier address and to the new one.",
        ),
    }
)


def tell(
    user: User, kind: str, *, detail: str = "", by: str = "", also: tuple[str, ...] = ()
) -> None:
    """Owe an account a message about a change, in the transaction that makes the change.

    Args:
        user: the account; without an address, or where no mail is set up, it is only logged.
        kind: one of ``WORDS``.
        detail: what the words leave open.
        by: who did it; without it who asks in this request, or else who runs the command.
        also: further addresses.
    """
    request = asking.current()
    recipients = dict.fromkeys(filter(None, (user.email, *also))) if settings.EMAIL_URL else {}
    if recipients and WORDS[kind].seldom and _told_lately(user, kind):
        return
    AccountNotice.objects.bulk_create(
        AccountNotice(
            account=user.get_username(),
            recipient=recipient,
            kind=kind,
            detail=_one_line(detail),
            # Of what nobody meant to happen, whose session it was says nothing.
            by=by or ("" if WORDS[kind].seldom else asking.who()),
            address=(client_address(request) if request else None) or "",
        )
        for recipient in recipients
    )
    _log.info("account_notice", actor_id=user.get_username(), kind=kind, letters=len(recipients))


def letter(notice: AccountNotice) -> EmailMessage:
    """Return the message: no secret, no link, and in its headers nothing that somebody chose."""
    words = WORDS[notice.kind]
    told = words.text.format(account=_one_line(notice.account), detail=notice.detail)
    when = f"When: {notice.at:%Y-%m-%d %H:%M} UTC"
    by = f"By: {_one_line(notice.by)}" if notice.by else ""
    address = f"From: {notice.address}" if notice.address else ""
    facts = "\n".join(filter(None, (when, by, address)))
    domain = parseaddr(settings.DEFAULT_FROM_EMAIL)[1].rpartition("@")[2]
    return EmailMessage(
        words.subject,
        f"{told}\n\n{facts}\n\n"
        "If that was neither you nor agreed with you, tell an administrator at once.\n\n"
        "This message was sent by the case register. It never asks for a password or a code.\n",
        to=[notice.recipient],
        # The same at each attempt: many mail systems drop the second one.
        headers={"Message-ID": f"<{notice.id}@{domain}>", "Auto-Submitted": "auto-generated"},
    )


def _told_lately(user: User, kind: str) -> bool:
    lately = AccountNotice.objects.filter(
        account=user.get_username(), kind=kind, at__gt=now() - timedelta(hours=1)
    )
    return lately.exists()


def _one_line(text: str) -> str:
    return " ".join(text.split())[:_LONGEST]
