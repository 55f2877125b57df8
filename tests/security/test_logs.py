"""Logs tell that something happened, to which case and by whom; never what was written."""

import logging

import pytest

from tests.api.endpoints import WRITES
from tests.cast import AUDITOR, NOBODY, WRITER
from tests.factories import CaseFactory
from tests.leaks import secret

pytestmark = pytest.mark.django_db

SECRET = secret("Xylophon7")


@pytest.fixture
def log(caplog):
    caplog.set_level(logging.DEBUG)
    return caplog


def secretive(value):
    return dict.fromkeys(value or {"reason": ""}, SECRET)


@pytest.mark.parametrize("actor", ["may", "may not"])
@pytest.mark.parametrize("body", ["good", "wrong", "malformed", "another type"])
@pytest.mark.parametrize("write", WRITES, ids=str)
def test_no_body_is_logged(as_actor, log, capfd, write, body, actor):
    case = write.case()
    client = as_actor(write.may if actor == "may" else AUDITOR)
    log.clear()
    if body == "good":
        texts = {"title", "reason", "body", "reviewer_id"}
        content = {n: SECRET if n in texts else v for n, v in (write.body or {}).items()}
        answer = write.call(client, case.id, content)
    elif body == "wrong":
        answer = write.call(client, case.id, {SECRET: SECRET, **secretive(write.body)})
    else:
        kind = "application/json" if body == "malformed" else "text/plain"
        answer = getattr(client, write.method)(
            f"/cases/{case.id}{write.path}", f'{{"reason": "{SECRET}', content_type=kind
        )

    assert answer.status_code < 500
    assert f"/cases/{case.id}" in log.text
    assert SECRET not in log.text
    assert SECRET not in "".join(capfd.readouterr())


@pytest.mark.parametrize(
    "path",
    [
        "/cases?search={s}",
        "/cases?status={s}",
        "/cases?cursor={s}",
        "/cases?{s}=1",
        "/cases/CASE-000001?q={s}",
        "/nowhere?q={s}",
        "/health/live?q={s}",
        "/openapi.json?q={s}",
    ],
)
def test_no_query_is_logged(as_actor, log, capfd, path):
    as_actor(WRITER).get(path.format(s=SECRET))

    assert path.split("?")[0] in log.text
    assert SECRET not in log.text
    assert SECRET not in "".join(capfd.readouterr())


@pytest.mark.parametrize("header", ["HTTP_AUTHORIZATION", "HTTP_COOKIE", "HTTP_X_CSRFTOKEN"])
def test_no_token_is_logged(as_actor, log, header):
    as_actor(NOBODY).post("/cases", {"title": "x"}, **{header: f"sessionid={SECRET}"})

    assert "/cases" in log.text
    assert SECRET not in log.text


def test_each_request_is_one_line_with_who_what_and_how_it_ended(as_actor, log):
    case = CaseFactory()
    log.clear()

    answer = as_actor(WRITER).get(f"/cases/{case.id}", HTTP_X_REQUEST_ID="trace-7")

    lines = [record.msg for record in log.records if record.name == "http"]
    assert answer.status_code == 200
    assert len(lines) == 1
    assert (
        lines[0].items()
        >= {
            "event": "request",
            "request_id": "trace-7",
            "actor_id": "wanda",
            "method": "GET",
            "path": f"/cases/{case.id}",
            "status": 200,
        }.items()
    )
    assert lines[0]["duration_ms"] >= 0


def test_an_action_is_one_event_with_its_case(as_actor, log, django_capture_on_commit_callbacks):
    case = CaseFactory()
    log.clear()

    with django_capture_on_commit_callbacks(execute=True):
        as_actor(WRITER).post(f"/cases/{case.id}/submit")

    lines = [r.msg for r in log.records if r.name == "cases"]
    assert [(line["event"], line["case_id"], line["actor_id"]) for line in lines] == [
        ("case_submitted", case.id, "wanda")
    ]


def test_a_change_that_is_undone_is_not_told(as_actor, log, django_capture_on_commit_callbacks):
    case = CaseFactory(status="SUBMITTED")
    log.clear()

    with django_capture_on_commit_callbacks(execute=True):
        as_actor(WRITER).post(f"/cases/{case.id}/submit")

    assert not [record for record in log.records if record.name == "cases"]


def test_a_stranger_fills_the_log_with_no_tracebacks(client, caplog):
    client.raise_request_exception = False
    answers = [
        client.get("/admin/", HTTP_HOST="evil.example"),
        client.get("/cases", HTTP_HOST="evil.example" + "x" * 1_000),
        client.post("/admin/login/", {f"field{n}": "" for n in range(1_100)}),
    ]

    assert [answer.status_code for answer in answers] == [400, 400, 400]
    found = [line for line in caplog.records if line.levelno >= logging.WARNING]
    assert [line.msg["cause"] for line in found] == [
        "DisallowedHost", "DisallowedHost", "TooManyFieldsSent",
    ]  # fmt: skip
    assert found[0].msg["host"] == "evil.example"
    assert len(found[1].msg["host"]) == 253
    assert "Traceback" not in caplog.text
