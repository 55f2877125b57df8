"""The ``log`` destination: a JSON line on standard output for each message."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence

from outbox.destinations.base import Destination, Message


class LogDestination(Destination):
    """Writes messages to standard output, where a log shipper or a person reads them."""

    name = "log"

    def deliver(self, messages: Sequence[Message]) -> Sequence[str | None]:
        """Write and flush all lines; a closed or full output fails the whole batch (OSError)."""
        for message in messages:
            # ASCII escapes: the line is the same JSON whatever encoding the output has.
            sys.stdout.write(json.dumps(message, separators=(",", ":")) + "\n")
        sys.stdout.flush()
        return [None] * len(messages)
