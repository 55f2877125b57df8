"""Every kind of page of the back office at four million events: its time, and what it asks.

Pages are read in a session, over HTTP, one after the other: from the server as production runs it
for their time, from one that writes its statements into its log for their number.
"""

from __future__ import annotations

import http.client
import os
import re
import secrets
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from http.cookies import SimpleCookie
from pathlib import Path
from statistics import median
from typing import Final
from urllib.parse import urlencode

import psycopg

from tests.bench import servers
from tests.bench.databases import PROJECT
from tests.bench.load import BenchError
from tests.performance.outbox_rows import FILL

MIX: Final = "office"
DATABASE: Final = "regulatory_bench_office"
CASES: Final = 1_080_000  # with a little more than four million events
MESSAGES: Final = 1_000_000  # that were delivered
# What is asked of each page.
MOST_SECONDS: Final = 1.0
MOST_STATEMENTS: Final = 15
TIMES: Final = 20  # that each page is read in a round
PEOPLE: Final = ("supervisor-1", "reviewer-1", "keeper-1")  # the last is a superuser
_TOKEN: Final = re.compile(r'name="csrfmiddlewaretoken" value="(\w+)"')
# A statement in the log, but for those that only frame others.
_STATEMENT: Final = re.compile(
    r'"event":"\([0-9.]+\) (?!BEGIN|COMMIT|ROLLBACK|SAVEPOINT|RELEASE)'
    r'.*"logger":"django.db.backends"'
)


@dataclass
class Page:
    """What was measured of one page, for whom it was worst."""

    seconds: list[float] = field(default_factory=list)
    statements: int = 0

    @property
    def p95(self) -> float:
        """The time that 95 of 100 readings stay below."""
        return sorted(self.seconds)[len(self.seconds) * 95 // 100]


def pages_of(url: str) -> Mapping[str, str]:
    """Return the address of every kind of page, by what it is."""
    with psycopg.connect(url) as connection:

        def one(query: str) -> str:
            row = connection.execute(query).fetchone()
            assert row is not None, query
            return str(row[0])

        case = one("SELECT id FROM cases WHERE status = 'ESCALATED' AND NOT restricted LIMIT 1")
        waits = one("SELECT id FROM cases WHERE status = 'SUBMITTED' AND NOT restricted LIMIT 1")
        event, message, account, group = (
            one(f"SELECT id FROM {table} ORDER BY id DESC LIMIT 1")
            for table in ("audit_events", "outbox_events", "auth_user", "auth_group")
        )
    cases, queues = (
        "/admin/cases/case/",
        ("mine", "unassigned", "overdue", "escalated", "submitted", "drafts", "closed", "all"),
    )
    found = {"start": "/admin/", "tables": "/admin/tables/"}
    found |= {f"queue {name}": f"{cases}?queue={name}" for name in queues}
    found |= {
        "list, words": f"{cases}?queue=all&search=limits",
        "list, rare words": f"{cases}?queue=all&search=limits+777777",
        "list, filters": f"{cases}?queue=all&priority=HIGH&category=Capital&reviewer=reviewer-7",
        "list, a period": f"{cases}?queue=all&created_from=2026-03-01&created_to=2026-03-31",
        "case": f"{cases}{case}/change/",
        "form, assign": f"{cases}{waits}/assign/",
        "form, start review": f"{cases}{waits}/start-review/",
        "form, grant": f"{cases}{case}/grant-access/",
        "new case": f"{cases}add/",
        "uploads": f"{cases}import/",
        "trail, all": "/admin/audit/auditevent/",
        "trail, of a case": f"/admin/audit/auditevent/?q={case}",
        "trail, of a person": "/admin/audit/auditevent/?q=reviewer-7",
        "trail, an event": f"/admin/audit/auditevent/{event}/change/",
        "outbox, all": "/admin/outbox/outboxevent/",
        "outbox, delivered": "/admin/outbox/outboxevent/?state=delivered",
        "outbox, dead": "/admin/outbox/outboxevent/?state=dead",
        "outbox, of a case": f"/admin/outbox/outboxevent/?q={case}",
        "outbox, an event": f"/admin/outbox/outboxevent/{message}/change/",
        "working days": "/admin/cases/slatarget/",
        "accounts": "/admin/auth/user/",
        "accounts, search": "/admin/auth/user/?q=guest",
        "account": f"/admin/auth/user/{account}/change/",
        "account, history": f"/admin/auth/user/{account}/history/",
        "groups": "/admin/auth/group/",
        "group": f"/admin/auth/group/{group}/change/",
        "tokens": "/admin/config/apitoken/",
        "new token": "/admin/config/apitoken/add/",
        "identities": "/admin/config/linkedidentity/",
        "attempts": "/admin/axes/accessattempt/",
        "completion": "/admin/autocomplete/?app_label=cases&model_name=caseuserpermission"
        "&field_name=content_object&term=CASE",
    }  # fmt: skip
    return found


class Session:
    """A person who has logged in by the form."""

    def __init__(self, port: int, name: str, password: str) -> None:
        self._caller = http.client.HTTPConnection(servers.HOST, port, timeout=60)
        self._cookies: dict[str, str] = {}
        _, page = self.ask("GET", "/admin/login/")
        token = _TOKEN.search(page)
        assert token is not None
        form = {"username": name, "password": password, "csrfmiddlewaretoken": token[1]}
        status, page = self.ask("POST", "/admin/login/", urlencode(form))
        if status != http.HTTPStatus.FOUND:
            message = f"{name} was not let in: {status}"
            raise BenchError(message)

    def ask(self, method: str, path: str, body: str = "") -> tuple[int, str]:
        """Send one request on the kept connection; return status and page."""
        headers = {"Cookie": "; ".join(f"{k}={v}" for k, v in self._cookies.items())}
        if body:
            headers["Content-Type"] = "application/x-www-form-urlencoded"
        self._caller.request(method, path, body=body or None, headers=headers)
        answer = self._caller.getresponse()
        text = answer.read().decode(errors="replace")
        for line in answer.headers.get_all("Set-Cookie") or ():
            self._cookies |= {name: one.value for name, one in SimpleCookie(line).items()}
        return answer.status, text


class Office:
    """Reads the pages of a database and keeps what they cost."""

    def __init__(self, url: str, say: Callable[[str], None]) -> None:
        self.url, self.say = url, say
        self.pages: dict[str, Page] = {}
        self.password = secrets.token_urlsafe(16)

    def prepare(self) -> None:
        """Give the outbox a history, and people a password."""
        with psycopg.connect(self.url) as connection:
            if connection.execute("SELECT EXISTS (SELECT FROM outbox_events)").fetchone() == (
                False,
            ):
                self.say(f"Loading {MESSAGES} delivered messages")
                for number, delivered in ((MESSAGES, True), (2_000, False)):
                    values = {"destination": "log", "events": number, "per_case": 4, "first": 1}
                    connection.execute(FILL, {**values, "delivered": delivered})
        with psycopg.connect(self.url, autocommit=True) as connection:
            connection.execute("VACUUM ANALYZE outbox_events")
            connection.execute("DELETE FROM auth_user WHERE username = 'keeper-1'")
            environment = {"DJANGO_SUPERUSER_PASSWORD": self.password}
            command = ["createsuperuser", "--noinput", "--username", "keeper-1", "--email", ""]
            _manage(self.url, command, environment)
            connection.execute(
                "UPDATE auth_user SET is_staff = true, password = (SELECT password FROM auth_user"
                " WHERE username = 'keeper-1') WHERE username = ANY (%s)",
                [list(PEOPLE)],
            )

    def measure(self, port: int, rounds: int) -> None:
        """Read every page from a server, many times, and keep how long it took."""
        for name, path, session in self._asked(port):
            for _ in range(TIMES * rounds):
                started = time.perf_counter()
                status, _ = session.ask("GET", path)
                seconds = time.perf_counter() - started
                if status in (200, 404):
                    self.pages.setdefault(name, Page()).seconds.append(seconds)
                elif status not in (302, 403):
                    message = f"{path} answered {status}"
                    raise BenchError(message)
                else:
                    break

    def count(self, port: int, log: Path) -> None:
        """Read every page once more from a server that writes its statements, and count them."""
        for name, path, session in self._asked(port):
            before = log.stat().st_size
            session.ask("GET", path)
            with log.open("rb") as file:
                file.seek(before)
                number = sum(bool(_STATEMENT.search(line.decode())) for line in file)
            if name in self.pages:
                self.pages[name].statements = max(self.pages[name].statements, number)

    def _asked(self, port: int) -> Iterator[tuple[str, str, Session]]:
        pages = pages_of(self.url)
        for person in PEOPLE:
            session = Session(port, person, self.password)
            yield from ((name, path, session) for name, path in pages.items())

    def terminal(self) -> str:
        """Return a table for a person."""
        head = f"  {'page':<22} {'median ms':>10} {'p95 ms':>8} {'statements':>11}"
        lines = [f"The back office at {CASES:,} cases", head]
        for name, page in self.pages.items():
            middle, late = median(page.seconds) * 1000, page.p95 * 1000
            lines.append(f"  {name:<22} {middle:>10.0f} {late:>8.0f} {page.statements:>11}")
        return "\n".join(lines)

    def missed(self) -> Sequence[str]:
        """Return what was asked for and not reached, a sentence each."""
        return [
            f"{name}: {page.p95:.2f} s, asked less than {MOST_SECONDS:.0f}"
            for name, page in self.pages.items()
            if page.p95 >= MOST_SECONDS
        ] + [
            f"{name}: {page.statements} statements, asked at most {MOST_STATEMENTS}"
            for name, page in self.pages.items()
            if page.statements > MOST_STATEMENTS
        ]


def measure(url: str, rounds: int, say: Callable[[str], None]) -> Office:
    """Bring up the service twice, one after the other, and read the pages of both."""
    office = Office(url, say)
    office.prepare()
    production = servers.our_environment(url, header_actors=False)
    servers.collect_static(production)
    port = servers.free_port()
    command = servers.our_command("gunicorn", port, 2)
    with servers.running("office", command, production, PROJECT, port):
        office.measure(port, rounds)
    talkative = {"APP_ENV": "local", "DATABASE_URL": url, "DEBUG": "on", "SQL_ECHO": "on"}
    talkative |= {"LOG_FORMAT": "json", "LOG_LEVEL": "DEBUG"}
    with servers.running("office-sql", command, talkative, PROJECT, port):
        office.count(port, servers.FOLDER / "office-sql.log")
    return office


def _manage(url: str, command: Sequence[str], environment: Mapping[str, str]) -> None:
    subprocess.run(
        [sys.executable, "manage.py", *command], cwd=PROJECT, check=True, stdout=subprocess.DEVNULL,
        env=os.environ | {"APP_ENV": "local", "DATABASE_URL": url} | environment,
    )  # fmt: skip
