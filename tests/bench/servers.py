"""The servers under load: started, awaited, stopped; ours as production runs it."""

from __future__ import annotations

import json
import os
import secrets
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from tests.bench.connection import Connection
from tests.bench.databases import PROJECT
from tests.bench.load import BenchError

HOST: Final = "127.0.0.1"
WORKERS: Final = 2
SERVERS: Final = ("gunicorn", "gunicorn-gthread", "granian")  # the first with our own worker
FOLDER: Final = PROJECT / "var" / "bench"
_START_TIMEOUT: Final = 90.0  # seconds
_STOP_TIMEOUT: Final = 15.0  # seconds


@dataclass(frozen=True)
class Server:
    """A server that answers."""

    name: str
    port: int
    pid: int


def free_port() -> int:
    """Return a port of this machine on which nobody listens now."""
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        return int(probe.getsockname()[1])


@contextmanager
def running(
    name: str, command: Sequence[str], environment: Mapping[str, str], folder: Path, port: int
) -> Iterator[Server]:
    """Run a server until the end of the block; what it writes goes to a file in ``var/bench``.

    Raises:
        BenchError: it did not come up.
    """
    FOLDER.mkdir(parents=True, exist_ok=True)
    log = FOLDER / f"{name}.log"
    with log.open("wb") as output:
        process = subprocess.Popen(
            command,
            cwd=folder,
            env={**os.environ, **environment},
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            process_group=0,
        )
    try:
        _wait(process, name, port, log)
        yield Server(name, port, process.pid)
    finally:
        process.terminate()
        try:
            process.wait(_STOP_TIMEOUT)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()


def _wait(process: subprocess.Popen[bytes], name: str, port: int, log: Path) -> None:
    request = f"GET /health/ready HTTP/1.1\r\nHost: {HOST}:{port}\r\n\r\n".encode()
    deadline = time.monotonic() + _START_TIMEOUT
    while process.poll() is None and time.monotonic() < deadline:
        try:
            connection = Connection(HOST, port, timeout=5)
            # A peer may know no such address: then it has come up all the same.
            if connection.exchange(request).status < 500:
                return
        except (OSError, ValueError):
            pass
        finally:
            connection.close()
        time.sleep(0.1)
    end = log.read_text(errors="replace")[-1000:]
    message = f"{name} did not come up. The end of {log}:\n{end}"
    raise BenchError(message)


def our_command(server: str, port: int, threads: int, workers: int = WORKERS) -> list[str]:
    """Return the command line of the service under one of the servers that it can run in."""
    python = (sys.executable, "-m")
    if server == "granian":
        options = ["--interface", "wsgi", "--host", HOST, "--port", str(port)]
        options += ["--workers", str(workers), "--blocking-threads", str(threads)]
        options += ["--no-ws", "--http", "1", "--log-level", "warning"]
        return [*python, "granian", *options, "config.wsgi:application"]
    options = ["--bind", f"{HOST}:{port}", "--workers", str(workers), "--threads", str(threads)]
    options += ["--worker-class", "gthread"] if server == "gunicorn-gthread" else []
    return [*python, "gunicorn", *options, "--log-level", "warning"]


def our_environment(database: str, *, header_actors: bool) -> dict[str, str]:
    """Return the settings of a production, but for TLS, which a proxy would end."""
    return {
        "APP_ENV": "production",
        "DATABASE_URL": database,
        "SECRET_KEY": secrets.token_urlsafe(64),
        "ALLOWED_HOSTS": HOST,
        "CSRF_TRUSTED_ORIGINS": "https://cases.example.org",
        "SECURE_SSL_REDIRECT": "off",
        "STATIC_ROOT": str(FOLDER / "static"),
        "LOG_FORMAT": "json",
        "LOG_LEVEL": "INFO",
        "API_RATE": "1000000000/minute",  # counted as in production, never reached
        "ACTOR_HEADERS": "unsafe-in-production" if header_actors else "off",
    }


def collect_static(environment: Mapping[str, str]) -> None:
    """Write the static files where the production settings look for them."""
    command = [sys.executable, "manage.py", "collectstatic", "--noinput", "--verbosity", "0"]
    subprocess.run(command, cwd=PROJECT, env={**os.environ, **environment}, check=True)


def write_token(environment: Mapping[str, str], username: str) -> str:
    """Make an API token for an account, by the service's own command; returns the header line.

    Raises:
        BenchError: the command failed.
    """
    command = [sys.executable, "manage.py", "create_api_token", username, "--name", "bench"]
    done = subprocess.run(
        [*command, "--json"],
        cwd=PROJECT,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        message = f"No token for {username}: {done.stderr.strip()[-300:]}"
        raise BenchError(message)
    return f"Authorization: Bearer {json.loads(done.stdout)['token']}\r\n"


def actor_headers(actor: str, roles: str) -> str:
    """Return the header lines of the placeholder, which the service and the peer both know."""
    return f"X-Actor-ID: {actor}\r\nX-Actor-Roles: {roles}\r\n"
