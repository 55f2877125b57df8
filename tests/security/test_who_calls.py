import pytest
from rest_framework.test import APIClient

from tests.api import expect
from tests.api.endpoints import WRITES
from tests.cast import ADMIN, WRITER
from tests.factories import CaseFactory, UserFactory

pytestmark = pytest.mark.django_db

PATHS = ["/cases", "/cases/{id}", "/cases/{id}/notes", "/cases/{id}/audit-events"]


@pytest.fixture
def headers_off(settings):
    settings.ACTOR_HEADERS = False


@pytest.mark.parametrize("path", PATHS)
def test_with_the_headers_off_nobody_reads_by_them(as_actor, headers_off, path):
    case = CaseFactory()

    answer = as_actor(ADMIN).get(path.format(id=case.id))

    expect.refusal(answer, 401, "not_authenticated", set())
    assert answer.headers["WWW-Authenticate"]


@pytest.mark.parametrize("write", WRITES, ids=str)
def test_with_the_headers_off_nobody_writes_by_them(as_actor, headers_off, write):
    case = write.case()

    answer = write.call(as_actor(ADMIN), case.id)

    expect.refusal(answer, 401, "not_authenticated", set())
    expect.unchanged(case)


def logged_in(roles, **kwargs):
    account = UserFactory(username="wanda", roles=roles, **kwargs)
    client = APIClient(enforce_csrf_checks=True, raise_request_exception=False)
    client.force_login(account)
    return client


def test_who_is_logged_in_reads(headers_off):
    case = CaseFactory()

    read = expect.the_case(logged_in(["case_writer"]).get(f"/cases/{case.id}"))

    assert read["available_actions"] == ["update", "submit", "add_note"]


@pytest.mark.parametrize("write", WRITES, ids=str)
def test_a_session_alone_writes_nothing(headers_off, write):
    case = write.case()

    answer = write.call(logged_in(["admin"]), case.id)

    expect.refusal(answer, 403, "permission_denied", set())
    expect.unchanged(case)


def test_a_session_with_its_token_writes(headers_off):
    client = logged_in(["case_writer"])
    client.get("/admin/login/")
    form = client.get("/cases", HTTP_ACCEPT="text/html")
    token = client.cookies["csrftoken"].value if "csrftoken" in client.cookies else "a" * 32
    client.cookies["csrftoken"] = token

    answer = client.post("/cases", {"title": "Late"}, HTTP_X_CSRFTOKEN=token)

    assert form.status_code == 200
    assert expect.the_case(answer, 201)["created_by"] == "wanda"


def test_another_sessions_token_does_not_do():
    client = logged_in(["case_writer"])
    client.cookies["csrftoken"] = "a" * 32

    answer = client.post("/cases", {"title": "Late"}, HTTP_X_CSRFTOKEN="b" * 32)

    expect.refusal(answer, 403, "permission_denied", set())


def test_a_session_of_an_account_that_was_switched_off_is_nobodys(headers_off):
    client = logged_in(["admin"], is_active=False)

    expect.refusal(client.get("/cases"), 401, "not_authenticated", set())


def test_an_account_without_a_role_may_do_nothing(headers_off):
    case = CaseFactory()
    client = logged_in([])

    assert client.get("/cases").json()["results"] == []
    expect.refusal(client.get(f"/cases/{case.id}"), 404, "case_not_found", set())


def test_a_huge_form_on_a_session_is_refused_like_any_other():
    answer = logged_in(["case_writer"]).post(
        "/cases", b"title=" + b"x" * 12_000_000, content_type="application/x-www-form-urlencoded"
    )

    assert answer.status_code in (403, 413, 415)
    expect.no_failure(answer)


def test_the_trail_names_who_was_logged_in_not_who_was_claimed(headers_off, as_actor):
    client = APIClient(raise_request_exception=False)
    client.force_login(UserFactory(username="carla", roles=["case_writer"]))

    answer = client.post(
        "/cases", {"title": "Late"}, HTTP_X_ACTOR_ID="sue", HTTP_X_ACTOR_ROLES="admin"
    )

    assert expect.the_case(answer, 201)["created_by"] == "carla"
    expect.refusal(as_actor(WRITER).get("/cases"), 401, "not_authenticated", set())
