import json
import time
from collections.abc import Iterator
from contextlib import closing

import psycopg
import pytest

from config import health
from config.postgresql.base import unpooled
from tests.api import expect
from tests.api.server import copied_database, free_port, running_server
from tests.starts import in_test, run


@pytest.mark.parametrize("method", ["get", "head"])
def test_a_live_process_says_so_without_a_database(client, method):
    answer = getattr(client, method)("/health/live")

    assert (answer.status_code, answer.headers["Content-Type"]) == (200, "application/json")
    if method == "get":
        assert answer.json() == {"status": "ok"}


@pytest.mark.django_db
def test_it_is_ready_when_the_database_answers_and_is_migrated(client):
    answer = client.get("/health/ready")

    assert (answer.status_code, answer.headers["Content-Type"]) == (200, "application/json")
    assert answer.json() == {"status": "ok"}


def test_it_is_not_ready_while_a_migration_is_missing(django_db_setup, django_db_blocker):
    last = "(SELECT max(id) FROM django_migrations WHERE app = %s)"
    with (
        django_db_blocker.unblock(),
        copied_database("unmigrated") as url,
        psycopg.connect(url, autocommit=True) as database,
        running_server(url) as server,
    ):
        for app in ("audit", "cases", "outbox", "auth"):
            gone = database.execute(
                f"DELETE FROM django_migrations WHERE id = {last} RETURNING app, name, applied",
                [app],
            ).fetchone()
            answer = server.ask("GET", "/health/ready")
            database.execute(
                "INSERT INTO django_migrations (app, name, applied) VALUES (%s, %s, %s)", gone
            )

            expect.refusal(answer, 503, "dependency_unavailable", set())
            assert "igration" in answer.json()["message"]
            assert int(answer.headers["Retry-After"]) >= 1
        assert server.ask("GET", "/health/ready").status_code == 200


def test_without_a_database_it_lives_but_is_not_ready_and_tells_so_everywhere():
    url = f"postgresql://nobody:a-secret@127.0.0.1:{free_port()}/nothing"
    actor = {"X-Actor-ID": "wanda", "X-Actor-Roles": "case_writer"}

    with running_server(url) as server:
        live, ready = server.get("/health/live"), server.get("/health/ready")
        cases = server.get("/cases", actor)
        nowhere = server.get("/nowhere")
        log = server.logged()

    assert live[0] == 200
    assert ready[0] == 503
    assert json.loads(ready[1])["error"] == "dependency_unavailable"
    assert json.loads(ready[1])["message"] == "The database does not answer."
    assert b"a-secret" not in ready[1] + cases[1]
    assert "a-secret" not in log
    assert cases[0] == 503
    assert json.loads(cases[1])["error"] == "dependency_unavailable"
    assert set(json.loads(cases[1])) == {"error", "message", "details", "request_id"}
    assert nowhere[0] == 404


def test_an_outage_asks_the_caller_to_come_back():
    script = """
import django
django.setup()
from django.test import Client
answer = Client(raise_request_exception=False).get(
    "/cases", headers={"X-Actor-ID": "wanda", "X-Actor-Roles": "case_writer"})
print(answer.status_code, answer.headers["Retry-After"], answer.headers["Content-Type"])
"""
    nowhere = f"postgresql://nobody@127.0.0.1:{free_port()}/nothing"

    done = run("-c", script, environment=in_test(nowhere, DJANGO_SETTINGS_MODULE="config.settings"))

    assert done.returncode == 0, done.stderr
    status, wait, content_type = done.stdout.split()
    assert (status, content_type) == ("503", "application/json")
    assert int(wait) >= 1


@pytest.fixture
def hung_question(db, monkeypatch) -> Iterator[health._Database]:
    """A database whose first question gets no answer, until the test ends."""
    monkeypatch.setattr(health, "_PATIENCE", 0.2)
    monkeypatch.setattr(health, "_known_migrated", False)
    asked = health._Database()
    with closing(unpooled()) as holder:
        with holder.cursor() as cursor:
            cursor.execute("BEGIN")
            cursor.execute("LOCK TABLE django_migrations IN ACCESS EXCLUSIVE MODE")
        yield asked
        with holder.cursor() as cursor:
            cursor.execute("ROLLBACK")
        for question in asked._hanging:
            question.result(20)


def test_a_question_that_hangs_keeps_who_asks_again_from_waiting(hung_question):
    began = time.monotonic()
    for _ in range(50):
        assert hung_question.reason() == "The database does not answer within 0 seconds."

    assert time.monotonic() - began < 5
    assert len(hung_question._hanging) == 1


def test_a_question_that_hangs_by_itself_is_asked_anew(hung_question, monkeypatch):
    assert hung_question.reason() is not None
    monkeypatch.setattr(health, "_known_migrated", True)  # what is asked then hangs no longer
    monkeypatch.setattr(health, "_HANGS", 0.0)
    monkeypatch.setattr(health, "_PATIENCE", 20.0)

    assert hung_question.reason() is None


@pytest.mark.parametrize("path", ["/health/live", "/health/ready"])
@pytest.mark.parametrize("method", ["post", "put", "patch", "delete"])
def test_health_is_only_read(client, path, method):
    answer = getattr(client, method)(path)

    expect.refusal(answer, 405, "method_not_allowed")
    assert "GET" in answer.headers["Allow"]
