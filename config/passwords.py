"""What a password must not be, beside what Django checks."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.contrib.auth.models import User
from django.core.exceptions import ValidationError

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


class OwnerIsTold:
    """Refuses nothing. Django lets validators know when a new password was stored."""

    def validate(self, password: str, user: Any = None) -> None:
        """Take any."""

    def get_help_text(self) -> str:
        """Say what follows, which is no rule."""
        return (
            "A change is told to your e-mail address."
            if settings.EMAIL_URL
            else "A change is logged."
        )

    def password_changed(self, password: str, user: User) -> None:
        """Let the owner of the account be told."""
        del password
        tell(user, "password_changed")
