"""The walk-through of the README and the worst bodies, by curl, against a real server."""

import json
import re
import subprocess

import pytest

from tests.api.server import copied_database, running_server

pytestmark = pytest.mark.django_db

JSON = ("-H", "Content-Type: application/json")
WRITER = ("-H", "X-Actor-ID: writer-1", "-H", "X-Actor-Roles: case_writer")
REVIEWER = ("-H", "X-Actor-ID: reviewer-1", "-H", "X-Actor-Roles: reviewer")


@pytest.fixture(scope="module")
def server(django_db_setup, django_db_blocker):
    with (
        django_db_blocker.unblock(),
        copied_database() as url,
        running_server(url) as running,
    ):
        yield running


def curl(server, path, *arguments, body=None):
    """Return status, headers and parsed body; curl must have read the answer to its end."""
    done = subprocess.run(
        ["curl", "-sS", "-i", "-m", "30", "-H", "Expect:", f"{server.url}{path}", *arguments]
        + ([] if body is None else ["--data-binary", "@-"]),
        input=body,
        capture_output=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    head, _, content = done.stdout.partition(b"\r\n\r\n")
    status = int(head.split(b" ", 2)[1])
    headers = dict(re.findall(rb"(?m)^([^:\r\n]+): *([^\r\n]*)", head))
    assert headers[b"Content-Type"] == b"application/json", done.stdout[:500]
    return status, {k.decode().lower(): v.decode() for k, v in headers.items()}, json.loads(content)


def a_case(server):
    return curl(server, "/cases", "-X", "POST", *JSON, *WRITER, body=b'{"title":"Late"}')[2]["id"]


def test_the_walk_through_of_the_readme(server):
    created = curl(
        server, "/cases", "-X", "POST", *JSON, *WRITER, "-d", '{"title":"Late reporting"}'
    )
    case_id = created[2]["id"]
    submitted = curl(server, f"/cases/{case_id}/submit", "-X", "POST", *WRITER)
    started = curl(
        server,
        f"/cases/{case_id}/start-review",
        "-X",
        "POST",
        *JSON,
        *REVIEWER,
        "-d",
        '{"reviewer_id":"reviewer-1"}',
    )

    assert [step[0] for step in (created, submitted, started)] == [201, 200, 200]
    assert created[1]["location"] == f"{server.url}/cases/{case_id}"
    assert [step[1]["etag"] for step in (created, submitted, started)] == ['"0"', '"1"', '"2"']
    assert [s[2]["status"] for s in (created, submitted, started)] == [
        "DRAFT",
        "SUBMITTED",
        "UNDER_REVIEW",
    ]
    trail = curl(server, f"/cases/{case_id}/audit-events", *REVIEWER)[2]["results"]
    assert [event["sequence"] for event in trail] == [0, 1, 2]
    assert [e["request_id"] for e in trail] == [
        s[1]["x-request-id"] for s in (created, submitted, started)
    ]


@pytest.mark.parametrize(
    ("path", "actor", "body", "refusal"),
    [
        ("/cases", (), {"title": "x"}, (401, "not_authenticated")),
        ("/cases", REVIEWER, {"title": "x"}, (403, "permission_denied")),
        ("/cases", WRITER, {"title": " "}, (422, "validation_error")),
        ("/cases/{id}/start-review", WRITER, {}, (403, "permission_denied")),
        ("/cases/CASE-999999/submit", WRITER, {}, (404, "case_not_found")),
        ("/cases/{id}/close", REVIEWER, {"reason": " "}, (422, "validation_error")),
        ("/cases/{id}/close", REVIEWER, {"reason": "x"}, (409, "invalid_case_transition")),
        ("/nowhere", WRITER, {}, (404, "not_found")),
    ],
    ids=str,
)
def test_what_is_done_wrong_is_told_as_the_contract_says(server, path, actor, body, refusal):
    case_id = a_case(server)

    status, headers, told = curl(
        server, path.replace("{id}", case_id), *JSON, *actor, body=json.dumps(body).encode()
    )

    assert (status, told["error"]) == refusal
    assert told["request_id"] == headers["x-request-id"]


def test_a_body_of_unannounced_length_is_read_like_any_other(server):
    chunked = ("-H", "Transfer-Encoding: chunked")

    told = curl(server, "/cases", "-X", "POST", *JSON, *WRITER, *chunked, body=b'{"title":"Late"}')

    assert (told[0], told[2].get("title")) == (201, "Late")


TWELVE_MB = b'{"title": "' + b"x" * 12_000_000 + b'"}'
WORST = {
    "twelve megabytes": (TWELVE_MB, 413),
    "open brackets": (b"[" * 100_000, 400),
    "open and closed brackets": (b"[" * 100_000 + b"]" * 100_000, 400),
    "nested objects": (b'{"a":' * 100_000 + b"1" + b"}" * 100_000, 400),
    "brackets in a field": (b'{"title":' + b"[" * 100_000 + b"]" * 100_000 + b"}", 400),
    "not UTF-8": (b'{"title": "\xff\xfe"}', 400),
}


@pytest.mark.parametrize(("body", "status"), WORST.values(), ids=WORST)
@pytest.mark.parametrize("chunked", [False, True], ids=["sized", "chunked"])
def test_the_worst_bodies_get_an_answer_that_the_caller_reads(server, body, status, chunked):
    length = ("-H", "Transfer-Encoding: chunked") if chunked else ()

    told = curl(server, "/cases", "-X", "POST", *JSON, *WRITER, *length, body=body)

    assert told[0] == status
    assert told[2]["error"] == {413: "payload_too_large", 400: "malformed_request"}[status]


@pytest.mark.parametrize(
    ("path", "actor", "status"),
    [("/cases", (), 401), ("/cases/CASE-999999/close", REVIEWER, 404), ("/nowhere", WRITER, 404)],
    ids=str,
)
def test_a_huge_body_does_not_keep_other_refusals_from_being_read(server, path, actor, status):
    told = curl(server, path, "-X", "POST", *JSON, *actor, body=TWELVE_MB)

    assert told[0] == status


def test_the_log_tells_of_requests_but_not_what_they_said(server):
    case_id = a_case(server)
    notes = f"/cases/{case_id}/notes"
    body = b'{"body":"the-whistleblower","x":"y"}'
    curl(server, notes, "-X", "POST", *JSON, *WRITER, body=body)
    curl(server, notes, "-X", "POST", *JSON, *WRITER, body=b'{"body":"the-whistleblower"}')
    curl(server, "/cases?status=the-search-word&secret=the-search-word", *WRITER)
    curl(server, "/cases?cursor=the-search-word", *WRITER)

    log = server.logged()

    assert '"event":"case_note_added"' in log
    assert case_id in log
    assert "the-whistleblower" not in log
    assert "the-search-word" not in log
    for line in log.splitlines():
        json.loads(line)
