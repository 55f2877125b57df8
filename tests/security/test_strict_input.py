"""What is sent is read as it says it is, completely, or refused: nothing is guessed or dropped."""

from __future__ import annotations

import gzip
import json
import socket

import pytest

from tests.api import expect
from tests.api.endpoints import WRITES
from tests.api.server import copied_database, running_server
from tests.cast import AUDITOR, NOBODY, WRITER
from tests.factories import CaseFactory

pytestmark = pytest.mark.django_db

every_write = pytest.mark.parametrize("write", WRITES, ids=str)


@every_write
@pytest.mark.parametrize("encoding", ["gzip", "br", "deflate", "GZIP", "identity, gzip", "x"])
def test_a_body_that_says_it_is_compressed_is_not_taken(as_actor, write, encoding) -> None:
    case = write.case()
    body = gzip.compress(json.dumps(write.body or {}).encode())

    answer = getattr(as_actor(write.may), write.method)(
        f"/cases/{case.id}{write.path}", body, content_type="application/json",
        HTTP_CONTENT_ENCODING=encoding,
    )  # fmt: skip

    expect.refusal(answer, 415, "unsupported_media_type", set())
    assert answer.headers["Accept-Encoding"] == "identity"
    expect.unchanged(case)


@pytest.mark.parametrize("encoding", ["", "identity", "Identity"])
def test_a_body_that_says_it_is_as_it_is_is_taken(as_actor, encoding) -> None:
    answer = as_actor(WRITER).post("/cases", {"title": "x"}, HTTP_CONTENT_ENCODING=encoding)

    expect.the_case(answer, 201)


@pytest.mark.parametrize("charset", ["latin-1", "utf-16", "us-ascii", "x", '"iso-8859-1"', ""])
def test_a_body_that_says_it_is_not_utf_8_is_not_taken(as_actor, charset) -> None:
    answer = as_actor(WRITER).post(
        "/cases", b'{"title": "x"}', content_type=f"application/json; charset={charset}"
    )

    expect.refusal(answer, 415, "unsupported_media_type", set())


def test_a_range_of_types_is_no_type_of_a_body(as_actor) -> None:
    for kind in ("*/*", "application/*", "*/json", "*/*; charset=utf-8", " */* "):
        answer = as_actor(WRITER).post("/cases", b'{"title": "x"}', content_type=kind)
        expect.refusal(answer, 415, "unsupported_media_type", set())


def test_a_query_that_is_not_utf_8_is_refused_and_not_read_as_something_else(as_actor) -> None:
    wanda = as_actor(WRITER)
    for query in ("source=%ff", "%ff=x", "search=a%ed%a0%80", "source=\u00ff", "cursor=%c0%80"):
        answer = wanda.generic("GET", "/cases", QUERY_STRING=query)
        expect.refusal(answer, 400, "malformed_request", set())
    for answer in (wanda.post("/v1/cases?x=%ff", {"title": "x"}), wanda.get("/health/live?%fe")):
        expect.refusal(answer, 400, "malformed_request", set())
    assert wanda.get("/admin/login/?next=%ff").headers["Content-Type"].startswith("text/html")
    for query in ("source=B%C3%BCro+1", "source=B\u00c3\u00bcro"):
        assert wanda.generic("GET", "/cases", QUERY_STRING=query).status_code == 200


@pytest.mark.parametrize("charset", ["utf-8", "UTF-8", "utf8", '"utf-8"'])
def test_a_body_that_says_it_is_utf_8_is_taken(as_actor, charset) -> None:
    answer = as_actor(WRITER).post(
        "/cases", '{"title": "Späte"}'.encode(), content_type=f"application/json; charset={charset}"
    )

    assert expect.the_case(answer, 201)["title"] == "Späte"


@pytest.mark.parametrize(
    "more", [{"HTTP_CONTENT_ENCODING": "gzip"}, {"content_type": "application/json; charset=x"}]
)
def test_who_may_not_act_is_told_that_first(as_actor, more) -> None:
    case = CaseFactory()

    answer = as_actor(AUDITOR).patch(
        f"/cases/{case.id}", b"{}", **{"content_type": "application/json", **more}
    )

    expect.refusal(answer, 403, "permission_denied", set())


@every_write
@pytest.mark.parametrize("top", ["[]", "[1]", '"x"', "1", "1.5", "true", "null"])
def test_a_body_that_is_json_but_no_object_is_wrong_input(as_actor, write, top) -> None:
    case = write.case()

    answer = getattr(as_actor(write.may), write.method)(
        f"/cases/{case.id}{write.path}", top, content_type="application/json"
    )

    expect.refusal(answer, 422, "validation_error", {"body"})
    expect.unchanged(case)


@every_write
@pytest.mark.parametrize("query", ["dry_run=1", "limit=5", "cursor=x", "reason=x", "="])
def test_a_write_takes_nothing_from_its_address(as_actor, write, query) -> None:
    case = write.case()

    for actor, wanted in ((write.may, 422), (NOBODY, 403)):
        answer = getattr(as_actor(actor), write.method)(
            f"/cases/{case.id}{write.path}?{query}", write.body, format="json"
        )
        assert answer.status_code == wanted

    expect.unchanged(case)


@pytest.mark.parametrize("query", ["dry_run=1", "limit=5", "cursor=x"])
def test_neither_does_the_intake(as_actor, query) -> None:
    answer = as_actor(WRITER).post(f"/cases?{query}", {"title": "x"})

    expect.refusal(answer, 422, "validation_error", {query.split("=")[0]})


@pytest.mark.parametrize("path", ["", "/notes", "/audit-events"])
@pytest.mark.parametrize("query", ["colour=red", "status=DRAFT", "format=json"])
def test_a_read_takes_only_the_parameters_it_knows(as_actor, path, query) -> None:
    case = CaseFactory()

    answer = as_actor(WRITER).get(f"/cases/{case.id}{path}?{query}")

    expect.refusal(answer, 422, "validation_error", {query.split("=")[0]})


NUMBERS = ["1e999", "-0.0", "1" + "0" * 400, "9" * 4000, "0.1" + "0" * 4000, "1e-999", "123"]


@every_write
@pytest.mark.parametrize("number", NUMBERS, ids=lambda number: number[:8])
def test_a_number_is_no_text_however_large_or_small(as_actor, write, number) -> None:
    case = write.case()
    name = next(iter(write.body or {"reason": ""}))

    answer = getattr(as_actor(write.may), write.method)(
        f"/cases/{case.id}{write.path}",
        f'{{"{name}": {number}}}'.encode(),
        content_type="application/json",
    )

    assert name in expect.refusal(answer, 422, "validation_error")
    expect.unchanged(case)


@pytest.mark.parametrize("name", ["x" * 256, "x" * 100_000, "title ", "Title", "ti\u200btle"])
def test_a_name_that_is_nearly_one_of_ours_is_none(as_actor, name) -> None:
    answer = as_actor(WRITER).post("/cases", {"title": "x", name: "y"})

    expect.refusal(answer, 422, "validation_error", {name})


@pytest.fixture(scope="module")
def server(django_db_setup, django_db_blocker):
    with django_db_blocker.unblock(), copied_database() as url, running_server(url) as running:
        yield running


PATHS = [
    "//cases", "/cases//", "/./cases", "/../cases", "/cases/../cases", "/cases;a=b", "/cases/;",
    "/%2e%2e/cases", "/cases%00", "/%00", "/cases%2f", "/%ff", "/cases/%ff%fe", "/cases/",
    "/v1", "/v1/", "/v1//cases", "/v2/cases", "/CASES", "/cases/CASE-000001/", "/x" * 1_500,
    "/cases/" + "x" * 3_000, "/%25", "/cases%20", "/static/../manage.py", "/static/%2e%2e/x",
]  # fmt: skip


@pytest.mark.parametrize("path", PATHS, ids=lambda path: path[:24])
def test_an_address_that_is_nearly_one_of_ours_is_none(server, path) -> None:
    answer = server.ask("GET", path, WRITER)

    code = "case_not_found" if re_case(path) else "not_found"
    expect.refusal(answer, 404, code, set())


def re_case(path: str) -> bool:
    """Tell whether it is the address of one case, however it is called."""
    return path.startswith("/cases/") and path.count("/") == 2 and len(path) > len("/cases/")


@pytest.mark.parametrize("method", ["TRACE", "PROPFIND", "FOO", "POST", "PURGE", "LINK"])
@pytest.mark.parametrize(
    "path", ["/cases/CASE-000001/audit-events", "/cases/CASE-000001", "/health/live"]
)
def test_a_method_that_nobody_offers_is_refused_in_json(server, method, path) -> None:
    answer = server.ask(method, path, WRITER)

    expect.refusal(answer, 405, "method_not_allowed", set())
    assert method not in answer.headers["Allow"].split(", ")


@pytest.mark.parametrize("method", ["OPTIONS", "HEAD"])
@pytest.mark.parametrize(
    "path", ["/cases", "/cases/CASE-000001", "/cases/CASE-000001/close", "/health/live", "/docs",
             "/openapi.json", "/nowhere"]
)  # fmt: skip
def test_asking_what_there_is_never_fails_and_gets_no_page(server, method, path) -> None:
    answer = server.ask(method, path, WRITER)

    assert answer.status_code in (200, 404, 405)
    if method == "HEAD":
        assert answer.content == b""
    if answer.status_code == 405 or (method == "OPTIONS" and answer.status_code == 200):
        assert answer.headers["Allow"]


@pytest.mark.parametrize("body", [b'{"title"', b"x" * 100_000, b"{}"], ids=["half", "long", "json"])
def test_a_body_that_nobody_asked_for_is_passed_over(server, body) -> None:
    """The body of a GET means nothing (RFC 9110, 9.3.1)."""
    answer = server.ask("GET", "/cases", WRITER, body)

    assert answer.status_code == 200


def test_a_body_that_nobody_asked_for_does_not_become_a_request(server) -> None:
    smuggled = b"GET /health/live HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
    head = (
        "GET /cases HTTP/1.1\r\nHost: localhost\r\nX-Actor-ID: wanda\r\n"
        f"X-Actor-Roles: case_writer\r\nContent-Length: {len(smuggled)}\r\n\r\n"
    ).encode()
    with socket.create_connection(("127.0.0.1", server.port), 30) as caller:
        caller.sendall(head + smuggled)
        caller.shutdown(socket.SHUT_WR)
        received = b"".join(iter(lambda: caller.recv(65_536), b""))

    assert received.count(b"HTTP/1.1 ") == 1
    assert b'"results"' in received


@pytest.mark.parametrize(("blanks", "status"), [(199, 201), (200, 422)])
def test_blanks_around_a_text_count_as_the_document_counts_them(as_actor, blanks, status) -> None:
    answer = as_actor(WRITER).post("/cases", {"title": "x" + " " * blanks})

    assert answer.status_code == status
    if status == 422:
        expect.refusal(answer, 422, "validation_error", {"title"})
    else:
        assert answer.json()["title"] == "x"
