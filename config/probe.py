"""Ask the web server of this machine whether it is well: for whoever can only run a command.

Exit 0: it answered 200; 1: it did not, and what it said. It comes by the loopback, under a host
name that the service is reached by.
"""

from __future__ import annotations

import http.client
import os
import sys
from typing import Final

_PATIENCE: Final = 4.0  # seconds; readiness takes two at most


def main(path: str = "/health/ready") -> int:
    """Ask, and return the exit code."""
    port = int(os.environ.get("PORT") or 8000)
    host = (os.environ.get("ALLOWED_HOSTS") or "localhost").split(",")[0].strip()
    caller = http.client.HTTPConnection("127.0.0.1", port, timeout=_PATIENCE)
    try:
        caller.request("GET", path, headers={"Host": host})
        answer = caller.getresponse()
        said = answer.read().decode()
    except OSError as error:
        sys.stderr.write(f"The web server does not answer on port {port}: {error}\n")
        return 1
    finally:
        caller.close()
    if answer.status == http.client.OK:
        return 0
    sys.stderr.write(f"{answer.status} {said}\n")
    return 1


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
