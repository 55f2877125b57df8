"""Refusals that no endpoint decides: always JSON, always of the one shape."""

import pytest

from tests.api import expect
from tests.api.endpoints import WRITES
from tests.cast import AUDITOR, WRITER
from tests.factories import CaseFactory

pytestmark = pytest.mark.django_db

ACCEPT = ["application/json", "*/*", None, "application/*", "text/html;q=0.1, */*"]
POST_ONLY = ["submit", "start-review", "assign", "escalate", "close", "pause"]
POST_ONLY += ["resume", "restrict", "unrestrict", "access"]


def accepting(accept):
    return {} if accept is None else {"HTTP_ACCEPT": accept}


@pytest.mark.parametrize("accept", ACCEPT)
@pytest.mark.parametrize("prefix", ["", "/v1"])
@pytest.mark.parametrize(
    "path", ["/nowhere", "/cases/", "/cases//", "/cases/CASE-000001/", "/cases/CASE-000001/fly"]
)
def test_an_address_that_does_not_exist_is_told_in_json(as_actor, path, prefix, accept):
    answer = as_actor(WRITER).get(f"{prefix}{path}", **accepting(accept))

    expect.refusal(answer, 404, "not_found", set())


@pytest.mark.parametrize("accept", ACCEPT[:3])
@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("put", "/cases"),
        ("patch", "/cases"),
        ("delete", "/cases"),
        ("put", "/cases/{id}"),
        ("delete", "/cases/{id}"),
        ("post", "/cases/{id}"),
        ("delete", "/cases/{id}/notes"),
        ("post", "/cases/{id}/audit-events"),
        ("put", "/cases/{id}/due-date"),
        ("post", "/cases/{id}/reviewers"),
        *(("get", f"/cases/{{id}}/{path}") for path in POST_ONLY),
    ],
)
def test_a_method_that_is_not_offered_is_told_with_those_that_are(as_actor, method, path, accept):
    case = CaseFactory()

    answer = getattr(as_actor(WRITER), method)(path.format(id=case.id), **accepting(accept))

    expect.refusal(answer, 405, "method_not_allowed", set())
    assert answer.headers["Allow"]
    assert method.upper() not in answer.headers["Allow"]
    expect.unchanged(case)


@pytest.mark.parametrize("accept", ["application/xml", "text/csv", "image/png", "text/plain"])
@pytest.mark.parametrize(
    "path", ["/cases", "/cases/{id}", "/cases/{id}/notes", "/cases/{id}/audit-events"]
)
def test_a_form_that_is_not_offered_is_told_in_json(as_actor, path, accept):
    case = CaseFactory()

    answer = as_actor(WRITER).get(path.format(id=case.id), HTTP_ACCEPT=accept)

    expect.refusal(answer, 406, "not_acceptable", set())


@pytest.mark.parametrize("accept", ["", "garbage", "a/b/c", ";;;", "*", "application/json;q=x"])
def test_an_accept_header_that_is_garbage_is_no_failure(as_actor, accept):
    expect.no_failure(as_actor(WRITER).get("/cases", HTTP_ACCEPT=accept))


@pytest.mark.parametrize(
    "content_type",
    [
        "text/plain",
        "application/xml",
        "application/x-www-form-urlencoded",
        "multipart/form-data; boundary=x",
        "multipart/form-data",
        "application/jsonp",
        "application/merge-patch+json",
        "json",
        "a/b/c",
    ],
)
@pytest.mark.parametrize("write", WRITES, ids=str)
def test_only_json_is_read(as_actor, write, content_type):
    case = write.case()

    answer = getattr(as_actor(write.may), write.method)(
        f"/cases/{case.id}{write.path}", "reason=x", content_type=content_type
    )

    expect.refusal(answer, 415, "unsupported_media_type", set())
    expect.unchanged(case)


@pytest.mark.parametrize(
    "content_type", ["application/json; charset=utf-8", "APPLICATION/JSON", "application/json;x=y"]
)
def test_json_is_json_however_it_is_spelt(as_actor, content_type):
    answer = as_actor(WRITER).post("/cases", '{"title":"Spät"}', content_type=content_type)

    assert expect.the_case(answer, 201)["title"] == "Spät"


@pytest.mark.parametrize("host", ["evil.example", "", "a b", "localhost:port", "[", "ü.example"])
def test_a_host_that_is_not_ours_is_refused_in_json(as_actor, host):
    answer = as_actor(WRITER).get("/cases", HTTP_HOST=host)

    expect.refusal(answer, 400, "malformed_request", set())


@pytest.mark.parametrize("method", ["options", "head"])
@pytest.mark.parametrize("path", ["/cases", "/cases/{id}", "/cases/{id}/close", "/health/live"])
def test_the_quiet_methods_never_fail(as_actor, method, path):
    case = CaseFactory()

    answer = getattr(as_actor(AUDITOR), method)(path.format(id=case.id))

    assert answer.status_code in (200, 405)
    assert answer.headers["Content-Type"] == "application/json"


@pytest.mark.parametrize(
    "path",
    ["/cases", "/cases?limit=0", "/cases/{id}", "/cases/{id}/notes", "/cases/{id}/audit-events",
     "/cases/CASE-999999", "/cases/{id}/close", "/cases/{id}/submit"],
)  # fmt: skip
@pytest.mark.parametrize("role", [WRITER, AUDITOR], ids=lambda a: a.id)
def test_a_browser_gets_pages_that_do_not_fail(as_actor, path, role):
    case = CaseFactory(restricted=False)

    answer = as_actor(role).get(path.format(id=case.id), HTTP_ACCEPT="text/html")

    assert answer.status_code < 500, answer.content[:300]
    assert (
        answer.content.startswith(b"<!DOCTYPE html>")
        or answer.headers["Content-Type"] == "application/json"
    )


@pytest.mark.parametrize("write", WRITES, ids=str)
def test_v1_is_the_same_house(as_actor, write):
    case = write.case()
    client = as_actor(write.may)

    refused = [write.call(client, case.id, [1], prefix) for prefix in ("", "/v1")]
    done = write.call(client, case.id, prefix="/v1")
    read = [as_actor(AUDITOR).get(f"{prefix}/cases/{case.id}") for prefix in ("", "/v1")]

    assert [answer.status_code for answer in refused] == [422, 422]
    assert len({str(a.json() | {"request_id": ""}) for a in refused}) == 1
    assert done.status_code == write.answer
    assert read[0].json() == read[1].json()
    assert read[0].json()["version"] == case.version + 1
