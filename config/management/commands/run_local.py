"""The service on this machine in one foreground command: database, web server, outbox drainer."""

import ctypes
import http.client
import os
import signal
import socket
import subprocess
import sys
import time
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType
from typing import Final
from urllib.parse import urlsplit

from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError
from django.db import connections

from cases.demo.accounts import DEMO_PASSWORD, DEMO_USERS
from cases.models import Case
from config import embedded_postgres

PROJECT: Final = Path(__file__).resolve().parents[3]
LOOPBACK: Final = "127.0.0.1"
READY_TIMEOUT: Final = 60.0  # seconds until the first good answer of /health/ready
STOP_TIMEOUT: Final = 10.0  # seconds between SIGTERM and SIGKILL
POLL_INTERVAL: Final = 0.2  # seconds
STOP_SIGNALS: Final = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
LIBC: Final = ctypes.CDLL(None)  # looked up here, because little is safe between fork and exec
PR_SET_PDEATHSIG: Final = 1  # from Linux' <sys/prctl.h>


class Command(BaseCommand):
    """`make run`: everything that a look at the service needs, until Ctrl-C."""

    help = "Run the service on this machine: database, web server and outbox drainer."
    requires_migrations_checks = False
    _asked_to_stop = False

    def handle(self, *_args: object, **_options: object) -> None:
        """Start everything, watch it, and stop it in order at Ctrl-C or SIGTERM."""
        if os.environ.get("APP_ENV", "local") not in {"local", "test"}:
            text = "run_local is for workstations. In production, gunicorn and drain_outbox run."
            raise CommandError(text)
        address = Address(settings.LISTEN_HOST, settings.PORT)
        address.ensure_free()
        for number in STOP_SIGNALS:
            if number == signal.SIGINT or signal.getsignal(number) != signal.SIG_IGN:  # nohup
                signal.signal(number, self._stop)
        try:
            with _database():
                try:
                    self._serve(address)
                except Exception as error:
                    # A library that was interrupted may fail while it puts things in order.
                    if self._asked_to_stop:
                        raise KeyboardInterrupt from error
                    raise
        except KeyboardInterrupt:
            self._say("stopped")

    def _stop(self, number: int, frame: FrameType | None) -> None:
        self._asked_to_stop = True
        _let_nothing_interrupt()
        signal.default_int_handler(number, frame)

    def _say(self, text: str) -> None:
        self.stdout.write(text)
        self.stdout.flush()  # the children write there too, and it may be a pipe

    def _serve(self, address: "Address") -> None:
        self._say("Bringing the database up to date.")
        call_command("migrate", verbosity=0, interactive=False)
        if not Case.objects.exists():
            call_command("load_demo")
        connections.close_all()
        # Nobody here sends callers elsewhere meanwhile; and our patience is shorter.
        web = Child("web server", _web_server(address), variables={"DRAIN_SECONDS": "0"})
        drainer = Child(
            "outbox drainer",
            (sys.executable, "manage.py", "drain_outbox", "--follow"),
            restarts=3,
        )
        try:
            web.start()
            drainer.start()
            _wait_until_ready(address, (web, drainer))
            self._say(_welcome(address))
            while True:
                for child in (web, drainer):
                    child.keep_alive()
                if not os.environ.get("DATABASE_URL") and embedded_postgres.revive():
                    self._say("PostgreSQL had died; it has been started again.")
                time.sleep(POLL_INTERVAL)
        finally:
            _let_nothing_interrupt()
            web.stop()
            drainer.stop()


@dataclass(frozen=True)
class Address:
    """Where the web server listens."""

    host: str
    port: int

    @property
    def url(self) -> str:
        """The root of the service, as a browser on this machine reaches it."""
        host = {"0.0.0.0": LOOPBACK, "::": "::1"}.get(self.host, self.host)  # noqa: S104 (a key)
        return f"http://{f'[{host}]' if ':' in host else host}:{self.port}"

    def ensure_free(self) -> None:
        """Raise CommandError, before anything is started, when nobody could listen here."""
        try:
            family, kind, protocol, _, address = socket.getaddrinfo(
                self.host, self.port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
            )[0]
            with socket.socket(family, kind, protocol) as probe:
                # As gunicorn does: connections that have just ended are no obstacle.
                probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                probe.bind(address)
                probe.listen(1)
        except OSError as error:
            text = (
                f"Cannot listen on port {self.port} of {self.host}: {error.strerror}. "
                "Choose another one: PORT=8001 make run"
            )
            raise CommandError(text) from error


@dataclass
class Child:
    """A process beside this one, which must not outlive it."""

    name: str
    command: tuple[str, ...]
    restarts: int = 0  # how often it may die before this is an error
    variables: dict[str, str] = field(default_factory=dict)  # what it is told differently
    process: subprocess.Popen[bytes] | None = field(default=None, init=False)

    def start(self) -> None:
        """Start the process in a group of its own, so that Ctrl-C reaches only this one."""
        self.process = subprocess.Popen(  # noqa: S603 (no shell, fixed commands)
            self.command,
            cwd=PROJECT,
            env={**os.environ, **self.variables},
            stdin=subprocess.DEVNULL,
            process_group=0,
            preexec_fn=_end_with_parent if sys.platform == "linux" else None,  # noqa: PLW1509 (one system call)
        )

    def keep_alive(self) -> None:
        """Start a dead process again, or raise CommandError once it has died too often."""
        if self.process is None or self.process.poll() is None:
            return
        died = f"The {self.name} ended with exit code {self.process.returncode}"
        if self.restarts == 0:
            text = f"{died}."
            raise CommandError(text)
        self.restarts -= 1
        sys.stderr.write(f"{died}; starting it again.\n")
        self.start()

    def stop(self) -> None:
        """Ask the process to end; kill it and its group when it takes longer than 10 s."""
        if self.process is None or self.process.poll() is not None:
            return
        self.process.terminate()
        try:
            self.process.wait(STOP_TIMEOUT)
        except subprocess.TimeoutExpired:
            sys.stderr.write(f"The {self.name} does not end; it is killed.\n")
            os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()


def _let_nothing_interrupt() -> None:
    """From here on: a second Ctrl-C would leave children or the database's server behind."""
    for number in STOP_SIGNALS:
        signal.signal(number, signal.SIG_IGN)


def _end_with_parent() -> None:
    """Ask Linux to send this process a SIGTERM when its parent is gone, killed even by SIGKILL."""
    LIBC.prctl(PR_SET_PDEATHSIG, signal.SIGTERM)


def _database() -> AbstractContextManager[object]:
    return nullcontext() if os.environ.get("DATABASE_URL") else embedded_postgres.running()


def _web_server(address: Address) -> tuple[str, ...]:
    host = f"[{address.host}]" if ":" in address.host else address.host
    bind = ("--bind", f"{host}:{address.port}")
    # Its greeting is ours to give, and it is to end before our patience does.
    manners = ("--workers", "2", "--log-level", "warning", "--graceful-timeout", "8")
    config = ("--config", str(settings.BASE_DIR / "gunicorn.conf.py"))
    return (sys.executable, "-m", "gunicorn", *config, *bind, *manners)


def _wait_until_ready(address: Address, children: tuple[Child, ...]) -> None:
    deadline = time.monotonic() + READY_TIMEOUT
    while not _is_ready(address):
        for child in children:
            child.keep_alive()
        if time.monotonic() > deadline:
            text = f"The service has not become ready within {READY_TIMEOUT:.0f} s."
            raise CommandError(text)
        time.sleep(POLL_INTERVAL)


def _is_ready(address: Address) -> bool:
    parts = urlsplit(address.url)
    connection = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=5)
    try:
        connection.request("GET", "/health/ready")
        return connection.getresponse().status == http.HTTPStatus.OK
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


def _welcome(address: Address) -> str:
    lines = [
        "",
        "The service is ready. Ctrl-C stops it.",
        f"  API    {address.url}/cases",
        f"  Docs   {address.url}/docs",
        f"  Admin  {address.url}/admin/",
        "  Log in as:",
        *(
            f"    {user.username} / {DEMO_PASSWORD} ({user.role})"
            for user in DEMO_USERS
            if user.role != "guest"  # is granted one case, and has nothing to do in the admin
        ),
        "",
    ]
    return "\n".join(lines)
