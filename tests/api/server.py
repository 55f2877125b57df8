"""The service as a process of its own, behind a real socket."""

from __future__ import annotations

import http.client
import json
import os
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any
from urllib.parse import urlsplit, urlunsplit

from django.db import connection

from cases.policies import Actor
from tests.leaks import look
from tests.starts import Process, in_test, start

PATIENCE = 30  # seconds until an answer
START = 90  # seconds until the first one, beside other work


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@dataclass(frozen=True)
class Answer:
    """What came back; has the names that ``expect`` looks at."""

    status_code: int
    headers: http.client.HTTPMessage
    content: bytes

    def json(self) -> Any:
        return json.loads(self.content)


@dataclass
class Server:
    """Where it listens, and what it has written to its log so far."""

    port: int
    log: IO[bytes]
    process: Process

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def logged(self) -> str:
        return Path(self.log.name).read_text()

    def ask(
        self, method: str, path: str, actor: Actor | None = None, body: Any = None, **headers: str
    ) -> Answer:
        """Send one request on a connection of its own; a body that is no bytes goes as JSON."""
        sent = {name.replace("_", "-"): value for name, value in headers.items()}
        if actor is not None:
            sent |= {"X-Actor-ID": actor.id, "X-Actor-Roles": ",".join(sorted(actor.roles))}
        if body is not None:
            sent.setdefault("Content-Type", "application/json")
            body = body if isinstance(body, bytes) else json.dumps(body).encode()
        caller = http.client.HTTPConnection("127.0.0.1", self.port, timeout=PATIENCE)
        try:
            caller.request(method, path, body=body, headers=sent)
            answer = caller.getresponse()
            return Answer(answer.status, answer.headers, answer.read())
        finally:
            caller.close()

    def get(self, path: str, headers: dict[str, str] | None = None) -> tuple[int, bytes]:
        caller = http.client.HTTPConnection("127.0.0.1", self.port, timeout=PATIENCE)
        try:
            caller.request("GET", path, headers=headers or {})
            answer = caller.getresponse()
            return answer.status, answer.read()
        finally:
            caller.close()


@contextmanager
def running_server(
    database_url: str, *, threads: int = 4, workers: int = 1, **environment: str
) -> Iterator[Server]:
    """Run gunicorn on a free port of this machine until the block ends."""
    port = free_port()
    command = ["-m", "gunicorn", "--bind", f"127.0.0.1:{port}", "--log-level", "warning"]
    command += ["--workers", str(workers), "--threads", str(threads)]
    variables = in_test(database_url, **({"LOG_FORMAT": "json"} | environment))
    with tempfile.NamedTemporaryFile(suffix=".log") as log:
        process = start(*command, environment=variables, out=log.fileno(), err=log.fileno())
        server = Server(port, log, process)
        try:
            _wait(server, process)
            yield server
        finally:
            process.terminate()
            try:
                process.wait(PATIENCE)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
            look(server.logged())


def _wait(server: Server, process: Process) -> None:
    end = time.monotonic() + START
    while time.monotonic() < end:
        assert process.poll() is None, server.logged()
        try:
            if server.get("/health/live")[0] == 200:
                return
        except OSError:
            time.sleep(0.1)
    raise AssertionError(server.logged())


@contextmanager
def copied_database(suffix: str = "wire") -> Iterator[str]:
    """Copy the test database, so that what a process commits there is gone with the copy.

    Outside of tests' transactions only: the copy needs the original without any session.
    """
    name = connection.settings_dict["NAME"]
    copy = f"{name}_{suffix}"
    parts = urlsplit(os.environ["DATABASE_URL"])
    connection.close()
    with connection._nodb_cursor() as cursor:
        cursor.execute(f'DROP DATABASE IF EXISTS "{copy}" WITH (FORCE)')
        cursor.execute(f'CREATE DATABASE "{copy}" TEMPLATE "{name}"')
    try:
        yield urlunsplit(parts._replace(path=f"/{copy}"))
    finally:
        with connection._nodb_cursor() as cursor:
            cursor.execute(f'DROP DATABASE "{copy}" WITH (FORCE)')
