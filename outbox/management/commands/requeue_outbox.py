"""Decide about events that were given up: send them again, or discard them."""

from __future__ import annotations

import json
from typing import Any, Final
from uuid import UUID

from django.core.management.base import BaseCommand, CommandError, CommandParser

from outbox.services import (
    UNDECIDED,
    Choice,
    Decision,
    DecisionRefused,
    State,
    discard,
    requeue,
)

_LISTED: Final = 20


class Command(BaseCommand):
    """Send dead outbox events again, or discard them."""

    help = (
        "Send events again that were given up, or discard them with --discard and a --reason, so "
        "that what follows in their cases may go. Without --state only dead ones are meant. "
        "Exit 0: done, 1: some are in a drainer's hands just now and were left alone, 2: usage."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        """Declare the options."""
        parser.add_argument("--destination", help="Those for this destination.")
        parser.add_argument("--event", type=UUID, help="The one with this event id.")
        parser.add_argument("--case", help="Those of this case.")
        parser.add_argument("--all", action="store_true", help="Those of every destination.")
        parser.add_argument(
            "--state",
            action="append",
            choices=[state.value for state in UNDECIDED],
            help="Those that are dead (default), waiting for their next attempt, or, to discard "
            "them, pending; may be repeated.",
        )
        parser.add_argument("--discard", action="store_true", help="Never deliver them.")
        parser.add_argument("--reason", help="Why they are discarded; stored and logged.")
        parser.add_argument("--dry-run", action="store_true", help="Only list and count them.")
        parser.add_argument("--json", action="store_true", help="Write the outcome as JSON.")
        parser.add_argument(
            "--actor", default="requeue_outbox", help="Who decides, for row and log (%(default)s)."
        )

    def handle(self, *args: Any, **options: Any) -> None:
        """Decide, and say about how many."""
        del args
        choice = self._choice(options)
        verb = "discarded" if options["discard"] else "requeued"
        if options["dry_run"]:
            self._list(choice, as_json=options["json"])
            outcome = Decision(changed=choice.events().count(), held=0)
            verb = f"would be {verb}"
        else:
            outcome = self._decide(choice, options)
        if options["json"]:
            facts = {verb.replace(" ", "_"): outcome.changed, "held": outcome.held}
            self.stdout.write(json.dumps(facts))
        else:
            self.stderr.write(f"{outcome.changed} events {verb}.")
        if outcome.held:
            message = f"{outcome.held} are in a drainer's hands just now: try again."
            raise CommandError(message, returncode=1)

    def _list(self, choice: Choice, *, as_json: bool) -> None:
        """Say of the first ones which they are and what was wrong, never what they hold."""
        for event in () if as_json else choice.events().defer("payload")[:_LISTED]:
            self.stdout.write(
                f"{event.event_id} {event} after {event.attempts} attempts: {event.last_error}"
            )

    def _choice(self, options: dict[str, Any]) -> Choice:
        chosen = [options["destination"], options["event"], options["case"]]
        message = ""
        if not any(chosen) and not options["all"]:
            message = "Say which: --destination, --event, --case, or --all."
        elif options["reason"] is not None and not options["discard"]:
            message = "--reason belongs to --discard."
        elif options["discard"] and not (options["reason"] or "").strip():
            message = "--discard needs a --reason."
        elif "pending" in (options["state"] or ()) and not options["discard"]:
            message = "--state pending belongs to --discard: they need no second try."
        if message:
            raise CommandError(message, returncode=2)
        return Choice(
            states=tuple(State(name) for name in options["state"] or ("dead",)),
            destination=options["destination"],
            event_id=options["event"],
            case_id=options["case"],
        )

    def _decide(self, choice: Choice, options: dict[str, Any]) -> Decision:
        try:
            if options["discard"]:
                return discard(choice=choice, reason=options["reason"], actor=options["actor"])
            return requeue(choice=choice, actor=options["actor"])
        except DecisionRefused as refusal:
            raise CommandError(str(refusal), returncode=2) from None
