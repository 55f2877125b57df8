"""What `make run` starts: the whole service with its demo, and the next time with its data."""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PARTS = ("config", "cases", "audit", "outbox", "templates", "manage.py", "gunicorn.conf.py")
WRITER = {"X-Actor-ID": "writer-1", "X-Actor-Roles": "case_writer"}
REVIEWER = {"X-Actor-ID": "reviewer-1", "X-Actor-Roles": "reviewer"}
PATIENCE = 120


def base_of(checkout: Path) -> Path:
    """Return where a checkout's server keeps its data: elsewhere, when root has to hide it."""
    script = "from config.embedded_postgres.place import locate; print(locate('local').base)"
    command = [sys.executable, "-c", script]
    return Path(subprocess.check_output(command, cwd=checkout, text=True).strip())


@pytest.fixture
def checkout(tmp_path: Path) -> Iterator[Path]:
    """Return a checkout of its own, whose var/ nobody else has."""
    for part in PARTS:
        if (ROOT / part).is_dir():
            shutil.copytree(
                ROOT / part, tmp_path / part, ignore=shutil.ignore_patterns("__pycache__")
            )
        else:
            shutil.copy(ROOT / part, tmp_path)
    base = base_of(tmp_path)
    yield tmp_path
    shutil.rmtree(base.parent, ignore_errors=True)


def environment(port: int) -> dict[str, str]:
    ours = ("DATABASE_URL", "APP_ENV", "DJANGO_SETTINGS_MODULE", "LISTEN_HOST")
    inherited = {k: v for k, v in os.environ.items() if k not in ours}
    # As in a production whose balancer takes its time: here that would only keep Ctrl-C waiting.
    return inherited | {"PORT": str(port), "DRAIN_SECONDS": "60"}


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def call(port: int, method: str, path: str, headers: dict[str, str], body: object = None):
    """Return the status and the JSON of an answer."""
    data = None if body is None else json.dumps(body).encode()
    kind = {} if data is None else {"Content-Type": "application/json"}
    request = urllib.request.Request(
        f"http://127.0.0.1:{port}{path}", data, {**headers, **kind}, method=method
    )
    try:
        with urllib.request.urlopen(request, timeout=10) as answer:
            return answer.status, json.load(answer)
    except urllib.error.HTTPError as error:
        return error.code, json.load(error)


class Run:
    """A running service and what it has said so far."""

    def __init__(self, checkout: Path, port: int, log: Path) -> None:
        self.port, self.log = port, log
        with log.open("w") as output:
            self.process = subprocess.Popen(
                [sys.executable, "manage.py", "run_local"],
                cwd=checkout,
                env=environment(port),
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    def said(self) -> str:
        return self.log.read_text()

    def wait(self, condition: Callable[[], bool]) -> None:
        deadline = time.monotonic() + PATIENCE
        while not condition():
            assert self.process.poll() is None, self.said()
            assert time.monotonic() < deadline, self.said()
            time.sleep(0.2)

    def stop(self) -> int:
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGINT)
        return self.process.wait(timeout=30)


@contextmanager
def running(checkout: Path) -> Iterator[Run]:
    port = free_port()
    run = Run(checkout, port, checkout / f"{port}.log")
    try:
        run.wait(lambda: "/admin" in run.said())
        yield run
    finally:
        run.stop()


def interrupt_the_first_start(checkout: Path) -> None:
    """Press Ctrl-C while the database is made, again and again: nothing is left running."""
    port = free_port()
    run = Run(checkout, port, checkout / f"{port}.log")
    run.wait(lambda: "Bringing" in run.said())
    while run.process.poll() is None:
        run.process.send_signal(signal.SIGINT)
        time.sleep(0.01)
    assert run.process.returncode == 0, run.said()
    assert run.said().rstrip().endswith("stopped")
    assert not (base_of(checkout) / "data/postmaster.pid").exists()


def test_a_case_goes_from_nothing_to_closure_and_is_there_after_the_next_start(checkout):
    interrupt_the_first_start(checkout)
    with running(checkout) as run:
        status, case = call(run.port, "POST", "/cases", WRITER, {"title": "Late reporting"})
        assert status == 201
        address = f"/cases/{case['id']}"

        assert call(run.port, "POST", f"{address}/submit", WRITER)[0] == 200
        given = {"reviewer_id": "reviewer-1"}
        assert call(run.port, "POST", f"{address}/start-review", REVIEWER, given)[0] == 200
        status, closed = call(run.port, "POST", f"{address}/close", REVIEWER, {"reason": "Done"})

        assert (status, closed["status"], closed["version"]) == (200, "CLOSED", 3)
        status, trail = call(run.port, "GET", f"{address}/audit-events", REVIEWER)
        assert [event["sequence"] for event in trail["results"]] == [0, 1, 2, 3]
        run.wait(lambda: run.said().count(f'"subject":"{case["id"]}"') == 4)
        for told in ("reviewer-1", "supervisor-1", "auditor-1", f":{run.port}/docs"):
            assert told in run.said()
        assert run.stop() == 0
        assert run.said().rstrip().endswith("stopped")
        assert "killed" not in run.said()

    with running(checkout) as run:
        status, page = call(run.port, "GET", "/cases?limit=1", REVIEWER)

        assert (status, page["results"][0]["id"]) == (200, case["id"])

        postmaster = int((base_of(checkout) / "data/postmaster.pid").read_text().split()[0])
        os.kill(postmaster, signal.SIGKILL)

        run.wait(lambda: "PostgreSQL had died" in run.said())
        run.wait(lambda: call(run.port, "GET", "/cases?limit=1", REVIEWER)[0] == 200)


def test_a_taken_port_is_said_in_a_sentence(checkout):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]

        done = subprocess.run(
            [sys.executable, "manage.py", "run_local"],
            cwd=checkout,
            env=environment(port),
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )

    assert done.returncode == 1
    assert f"Cannot listen on port {port}" in done.stderr
    assert "Traceback" not in done.stderr
