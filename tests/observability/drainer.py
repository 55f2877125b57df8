"""A drainer as a process of its own, which sends to a receiver of webhooks."""

from __future__ import annotations

import base64
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from urllib.request import urlopen

from tests.api.server import PATIENCE, PROJECT, free_port
from tests.integration.receiver import Receiver
from tests.leaks import look
from tests.observability.figures import Figures

SECRET = "whsec_" + base64.b64encode(b"0123456789abcdef0123456789abcdef").decode()


def to(there: Receiver) -> dict[str, str]:
    """Return the settings of a service that tells this receiver."""
    return {
        "OUTBOX_DESTINATIONS": "webhook",
        "OUTBOX_WEBHOOK_URL": f"http://127.0.0.1:{there.port}/hooks",
        "OUTBOX_WEBHOOK_SECRET": SECRET,
        "OUTBOX_WEBHOOK_ALLOW_PRIVATE": "on",
    }


_COMMAND = [sys.executable, "manage.py", "drain_outbox"]


def _settings(database: str, environment: dict[str, str]) -> dict[str, str]:
    inherited = {k: v for k, v in os.environ.items() if k != "DJANGO_SETTINGS_MODULE"}
    settings = {"APP_ENV": "test", "LOG_FORMAT": "json", "DATABASE_URL": database}
    return inherited | settings | environment


def drain(database: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Deliver what is due, and end."""
    done = subprocess.run(
        _COMMAND,
        cwd=PROJECT,
        env=_settings(database, environment),
        capture_output=True,
        text=True,
        check=False,
    )
    look(done.stderr)
    return done


@contextmanager
def following(database: str, **environment: str) -> Iterator[Callable[[], Figures]]:
    """Let a drainer follow until the end of the block; returns what scrapes it."""
    port = free_port()
    process = subprocess.Popen(
        [*_COMMAND, "--follow", "--metrics-port", str(port)],
        cwd=PROJECT,
        env=_settings(database, environment),
        stdout=subprocess.DEVNULL,
    )

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
