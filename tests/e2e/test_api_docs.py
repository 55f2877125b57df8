"""Every command of docs/api.md, in order, against the service on an empty database."""

from __future__ import annotations

import json
import os
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import psycopg
import pytest

from tests.api.server import copied_database, running_server

pytestmark = pytest.mark.django_db

PAGE = (Path(__file__).parents[2] / "docs/api.md").read_text()
BLOCKS = re.findall(r"```(\w+)\n(.+?)```", PAGE, re.DOTALL)
# The page's commands as they are; beside what they print, the status of each answer is kept.
PRELUDE = r"""
set -euo pipefail
curl() { command curl -sS -m 30 -w '%{stderr}%{http_code}\n' "$@"; }
"""


class Step(NamedTuple):
    """Some commands and what the page shows of the last answer."""

    commands: str
    shown: str

    @property
    def status(self) -> str:
        found = re.match(r"HTTP/1.1 (\d{3}) ", self.shown)
        return found[1] if found else ""


def steps() -> list[Step]:
    """Return the commands of the page, but for the one that says where the service is."""
    following = [*BLOCKS[1:], ("", "")]
    return [
        Step(text, shown if kind_of_shown == "http" else "")
        for (kind, text), (kind_of_shown, shown) in zip(BLOCKS, following, strict=True)
        if kind == "sh" and not text.startswith("API=")
    ]


@pytest.fixture(scope="module")
def address(django_db_setup, django_db_blocker) -> Iterator[str]:
    """Start the service with nothing in it but an account to which access can be granted."""
    with django_db_blocker.unblock(), copied_database() as url:
        with psycopg.connect(url, autocommit=True) as connection:
            connection.execute("ALTER SEQUENCE case_number RESTART")
            connection.execute(
                "INSERT INTO auth_user (username, password, is_active, is_staff, is_superuser,"
                " first_name, last_name, email, date_joined)"
                " VALUES ('guest-1', '!', true, false, false, '', '', '', now())"
            )
        with running_server(url) as server:
            yield server.url


def run(step: Step, address: str, folder: Path) -> tuple[list[str], str]:
    """Run the commands in a folder; return the status of each answer, and all that they printed."""
    done = subprocess.run(
        ["bash", "-c", PRELUDE + step.commands],
        env=os.environ | {"API": address},
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stderr.split(), done.stdout


def test_the_page_has_commands_for_every_operation_and_shows_refusals():
    assert len(steps()) >= 15
    assert {"201", "404", "409", "412", "422", "403"} <= {step.status for step in steps()}


def test_every_command_does_what_the_page_says(address, tmp_path, subtests):
    for step in steps():
        with subtests.test(step.commands.splitlines()[0]):
            statuses, printed = run(step, address, tmp_path)

            *before, last = statuses
            assert len(statuses) == step.commands.count("curl ")
            assert all("200" <= status < "400" for status in before)
            if step.status:
                assert last == step.status, printed
                compare(step.shown, printed)
            else:
                assert "200" <= last < "400", printed


def compare(shown: str, printed: str) -> None:
    """Compare an answer with the one on the page: the headers that are shown, code and details."""
    head, _, body = shown.partition("\n\n")
    for name in re.findall(r"^([\w-]+): ", head, re.MULTILINE):
        assert f"\n{name.lower()}: " in printed.replace("\r", "").lower(), name
    if entity_tag := re.search(r"^ETag: .+$", head, re.MULTILINE):
        assert entity_tag[0] in printed
    got = json.loads(printed.replace("\r", "").partition("\n\n")[2])
    told = re.sub(r"\n\s*", "", body)
    if "…" in told:
        return
    expected = json.loads(told)
    assert set(got) == set(expected)
    for name in {"error", "message", "details", "status", "version", "available_actions"} & {*got}:
        assert got[name] == expected[name]
