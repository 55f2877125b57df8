"""List API tokens."""

from __future__ import annotations

import json
from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from config.models import ApiToken


class Command(BaseCommand):
    """List API tokens: whose, what for, until when. The tokens themselves are not known."""

    help = "List API tokens, newest first: owner, name, state, when they were made and end. Exit 0."

    def add_arguments(self, parser: CommandParser) -> None:
        """Declare the options."""
        parser.add_argument("user", nargs="?", help="Only those of this account.")
        parser.add_argument("--json", action="store_true", help="Write a JSON object per line.")

    def handle(self, *args: Any, **options: Any) -> None:
        """Write a line for each token."""
        del args
        tokens = ApiToken.objects.select_related("user").order_by("-created")
        if options["user"]:
            tokens = tokens.filter(user__username=options["user"])
        for row in tokens.iterator():
            facts = {
                "id": str(row.id),
                "user": row.user.username,
                "name": row.name,
                "state": row.state,
                "created": row.created.isoformat(),
                "expires": row.expiry.isoformat(),
                "created_by": row.created_by,
                "revoked_by": row.revoked_by,
            }
            line = (
                json.dumps(facts)
                if options["json"]
                else "{user}  {state}  until {expires}  {name}".format(**facts)
            )
            self.stdout.write(line)
