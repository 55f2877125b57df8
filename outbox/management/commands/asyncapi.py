"""Write the AsyncAPI document from the code."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from outbox.asyncapi import document, written


class Command(BaseCommand):
    """Tell consumers what messages look like, and by which ways they come."""

    help = "Write the AsyncAPI document of the messages that destinations are told."
    requires_system_checks = []

    def add_arguments(self, parser: CommandParser) -> None:
        """Declare the options."""
        parser.add_argument("--file", type=Path, help="File to write; without it, standard output.")

    def handle(self, *args: Any, **options: Any) -> None:
        """Write it."""
        del args
        text = written(document(settings.OUTBOX_BROKER_EXCHANGE))
        if options["file"] is None:
            self.stdout.write(text, ending="")
            return
        try:
            options["file"].write_text(text, encoding="utf-8")
        except OSError as error:
            message = f"{options['file']} cannot be written: {error.strerror}."
            raise CommandError(message, returncode=2) from error
