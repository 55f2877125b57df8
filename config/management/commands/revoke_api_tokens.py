"""End API tokens."""

from __future__ import annotations

import json
import sys
from typing import Any

from django.contrib.auth.models import User
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db.models import QuerySet

from config.models import ApiToken
from config.tokens import FORM, find, revoke_tokens


class Command(BaseCommand):
    """End API tokens now: all of an account, those of one name, or one that has leaked."""

    help = (
        "End API tokens now: all of an account, those of one name with --name, or with --leaked "
        "those that stand on standard input, one a line, so that they stay out of the shell's "
        "history. Exit 0: revoked, 1: nothing to revoke was found, 2: usage."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        """Declare the options."""
        parser.add_argument("user", nargs="?", help="The account's name.")
        parser.add_argument("--name", help="Only the tokens of this name.")
        parser.add_argument(
            "--leaked", action="store_true", help="Read the tokens themselves from standard input."
        )
        parser.add_argument("--json", action="store_true", help="Write the outcome as JSON.")

    def handle(self, *args: Any, **options: Any) -> None:
        """Revoke what was named and say how many there were."""
        del args
        if options["leaked"] == bool(options["user"]) or (options["leaked"] and options["name"]):
            message = "Name an account, or give tokens on standard input with --leaked."
            raise CommandError(message, returncode=2)
        chosen = self._leaked() if options["leaked"] else self._owned(options)
        rows = revoke_tokens(chosen, by="revoke_api_tokens")
        found = [{"id": str(r.id), "user": r.user.username, "name": r.name} for r in rows]
        if options["json"]:
            self.stdout.write(json.dumps({"revoked": found}))
        else:
            for row in rows:
                self.stderr.write(f"Revoked: {row.name} of {row.user.username}.")
        if not rows:
            message = "There was no active token to revoke."
            raise CommandError(message, returncode=1)

    def _owned(self, options: dict[str, Any]) -> QuerySet[ApiToken]:
        if not User.objects.filter(username=options["user"]).exists():
            message = f"There is no account {options['user']!r}."
            raise CommandError(message, returncode=2)
        tokens = ApiToken.objects.filter(user__username=options["user"]).select_related("user")
        return tokens.filter(name=options["name"]) if options["name"] else tokens

    def _leaked(self) -> QuerySet[ApiToken]:
        """Return the tokens that stand in the input, wherever in a line: a log line will do."""
        given = FORM.findall(sys.stdin.read())
        ids = [row.pk for token in set(given) for row in find(token)]
        return ApiToken.objects.filter(pk__in=ids).select_related("user")
