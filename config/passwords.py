"""What a password must not be, beside what Django checks."""

from __future__ import annotations

from typing import Any

from django.core.exceptions import ValidationError


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
