"""What a password must not be, beside what Django checks."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.contrib.auth.models import User
from django.core.exceptions import ValidationError

from config import asking, sessions
from config.models import AccountSession
from config.notices import tell


class MaximumLength:
    """Refuses what no person types: comparing it takes time that somebody else pays for."""

    def __init__(self, most: int = 128) -> None:
        self.most = most

    def validate(self, password: str, user: Any = None) -> None:
        """Raise ``ValidationError`` for a password that is too long."""
        del user
        if len(password) > self.most:
            raise ValidationError(self.get_help_text(), code="password_too_long")

    def get_help_text(self) -> str:
        """Say so."""
        return f"Your password may have {self.most} characters at most."


class AfterAChange:
    """Refuses nothing. Django lets validators know when a new password was stored."""

    def validate(self, password: str, user: Any = None) -> None:
        """Take any."""

    def get_help_text(self) -> str:
        """Say what follows, which is no rule."""
        told = ", and its owner is told by e-mail" if settings.EMAIL_URL else ""
        return f"A new password ends all other sessions of the account{told}."

    def password_changed(self, password: str, user: User) -> None:
        """End the account's sessions, but for the one that asks; let the owner be told."""
        del password
        request = asking.current()
        here = request.session.session_key if request and hasattr(request, "session") else None
        others = AccountSession.objects.filter(user=user).exclude(session_id=here)
        sessions.end(others, by=asking.who())
        tell(user, "password_changed")
