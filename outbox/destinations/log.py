"""The ``log`` destination: a JSON line on standard output for each message."""

from __future__ import annotations

import json
import sys
import threading
from collections.abc import Sequence
from typing import Final

from outbox.destinations.base import DELIVERED, Destination, Message, Outcome, Unavailable

# Lanes share the output: the lines of one batch stay whole and together.
_output: Final = threading.Lock()


class LogDestination(Destination):
    """Writes messages to standard output, where a log shipper or a person reads them."""

    name = "log"

    def deliver(self, messages: Sequence[Message]) -> Sequence[Outcome]:
        """Write and flush all lines.

        Raises:
            Unavailable: the output is closed or full.
        """
        # ASCII escapes: the line is the same JSON whatever encoding the output has.
        lines = [json.dumps(message.parsed(), separators=(",", ":")) for message in messages]
        try:
            with _output:
                sys.stdout.write("\n".join(lines) + "\n")
                sys.stdout.flush()
        except (OSError, ValueError) as error:
            message = f"standard output: {error}"
            raise Unavailable(message) from error
        return [DELIVERED] * len(messages)
