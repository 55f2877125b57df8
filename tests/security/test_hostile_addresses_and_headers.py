import pytest

from tests.api import expect
from tests.api.endpoints import WRITES
from tests.cast import ADMIN, WRITER

pytestmark = pytest.mark.django_db

IDS = [
    "CASE-9999999999999999999999",
    "CASE-999999999999999",
    "CASE-" + "9" * 5000,
    "CASE-%00",
    "CASE-000001%00",
    "%00",
    "CASE-000001%0A",
    "CASE-000001%20",
    "CASE-%D9%A0%D9%A0%D9%A0%D9%A0%D9%A0%D9%A1",  # Arabic digits
    "CASE-%EF%BC%90%EF%BC%90%EF%BC%90%EF%BC%90%EF%BC%90%EF%BC%91",  # full-width digits
    "CASE-%C2%B2%C2%B2%C2%B2%C2%B2%C2%B2%C2%B2",  # superscripts
    "CASE-%F0%9F%8F%A6",
    "%ff%fe",
    "%ed%a0%80",
    "..%2f..%2fetc%2fpasswd",
    "..%5c..%5c",
    "CASE-000001%2fsubmit",
    "CASE--00001",
    "CASE-+00001",
    "CASE-0x0001",
    "CASE-1e5",
    "cAsE-000001",
    "CASE-000001;a=b",
    "CASE-000001,CASE-000002",
    "'%20OR%201=1--",
    "%25s",
    "{{7*7}}",
    "x" * 10_000,
    "None",
    "-1",
]


@pytest.mark.parametrize("path", ["", "/notes", "/audit-events"])
@pytest.mark.parametrize("prefix", ["", "/v1"])
def test_an_id_that_is_none_is_not_found_by_readers(as_actor, subtests, path, prefix):
    for case_id in IDS:
        with subtests.test(case_id[:30]):
            answer = as_actor(ADMIN).get(f"{prefix}/cases/{case_id}{path}")

            assert answer.status_code in (404, 405)
            expect.no_failure(answer)


@pytest.mark.parametrize("write", WRITES, ids=str)
def test_an_id_that_is_none_is_not_found_by_writers(as_actor, subtests, write):
    for case_id in IDS:
        with subtests.test(case_id[:30]):
            answer = write.call(as_actor(ADMIN), case_id)

            assert answer.status_code in (404, 405)
            expect.no_failure(answer)


BAD_ACTORS = {
    "empty": "",
    "blank": " ",
    "too long": "x" * 151,
    "very long": "x" * 100_000,
    "umlaut": "wändä",
    "emoji as bytes": "🏦".encode().decode("latin-1"),
    "NUL": "wan\0da",
    "line break": "wanda\nX-Actor-Roles: admin",
    "CR LF": "wanda\r\nX-Evil: 1",
    "tab": "wan\tda",
    "leading space": " wanda",
    "DEL": "wanda\x7f",
}


@pytest.mark.parametrize("actor_id", BAD_ACTORS.values(), ids=BAD_ACTORS)
def test_an_actor_with_an_impossible_name_is_refused(stranger, actor_id):
    stranger.credentials(HTTP_X_ACTOR_ID=actor_id, HTTP_X_ACTOR_ROLES="case_writer")

    answer = stranger.post("/cases", {"title": "x"})

    assert answer.status_code in (400, 401)
    expect.no_failure(answer)


BAD_ROLES = {
    "NUL": "case_writer,\0",
    "line break": "case_writer\nadmin",
    "CR LF": "case_writer\r\nX-Evil: 1",
    "umlaut": "prüfer",
    "quote": "case_writer' OR '1'='1",
    "too long": "x" * 151,
    "braces": "{admin}",
    "semicolon": "case_writer;admin",
}


@pytest.mark.parametrize("roles", BAD_ROLES.values(), ids=BAD_ROLES)
def test_roles_with_impossible_names_are_refused(stranger, roles):
    stranger.credentials(HTTP_X_ACTOR_ID="wanda", HTTP_X_ACTOR_ROLES=roles)

    answer = stranger.post("/cases", {"title": "x"})

    expect.refusal(answer, 400, "malformed_request", set())


@pytest.mark.parametrize("roles", ["", ",", " , ,", ",".join(f"role-{n}" for n in range(5_000))])
def test_roles_that_give_nothing_give_nothing(stranger, roles):
    stranger.credentials(HTTP_X_ACTOR_ID="wanda", HTTP_X_ACTOR_ROLES=roles)

    expect.refusal(stranger.post("/cases", {"title": "x"}), 403, "permission_denied", set())


@pytest.mark.parametrize("roles", ["case_writer", "admin"])
def test_roles_without_a_name_are_nobody(stranger, roles):
    stranger.credentials(HTTP_X_ACTOR_ROLES=roles)

    expect.refusal(stranger.post("/cases", {"title": "x"}), 401, "not_authenticated", set())


@pytest.mark.parametrize(
    "headers",
    [
        {"HTTP_X_HTTP_METHOD_OVERRIDE": "DELETE"},
        {"CONTENT_LENGTH": "-1"},
        {"CONTENT_LENGTH": "abc"},
        {"HTTP_ACCEPT_LANGUAGE": "x" * 10_000},
        {"HTTP_COOKIE": "sessionid=" + "x" * 10_000},
        {"HTTP_COOKIE": "sessionid=\xff; csrftoken=\x00"},
        {"HTTP_AUTHORIZATION": "Bearer \xff"},
        {"HTTP_IF_MATCH": "garbage"},
        {"HTTP_X_FORWARDED_HOST": "evil.example"},
        {"HTTP_CONTENT_ENCODING": "gzip"},
    ],
    ids=lambda h: str(h)[:50],
)
def test_no_header_makes_the_service_fail(as_actor, headers):
    answer = as_actor(WRITER).post(
        "/cases", '{"title": "x"}', content_type="application/json", **headers
    )

    expect.no_failure(answer)
    assert "evil.example" not in answer.headers.get("Location", "")


@pytest.mark.parametrize(
    "query",
    [
        "%00",
        "%ff=%ff",
        "a[]=1",
        "=",
        "&&&",
        "cursor",
        "limit",
        "\ud800".encode("utf-8", "surrogatepass").decode("latin-1"),
        "x=" + "y" * 100_000,
        "&".join(f"a{n}=1" for n in range(5_000)),
    ],
)
def test_no_query_makes_the_service_fail(as_actor, query):
    for path in ("/cases", "/cases/CASE-000001", "/cases/CASE-000001/notes"):
        expect.no_failure(as_actor(WRITER).get(f"{path}?{query}"))
