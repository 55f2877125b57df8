"""Make an API token."""

from __future__ import annotations

import json
from typing import Any

from django.conf import settings
from django.contrib.auth.models import User
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import transaction

from config.tokens import TokenRefused, create_token


class Command(BaseCommand):
    """Make an API token that acts as an account, and write it to standard output, this once."""

    help = (
        "Make an API token that acts as an account. The token alone goes to standard output and "
        "is never shown again; words go to standard error. Exit 0: made, 1: refused, such as for "
        "an account that is switched off, 2: usage, such as an account that does not exist."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        """Declare the options."""
        parser.add_argument("user", help="The account's name.")
        parser.add_argument("--name", required=True, help="What the token is for.")
        parser.add_argument(
            "--days",
            type=int,
            default=settings.API_TOKEN_TTL_DAYS,
            help="For how many days it holds, at most and by default %(default)s.",
        )
        parser.add_argument("--json", action="store_true", help="Write token and facts as JSON.")

    def handle(self, *args: Any, **options: Any) -> None:
        """Make the token and say when it ends."""
        del args
        user = User.objects.filter(username=options["user"]).first()
        if user is None:
            message = f"There is no account {options['user']!r}."
            raise CommandError(message, returncode=2)
        try:
            with transaction.atomic():
                row, token = create_token(
                    user=user,
                    name=options["name"],
                    days=options["days"],
                    by="create_api_token",
                )
        except TokenRefused as refused:
            raise CommandError(str(refused), returncode=1 if not user.is_active else 2) from None
        expires = row.expiry.isoformat()
        if options["json"]:
            facts = {"id": str(row.id), "user": user.username, "name": row.name}
            self.stdout.write(json.dumps({"token": token, "expires": expires, **facts}))
        else:
            self.stdout.write(token)
            self.stderr.write(f"It acts as {user.username} until {expires}. Keep it secret.")
