"""A caller that names another encoding than UTF-8 is read in none, and escapes nothing."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest

from config.http.media_types import in_utf_8, is_utf_8
from tests.api import expect
from tests.api.server import Server, copied_database, running_server
from tests.cast import WRITER

ENCODINGS = ("unicode_escape", "zlib", "undefined", "rot13", "utf-16", "utf-7", "latin-1", "")


@pytest.mark.parametrize("name", ["UTF-8", "utf8", '"utf-8"'])
def test_utf_8_goes_by_its_names(name):
    assert is_utf_8(f"multipart/form-data; boundary=x; charset={name}")


@pytest.mark.parametrize("name", ENCODINGS)
def test_others_reach_nothing_behind(name):
    seen: list[str] = []

    def application(environ, start_response):
        seen.append(environ["CONTENT_TYPE"])
        return []

    for given in (f"text/plain; charset={name}", f"text/plain; charset*={name}''x", "text/plain"):
        in_utf_8(application)({"CONTENT_TYPE": given}, lambda *_: None)

    assert seen == [
        "text/plain; charset=other-than-utf-8",
        "text/plain; charset=other-than-utf-8",
        "text/plain",
    ]


@pytest.fixture(scope="module")
def server(django_db_setup, django_db_blocker) -> Iterator[Server]:
    with (
        django_db_blocker.unblock(),
        copied_database("encodings") as url,
        running_server(url, threads=2, LOGIN_FAILURES="3") as running,
    ):
        yield running


@pytest.mark.django_db
@pytest.mark.parametrize("name", ENCODINGS)
def test_an_address_with_a_query_is_answered_as_ever(server, name):
    for kind in (f"text/plain; charset={name}", f"text/plain; x*={name}''y"):
        for path in ("/health/live?x=1", "/admin/login/?next=a", "/docs?x=1"):
            assert server.get(path, {"Content-Type": kind})[0] == 200
        refused = server.ask("GET", "/cases?search=whistle", Content_Type=kind)
        expect.refusal(refused, 401, "not_authenticated", set())
    said = server.logged()
    assert "whistle" not in said
    assert "Traceback" not in said


@pytest.mark.django_db
@pytest.mark.parametrize("name", ["unicode_escape", "zlib", "latin-1"])
def test_no_password_is_guessed_in_a_form_that_cannot_be_counted(server, name):
    page = server.ask("GET", "/admin/login/")
    [token] = re.findall(r'csrfmiddlewaretoken" value="(\w+)"', page.content.decode())
    cookie = page.headers["Set-Cookie"].partition(";")[0]
    parts = {"csrfmiddlewaretoken": token, "username": "rob", "password": "guess", "x": "\\ud800"}
    body = "".join(
        f'--XB\r\nContent-Disposition: form-data; name="{field}"\r\n\r\n{value}\r\n'
        for field, value in parts.items()
    )
    sent = f"{body}--XB--\r\n".encode()
    kind = f"multipart/form-data; boundary=XB; charset={name}"

    for _ in range(4):
        answer = server.ask("POST", "/admin/login/", body=sent, Content_Type=kind, Cookie=cookie)

        assert answer.status_code in (400, 403)
        assert b"Please enter the correct" not in answer.content


@pytest.mark.django_db
def test_json_in_another_encoding_is_refused_as_such(server):
    answer = server.ask(
        "POST", "/cases", WRITER, b"{}", Content_Type="application/json; charset=latin-1"
    )

    expect.refusal(answer, 415, "unsupported_media_type", set())


@pytest.mark.django_db
@pytest.mark.parametrize("name", ["name*=zlib''x", "name=\"file\"; filename*=zlib''x"])
def test_a_part_of_a_form_in_no_encoding_is_no_fault_of_ours(client, name):
    body = f"--XB\r\nContent-Disposition: form-data; {name}\r\n\r\nx\r\n--XB--\r\n"

    answer = client.generic(
        "POST", "/admin/login/", body.encode(), content_type="multipart/form-data; boundary=XB"
    )

    assert answer.status_code in (200, 400)
