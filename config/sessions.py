"""Sessions of the back office: kept in the database, and ended when nobody is there any more.

Django finds ``SessionStore`` here by the name of the module. A session ends some time after its
last request (``SESSION_IDLE_MINUTES``), by the date that stands in its row, and ``SESSION_HOURS``
after its log-in whatever happens. Beside it stands whose it is, for who wants to end it earlier.
"""

from __future__ import annotations

import time
from datetime import UTC, datetime
from typing import Any, Final

import structlog
from django.contrib.auth import SESSION_KEY
from django.contrib.sessions.backends import db
from django.contrib.sessions.models import Session
from django.db import transaction
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.timezone import now

from config.http.addresses import client_address
from config.http.agents import described
from config.models import AccountSession

ENDS: Final = "ends_at"
BEGAN: Final = "began_at"
PROVEN: Final = "proven_at"
_SEEN: Final = "seen_at"
_ADDRESS: Final = "address"
_BROWSER: Final = "browser"
# A request moves the end of a session only so often: most of them write nothing.
_COARSE_SECONDS: Final = 60
_log = structlog.get_logger("logins")


class SessionStore(db.SessionStore):
    """A row of ``django_session``, and of ``account_sessions`` once somebody has logged in."""

    def load(self) -> dict[str, Any]:
        """Return what the session holds; nothing, if its time is over."""
        data: dict[str, Any] = super().load()
        if SESSION_KEY not in data:
            return data
        now = time.time()
        if data.get(ENDS, 0) <= now:
            self.delete()
            self._session_key = None
            return {}
        if data.get(_SEEN, 0) <= now - _COARSE_SECONDS:
            data[_SEEN] = now
            self.modified = True
        return data

    def save(self, must_create: bool = False) -> None:  # noqa: FBT001, FBT002 (Django's signature)
        """Keep the session, and who can see that it is there."""
        with transaction.atomic():
            super().save(must_create)
            if ENDS in self and SESSION_KEY in self:
                _keep(self)


def _keep(session: SessionStore) -> None:
    seen = session[_SEEN]
    AccountSession.objects.bulk_create(
        [
            AccountSession(
                session_id=str(session.session_key),
                user_id=int(session[SESSION_KEY]),
                began_at=datetime.fromtimestamp(session.get(BEGAN, seen), UTC),
                seen_at=datetime.fromtimestamp(seen, UTC),
                address=session.get(_ADDRESS) or "",
                browser=session.get(_BROWSER) or "",
            )
        ],
        update_conflicts=True,
        unique_fields=["session"],
        update_fields=["user", "seen_at"],
    )


def begin(request: HttpRequest, *, hours: float, proven: float | None = None) -> None:
    """Let the session of a request that has just logged in end after so many hours.

    Args:
        request: it.
        hours: so many.
        proven: when the person proved who it is, in seconds since 1970; None: by this request.
    """
    session, began = request.session, time.time()
    session[ENDS] = began + hours * 3600
    session[BEGAN] = session[_SEEN] = began
    session[PROVEN] = began if proven is None else proven
    session[_ADDRESS] = client_address(request)
    session[_BROWSER] = described(request.headers.get("User-Agent", ""))


def of(user_id: int) -> QuerySet[AccountSession]:
    """Return the sessions of an account that are not over, the latest first."""
    found = AccountSession.objects.filter(user_id=user_id, session__expire_date__gt=now())
    return found.order_by("-seen_at", "-id")


def end(which: QuerySet[AccountSession], *, by: str) -> int:
    """End sessions now: whoever has their cookies is asked to log in. Return how many there were.

    Args:
        which: they.
        by: who ends them.
    """
    with transaction.atomic():
        rows = list(which.select_related("user"))
        Session.objects.filter(pk__in=[row.session_id for row in rows]).delete()
        for row in rows:
            name = row.user.get_username()
            transaction.on_commit(
                lambda name=name: _log.info("session_ended", actor_id=name, by=by)  # type: ignore[misc] # its default has the type
            )
    return len(rows)
