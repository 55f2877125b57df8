"""Send what people are to be told of changes to their accounts."""

from __future__ import annotations

import smtplib
from collections import Counter
from contextlib import suppress
from datetime import timedelta
from typing import Any, Final
from uuid import UUID

import structlog
from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.mail import get_connection
from django.core.mail.backends.base import BaseEmailBackend
from django.core.management.base import BaseCommand, CommandError
from django.core.validators import validate_email
from django.db import transaction
from django.db.models import QuerySet
from django.utils.timezone import now

from config.models import AccountNotice
from config.notices import letter

State = AccountNotice.State

_log = structlog.get_logger("notices")
_PERMANENT: Final = range(500, 600)  # of SMTP's answers (RFC 5321, 4.2.1)
_NEWS_FOR: Final = timedelta(days=3)
_KEPT_FOR: Final = timedelta(days=30)


class Command(BaseCommand):
    """Send notices that wait, oldest first, over one connection."""

    help = (
        "Send people the e-mails about changes to their accounts that wait. For a timer, every "
        "minute; any number may run side by side. What could not be sent for 3 days is given up, "
        "and rows are deleted after 30. Exit 0: done, 1: some wait for a later run, since the mail "
        "server is away or did not take them now."
    )

    def handle(self, *args: Any, **options: Any) -> None:
        """Send, and say how many."""
        del args, options
        if not settings.EMAIL_URL:
            self.stderr.write("EMAIL_URL is not set: nobody is told of anything.")
            return
        began = now()
        AccountNotice.objects.filter(at__lt=began - _KEPT_FOR).delete()
        waiting = AccountNotice.objects.filter(state=State.WAITING)
        if expired := waiting.filter(at__lt=began - _NEWS_FOR).update(state=State.EXPIRED):
            _log.error("account_notices_expired", letters=expired)
        if waiting.exists():
            self._send_all(waiting.filter(at__lte=began))

    def _send_all(self, waiting: QuerySet[AccountNotice]) -> None:
        tally, later = Counter[State](), set[UUID]()
        connection = get_connection()
        try:
            connection.open()
            while (notice := _send_one(connection, waiting.exclude(pk__in=later))) is not None:
                tally[State(notice.state)] += 1
                if notice.state == State.WAITING:
                    later.add(notice.pk)
        except OSError as error:  # smtplib's errors are
            # Its own words are not repeated: they may hold what we sent.
            message = f"The mail server cannot be used ({type(error).__name__})."
            raise CommandError(message, returncode=1) from error
        finally:
            with suppress(OSError):
                connection.close()
        self.stderr.write(f"{tally[State.SENT]} sent, {tally[State.REFUSED]} refused.")
        if later:
            message = f"{len(later)} were not taken now, and are sent later."
            raise CommandError(message, returncode=1)


def _send_one(
    connection: BaseEmailBackend, waiting: QuerySet[AccountNotice]
) -> AccountNotice | None:
    """Send the oldest that nobody else sends now; return what became of it, or None.

    Raises:
        OSError: the server is gone, or takes nothing of ours; the notice goes on waiting.
    """
    with transaction.atomic(durable=True):
        notice = waiting.order_by("at").select_for_update(skip_locked=True).first()
        if notice is not None:
            notice.state = _hand_over(connection, notice)
            notice.save(update_fields=["state"])
    if notice is not None and notice.state == State.REFUSED:
        _log.warning("account_notice_refused", actor_id=notice.account, kind=notice.kind)
    return notice


def _hand_over(connection: BaseEmailBackend, notice: AccountNotice) -> State:
    try:
        validate_email(notice.recipient)
        connection.send_messages([letter(notice)])
    except smtplib.SMTPRecipientsRefused as error:
        code = next(iter(error.recipients.values()))[0]
        return State.REFUSED if code in _PERMANENT else State.WAITING
    except smtplib.SMTPDataError as error:
        return State.REFUSED if error.smtp_code in _PERMANENT else State.WAITING
    except (ValidationError, ValueError, smtplib.SMTPNotSupportedError):
        return State.REFUSED  # no address, or letters that this server cannot write
    return State.SENT
