"""Sessions of the back office: kept in the database, and ended when nobody is there any more.

Django finds ``SessionStore`` here by the name of the module. A session ends some time after its
last request (``SESSION_IDLE_MINUTES``), by the date that stands in its row, and ``SESSION_HOURS``
after its log-in whatever happens.
"""

from __future__ import annotations

import time
from typing import Any, Final

from django.contrib.auth import SESSION_KEY
from django.contrib.sessions.backends import db
from django.contrib.sessions.backends.base import SessionBase

ENDS: Final = "ends_at"
_BEGAN: Final = "logged_in_at"
_SEEN: Final = "seen_at"
# A request moves the end of a session only so often: most of them write nothing.
_COARSE_SECONDS: Final = 60


class SessionStore(db.SessionStore):
    """A row of ``django_session``."""

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


def begin(session: SessionBase, *, hours: float) -> None:
    """Let a session that has just logged in end after so many hours."""
    now = time.time()
    session[_BEGAN], session[ENDS], session[_SEEN] = now, now + hours * 3600, now


def seconds_since_log_in(session: SessionBase) -> float:
    """Return how long ago somebody proved who it is; a very long time, where that is not known."""
    return time.time() - float(session.get(_BEGAN, 0))
