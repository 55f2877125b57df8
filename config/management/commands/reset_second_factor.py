"""Take a second factor away, from the machine: for the day on which no superuser has theirs."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.models import User
from django.core.management.base import BaseCommand, CommandError, CommandParser

from config.second_factor import state


class Command(BaseCommand):
    """Take the second factor of an account away, recovery codes included."""

    help = (
        "Take the second factor of an account away, recovery codes included. Its next log-in sets "
        "up another. Exit 0: taken away, 1: it had none, 2: there is no such account."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        """Declare the options."""
        parser.add_argument("user", help="The account's name.")

    def handle(self, *args: Any, **options: Any) -> None:
        """Take it away and say so."""
        del args
        user = User.objects.filter(username=options["user"]).first()
        if user is None:
            message = f"There is no account {options['user']!r}."
            raise CommandError(message, returncode=2)
        if not state.reset(user, by="reset_second_factor"):
            message = f"{user.username} has no second factor."
            raise CommandError(message, returncode=1)
        self.stderr.write(f"{user.username} sets up another at the next log-in.")
