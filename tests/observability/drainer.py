"""A drainer as a process of its own, which sends to a receiver of webhooks."""

from __future__ import annotations

import base64
import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.request import urlopen

from tests.api.server import PATIENCE, free_port
from tests.integration.receiver import Receiver
from tests.leaks import look
from tests.observability.figures import Figures
from tests.starts import Ended, in_test, run, start

SECRET = "whsec_" + base64.b64encode(b"0123456789abcdef0123456789abcdef").decode()


def to(there: Receiver) -> dict[str, str]:
    """Return the settings of a service that tells this receiver."""
    return {
        "OUTBOX_DESTINATIONS": "webhook",
        "OUTBOX_WEBHOOK_URL": f"http://127.0.0.1:{there.port}/hooks",
        "OUTBOX_WEBHOOK_SECRET": SECRET,
        "OUTBOX_WEBHOOK_ALLOW_PRIVATE": "on",
    }


def _settings(database: str, environment: dict[str, str]) -> dict[str, str]:
    return in_test(database, **({"LOG_FORMAT": "json"} | environment))


def drain(database: str, **environment: str) -> Ended:
    """Deliver what is due, and end."""
    done = run("manage.py", "drain_outbox", environment=_settings(database, environment))
    look(done.stderr)
    return done


@contextmanager
def following(database: str, **environment: str) -> Iterator[Callable[[], Figures]]:
    """Let a drainer follow until the end of the block; returns what scrapes it."""
    port = free_port()
    command = ["manage.py", "drain_outbox", "--follow", "--metrics-port", str(port)]
    with Path(os.devnull).open("w") as nowhere:
        settings = _settings(database, environment)
        process = start(*command, environment=settings, out=nowhere.fileno())

    def scrape() -> Figures:
        end = time.monotonic() + PATIENCE
        while True:
            try:
                with urlopen(f"http://127.0.0.1:{port}/metrics", timeout=PATIENCE) as answer:
                    return Figures(answer.read().decode())
            except OSError:
                assert process.poll() is None
                assert time.monotonic() < end
                time.sleep(0.1)

    try:
        yield scrape
    finally:
        process.terminate()
        assert process.wait(PATIENCE) == 0
