"""Django's command, which asks before it takes a weak password, but not where nobody can answer."""

from __future__ import annotations

import os
from typing import Any, Final

from django.contrib.auth.management.commands import createsuperuser
from django.contrib.auth.models import User
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.core.management.base import CommandError

_GIVEN: Final = "DJANGO_SUPERUSER_{}"


class Command(createsuperuser.Command):
    """Make an account that may do everything."""

    def handle(self, *args: Any, **options: Any) -> str | None:
        """Hold a password from the environment against the rules, then make the account.

        Raises:
            CommandError: it breaks one; no account was made.
        """
        password = os.environ.get(_GIVEN.format("PASSWORD"))
        if not options["interactive"] and password is not None:
            told = {
                name: options[name] or os.environ.get(_GIVEN.format(name.upper()), "")
                for name in ("username", "email")
            }
            try:
                validate_password(password, User(**told))
            except ValidationError as error:
                message = f"{_GIVEN.format('PASSWORD')}: {' '.join(error.messages)}"
                raise CommandError(message) from None
        return super().handle(*args, **options)
