"""State in one signed note what the whole trail is, or prove that one case is in such a note."""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Iterable
from pathlib import Path
from typing import Any, Final

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import OperationalError
from rich.console import Console
from rich.progress import Progress

from audit.anchors.making import BrokenPast, covered_heads, make_anchor
from audit.anchors.proofs import AnchorBroken, NotCovered, inclusion_proof
from audit.models import AuditAnchor
from audit.signed_note import NoteError, SigningKey

_TRY_AGAIN: Final = 75


class Command(BaseCommand):
    """Make an anchor, give an earlier one out again, or prove that it covers a case."""

    help = (
        "Sign the heads of all chains with AUDIT_ANCHOR_KEY: a small note to be kept where nobody "
        "of this service can change it. It is stored, written to --output, and announced to the "
        "outbox's destinations. Exit 0: done, 1: the trail has lost what the last anchor covers, "
        "2: usage, 75: the database is away."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        """Declare the options."""
        what = parser.add_mutually_exclusive_group()
        what.add_argument(
            "--generate-key", metavar="NAME", help="Print a new pair of keys of this name, and end."
        )
        what.add_argument(
            "--public-key", action="store_true", help="Print the public key of AUDIT_ANCHOR_KEY."
        )
        what.add_argument("--prove", metavar="CASE", help="Write a proof that a case is covered.")
        what.add_argument(
            "--heads", action="store_true", help="Write the heads that an anchor covers."
        )
        what.add_argument("--show", action="store_true", help="Write an earlier anchor again.")
        parser.add_argument(
            "--number",
            type=int,
            metavar="N",
            help="Which anchor --prove, --heads and --show are about (the last one).",
        )
        parser.add_argument(
            "--output", type=Path, metavar="FILE", help="Where to write (standard output)."
        )
        parser.add_argument("--json", action="store_true", help="Write the outcome as JSON.")

    def handle(self, *args: Any, **options: Any) -> None:
        """Do what was asked."""
        del args
        try:
            if options["generate_key"] is not None:
                self._generate(options["generate_key"])
            elif options["public_key"]:
                self.stdout.write(str(_key().public))
            elif options["prove"] or options["heads"] or options["show"]:
                self._give_out(options)
            else:
                self._make(options)
        except OperationalError as error:
            message = f"The database cannot be read: {str(error).strip()}"
            raise CommandError(message, returncode=_TRY_AGAIN) from error

    def _generate(self, name: str) -> None:
        try:
            key = SigningKey.generate(name)
        except NoteError as error:
            raise CommandError(str(error), returncode=2) from None
        self.stdout.write(f"AUDIT_ANCHOR_KEY={key.text}")
        self.stdout.write(f"{key.public}")
        self.stderr.write(
            "The first line is secret and belongs into the environment of this command alone; the "
            "second is public and belongs to whoever is to verify."
        )

    def _make(self, options: dict[str, Any]) -> None:
        key = _key()
        console = Console(stderr=True)
        with Progress(console=console, disable=not console.is_terminal) as bar:
            task = bar.add_task("Hashing heads", total=None)
            try:
                anchor = make_anchor(
                    key,
                    progress=lambda done, total: bar.update(task, completed=done, total=total),
                )
            except BrokenPast as error:
                raise CommandError(str(error), returncode=1) from None
        if options["output"] is not None:
            self._write(options["output"], [anchor.note])
        if options["json"]:
            self.stdout.write(
                json.dumps(
                    {
                        "number": anchor.number,
                        "chains": anchor.chains,
                        "events": anchor.events,
                        "root": anchor.root.hex(),
                        "note": anchor.note,
                    }
                )
            )
        elif options["output"] is None:
            self.stdout.write(anchor.note, ending="")
        self.stderr.write(
            f"Anchor {anchor.number} covers {anchor.chains:,} cases with {anchor.events:,} events."
        )

    def _give_out(self, options: dict[str, Any]) -> None:
        anchors = AuditAnchor.objects.order_by("number")
        if options["number"] is not None:
            anchors = anchors.filter(number=options["number"])
        anchor = anchors.last()
        if anchor is None:
            message = "There is no such anchor." if options["number"] else "There is no anchor yet."
            raise CommandError(message, returncode=2)
        lines: Iterable[str] = [anchor.note]
        if options["prove"]:
            try:
                lines = [inclusion_proof(options["prove"], anchor)]
            except NotCovered as error:
                raise CommandError(str(error), returncode=2) from None
            except AnchorBroken as error:
                raise CommandError(str(error), returncode=1) from None
        elif options["heads"]:
            lines = (
                f"{head.case_id} {head.sequence} {head.hash.hex()}\n"
                for head in covered_heads(anchor.number)
            )
        if options["output"] is None:
            for line in lines:
                self.stdout.write(line, ending="")
        else:
            self._write(options["output"], lines)

    def _write(self, path: Path, lines: Iterable[str]) -> None:
        """Write a file whole or not at all."""
        try:
            with tempfile.NamedTemporaryFile(
                "w", encoding="utf-8", dir=path.parent, prefix=f".{path.name}.", delete=False
            ) as file:
                file.writelines(lines)
                file.flush()
                os.fsync(file.fileno())
            Path(file.name).chmod(0o644)
            Path(file.name).replace(path)
        except OSError as error:
            message = f"{path} cannot be written: {error.strerror}. --show writes an anchor again."
            raise CommandError(message, returncode=2) from error


def _key() -> SigningKey:
    if not settings.AUDIT_ANCHOR_KEY:
        message = "AUDIT_ANCHOR_KEY is not set: anchor_audit --generate-key NAME makes one."
        raise CommandError(message, returncode=2)
    try:
        return SigningKey.parse(settings.AUDIT_ANCHOR_KEY)
    except NoteError as error:
        message = f"AUDIT_ANCHOR_KEY cannot be read: {error}"
        raise CommandError(message, returncode=2) from None
