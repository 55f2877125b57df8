"""A drainer as a process of its own, which sends to a receiver of webhooks."""

from __future__ import annotations

import base64
import os
import subprocess
import sys

from tests.api.server import PROJECT
from tests.integration.receiver import Receiver

SECRET = "whsec_" + base64.b64encode(b"0123456789abcdef0123456789abcdef").decode()


def to(there: Receiver) -> dict[str, str]:
    """Return the settings of a service that tells this receiver."""
    return {
        "OUTBOX_DESTINATIONS": "webhook",
        "OUTBOX_WEBHOOK_URL": f"http://127.0.0.1:{there.port}/hooks",
        "OUTBOX_WEBHOOK_SECRET": SECRET,
        "OUTBOX_WEBHOOK_ALLOW_PRIVATE": "on",
    }


def drain(database: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Deliver what is due, and end."""
    inherited = {k: v for k, v in os.environ.items() if k != "DJANGO_SETTINGS_MODULE"}
    settings = {"APP_ENV": "test", "LOG_FORMAT": "json", "DATABASE_URL": database}
    return subprocess.run(
        [sys.executable, "manage.py", "drain_outbox"],
        cwd=PROJECT,
        env=inherited | settings | environment,
        capture_output=True,
        text=True,
        check=False,
    )
