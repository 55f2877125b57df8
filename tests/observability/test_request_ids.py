"""One id leads from an answer, or a command, to its log lines and to the trail."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from tests import starts
from tests.api.server import Server, running_server
from tests.cast import ADMIN, AUDITOR, WRITER
from tests.integration.receiver import Receiver, receiver, says
from tests.leaks import look
from tests.observability.drainer import drain, to
from tests.starts import in_test

pytestmark = pytest.mark.django_db


@pytest.fixture(scope="module")
def broken() -> Iterator[Receiver]:
    """Return a receiver that fails whatever comes."""
    with receiver() as there:
        there.answer = says(500)
        yield there


@pytest.fixture(scope="module")
def server(database, broken) -> Iterator[Server]:
    with running_server(database, threads=2, **to(broken)) as server:
        yield server


def lines(log: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in log.splitlines() if line[:1] == "{"]


def trail(server: Server, case_id: str) -> list[dict[str, Any]]:
    return server.ask("GET", f"/cases/{case_id}/audit-events", AUDITOR).json()["results"]


def run(database: str, *command: str) -> list[dict[str, Any]]:
    """Run a command as a process of its own; returns what it logged."""
    done = starts.run("manage.py", *command, environment=in_test(database, LOG_FORMAT="json"))
    look(done.stderr)
    assert done.returncode == 0, done.stderr
    return lines(done.stderr)


def test_a_request_is_one_id_in_answer_log_and_trail(server) -> None:
    answer = server.ask("POST", "/cases", WRITER, {"title": "Late"}, X_Request_ID="desk-7")
    case_id = answer.json()["id"]

    of_it = [line for line in lines(server.logged()) if line.get("request_id") == "desk-7"]

    assert answer.headers["X-Request-ID"] == "desk-7"
    assert [line["event"] for line in of_it] == ["case_created", "request"]
    assert {line["actor_id"] for line in of_it} == {WRITER.id}
    (event,) = trail(server, case_id)
    assert (event["request_id"], event["id"]) == ("desk-7", of_it[0]["event_id"])


def test_a_command_is_one_id_in_log_and_trail(server, database) -> None:
    past = {"title": "Late", "due_at": "2020-01-01T00:00:00Z"}
    case_id = server.ask("POST", "/cases", ADMIN, past).json()["id"]
    server.ask("POST", f"/cases/{case_id}/submit", ADMIN)

    (line,) = [line for line in run(database, "check_slas") if line["event"] == "case_overdue"]

    assert line["case_id"] == case_id
    assert line["request_id"].startswith("check_slas:")
    assert trail(server, case_id)[-1]["request_id"] == line["request_id"]


def test_what_a_drainer_says_of_a_failure_has_its_id_and_leads_to_the_case(
    server, database
) -> None:
    case_id = server.ask("POST", "/cases", WRITER, {"title": "Late"}).json()["id"]
    with receiver() as there:
        there.answer = says(500)
        done = drain(database, **to(there))

    failures = [line for line in lines(done.stderr) if line["event"] == "outbox_delivery_failed"]
    assert case_id in {line["case_id"] for line in failures}
    (identity,) = {line["request_id"] for line in failures}
    assert identity.startswith("drain_outbox:")
