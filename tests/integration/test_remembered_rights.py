"""Rights that are remembered between requests end with whatever changes them, at once."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import timedelta
from functools import partial
from typing import Any

import pytest
from django.contrib.auth.models import Group, Permission, User
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext
from django.utils.timezone import now
from rest_framework.test import APIClient

from cases import selectors, services
from cases.errors import RightsUnconfirmed
from cases.models import Case
from config import tokens
from config.models import ApiToken
from tests.api import expect
from tests.cast import ADMIN, SUPERVISOR, actor
from tests.factories import CaseFactory, UserFactory

pytestmark = pytest.mark.usefixtures("committed")
ROB = {"username": "rob", "roles": ["reviewer"]}
# And the notice to drainers, which is sent only now and then.
FRAME = ("BEGIN", "COMMIT", "SAVEPOINT", "RELEASE", "ROLLBACK", "NOTIFY")


@pytest.fixture(autouse=True)
def headers_off(settings: Any) -> None:
    settings.ACTOR_HEADERS = False


def calling_as(user: User) -> APIClient:
    _, token = tokens.create_token(user=user, name="tests", days=1, by="ada")
    caller = APIClient(raise_request_exception=False)
    caller.credentials(HTTP_AUTHORIZATION=f"Bearer {token}")
    return caller


def known_caller(**account: Any) -> APIClient:
    """Return a caller whose rights an earlier request has read."""
    caller = calling_as(UserFactory(**account or ROB))
    assert caller.get(f"/cases/{CaseFactory().id}").status_code == 200
    return caller


def statements(work: Callable[[], Any]) -> list[str]:
    with CaptureQueriesContext(connection) as captured:
        work()
    return [q["sql"] for q in captured if not q["sql"].startswith(FRAME)]


def version_of_rights() -> str:
    with connection.cursor() as cursor:
        cursor.execute("SELECT value::text FROM rights_version")
        return str(cursor.fetchone()[0])


# --- What is saved --------------------------------------------------------------------------------


def test_reading_a_case_or_a_list_costs_one_statement_from_the_second_time_on() -> None:
    caller, case = known_caller(), CaseFactory()

    assert len(statements(lambda: caller.get(f"/cases/{case.id}"))) == 1
    assert len(statements(lambda: caller.get("/cases"))) == 1


def test_a_transition_costs_four() -> None:
    caller, case = known_caller(), CaseFactory(status="UNDER_REVIEW")

    sql = statements(lambda: caller.post(f"/cases/{case.id}/close", {"reason": "Settled"}))

    assert len(sql) == 4, sql
    assert not any("api_tokens" in one for one in sql)


@pytest.mark.parametrize(
    "ask",
    [
        lambda caller, case: caller.get("/cases?search=late"),
        lambda caller, case: caller.get("/cases/summary"),
        lambda caller, case: caller.get(f"/cases/{case.id}/notes"),
        lambda caller, case: caller.get(f"/cases/{case.id}/audit-events"),
        lambda caller, case: caller.post("/cases", {"title": "Late reporting"}),
        lambda caller, case: caller.post(f"/cases/{case.id}/submit", HTTP_IDEMPOTENCY_KEY="once"),
    ],
    ids=["search", "summary", "notes", "trail", "create", "with a key"],
)
def test_what_does_not_begin_by_reading_cases_asks_who_calls(ask: Any) -> None:
    caller, case = known_caller(username="wanda", roles=["case_writer"]), CaseFactory()

    sql = statements(lambda: ask(caller, case))

    assert any("api_tokens" in one for one in sql)


# --- What ends them -------------------------------------------------------------------------------


def revoke_the_token() -> None:
    tokens.revoke_tokens(ApiToken.objects.all(), by="ada")


def by_sql(statement: str) -> Callable[[], None]:
    def change() -> None:
        with connection.cursor() as cursor:
            cursor.execute(statement)

    return change


ENDINGS: dict[str, tuple[Callable[[], Any], int]] = {
    "the token is revoked": (revoke_the_token, 401),
    "the token is over": (
        lambda: ApiToken.objects.update(expiry=now() - timedelta(seconds=1)),
        401,
    ),
    "the token is deleted": (lambda: ApiToken.objects.all().delete(), 401),
    "the account is switched off": (lambda: User.objects.update(is_active=False), 401),
    "the role is taken": (lambda: User.objects.get(username="rob").groups.set([]), 404),
    "the role is deleted": (lambda: Group.objects.get(name="inspector").delete(), 404),
    "the role loses its permissions": (
        lambda: Group.objects.get(name="inspector").permissions.set([]),
        404,
    ),
    "somebody types SQL": (by_sql("DELETE FROM auth_user_groups"), 404),
    "somebody truncates": (by_sql("TRUNCATE auth_user_groups"), 404),
}


@pytest.fixture
def inspectors(committed: None) -> Iterator[None]:
    """Have a role of this test's own, which may be taken apart."""
    role = Group.objects.create(name="inspector")
    role.permissions.set(Permission.objects.filter(group__name="reviewer"))
    yield
    Group.objects.filter(name="inspector").delete()


@pytest.mark.usefixtures("inspectors")
@pytest.mark.parametrize(("change", "status"), ENDINGS.values(), ids=ENDINGS)
def test_nothing_is_shown_or_done_once(change: Callable[[], Any], status: int) -> None:
    case = CaseFactory(status="UNDER_REVIEW")
    caller = known_caller(username="rob", roles=["inspector"])

    change()

    assert caller.get(f"/cases/{case.id}").status_code == status
    listed = caller.get("/cases")
    assert listed.status_code == 401 if status == 401 else listed.json()["results"] == []
    refused = caller.post(f"/cases/{case.id}/close", {"reason": "Settled"})
    assert refused.status_code == (401 if status == 401 else 403)
    expect.unchanged(case)


def test_a_restricted_case_is_gone_with_the_right_to_see_it() -> None:
    case = CaseFactory(restricted=True)
    caller = known_caller(username="audrey", roles=["auditor"])
    assert caller.get(f"/cases/{case.id}").status_code == 200

    User.objects.get(username="audrey").groups.set(Group.objects.filter(name="reviewer"))

    expect.refusal(caller.get(f"/cases/{case.id}"), 404, "case_not_found", set())
    assert case.id not in caller.get("/cases").content.decode()


# --- What begins ----------------------------------------------------------------------------------


def test_a_new_role_counts_at_once() -> None:
    case = CaseFactory(status="UNDER_REVIEW")
    caller = known_caller(username="audrey", roles=["auditor"])

    User.objects.get(username="audrey").groups.add(Group.objects.get(name="reviewer"))

    closed = caller.post(f"/cases/{case.id}/close", {"reason": "Settled"})
    assert expect.the_case(closed)["status"] == "CLOSED"


def test_a_grant_counts_at_once_and_so_does_its_end() -> None:
    case = CaseFactory(restricted=True)
    caller = known_caller()
    given = {"case_id": case.id, "user": "rob", "permission": "view_case", "actor": SUPERVISOR}
    expect.refusal(caller.get(f"/cases/{case.id}"), 404, "case_not_found", set())

    services.grant_access(**given)
    assert caller.get(f"/cases/{case.id}").status_code == 200
    assert case.id in caller.get("/cases").content.decode()

    services.revoke_access(**given)
    expect.refusal(caller.get(f"/cases/{case.id}"), 404, "case_not_found", set())
    assert case.id not in caller.get("/cases").content.decode()


# --- What leaves them -----------------------------------------------------------------------------


def test_a_log_in_a_new_account_and_a_new_token_end_nothing() -> None:
    before = version_of_rights()

    user = UserFactory(username="rob")
    user.last_login, user.email = now(), "rob@regulator.example"
    user.save()
    tokens.create_token(user=user, name="another", days=1, by="ada")

    assert version_of_rights() == before


def test_a_change_that_is_undone_ends_nothing() -> None:
    UserFactory(**ROB)
    before = version_of_rights()

    with suppress(ZeroDivisionError), transaction.atomic():
        User.objects.update(is_active=False)
        raise ZeroDivisionError

    assert version_of_rights() == before


def test_no_version_comes_twice() -> None:
    user = UserFactory(**ROB)
    seen = {version_of_rights()}

    for active in (False, True, False, True):
        user.is_active = active
        user.save()
        seen.add(version_of_rights())

    assert len(seen) == 5


# --- Refusals by remembered rights ----------------------------------------------------------------


def test_what_is_not_there_is_looked_for_with_fresh_rights_and_is_not_there() -> None:
    caller = known_caller()

    sql = statements(
        lambda: expect.refusal(caller.get("/cases/CASE-999999999"), 404, "case_not_found")
    )

    assert len([one for one in sql if "api_tokens" in one]) == 1


@pytest.mark.parametrize(
    ("path", "body", "status", "error"),
    [
        ("close", {"reason": " "}, 422, "validation_error"),
        ("resume", {"reason": "x"}, 409, "invalid_case_transition"),
        ("restrict", {"reason": "x"}, 403, "permission_denied"),
        ("close?loud=1", {"reason": "x"}, 422, "validation_error"),
    ],
)
def test_a_refusal_is_the_same_by_remembered_rights(path, body, status, error) -> None:
    case = CaseFactory(status="UNDER_REVIEW")
    fresh = calling_as(UserFactory(username="rosa", roles=["reviewer"]))
    known = known_caller()

    answers = [caller.post(f"/cases/{case.id}/{path}", body) for caller in (fresh, known)]

    assert [answer.status_code for answer in answers] == [status, status]
    first, second = ({**answer.json(), "request_id": ""} for answer in answers)
    assert first == second
    assert first["error"] == error
    expect.unchanged(case)


@pytest.mark.parametrize("change", ["nothing", "a new role"])
@pytest.mark.parametrize(
    ("method", "path"), [("post", "/submit"), ("patch", ""), ("post", "/pause")], ids=str
)
@pytest.mark.parametrize("body", [b"\x00", b"{", b"[]", b'{"a": 1, "a": 2}'], ids=repr)
def test_a_body_that_is_none_is_refused_at_the_second_look_too(method, path, body, change) -> None:
    case = CaseFactory()
    caller = known_caller(username="olga", roles=["admin"])
    if change != "nothing":
        User.objects.get(username="olga").groups.add(Group.objects.get(name="reviewer"))

    answer = getattr(caller, method)(
        f"/cases/{case.id}{path}", data=body, content_type="application/json"
    )

    assert answer.status_code in (400, 422), answer.content
    expect.unchanged(case)


def test_who_calls_too_often_is_not_let_in_by_a_second_look(settings: Any) -> None:
    case, caller = CaseFactory(), known_caller()
    settings.API_RATE = "1/minute"
    caller.get(f"/cases/{case.id}")

    sql = statements(lambda: expect.refusal(caller.get(f"/cases/{case.id}"), 429, "rate_limited"))

    assert sql == []


def test_remembered_rights_are_refused_by_every_read_that_does_not_compare_them() -> None:
    user = UserFactory(**ROB)
    _, token = tokens.create_token(user=user, name="tests", days=1, by="ada")
    tokens.open_with(token)
    remembered = tokens.open_with(token, remembered=True)
    case = CaseFactory()
    assert remembered.rights_version is not None

    for read in (
        lambda: selectors.visible_cases(remembered),
        lambda: selectors.summary(remembered),
        lambda: selectors.granted_on(case.id, remembered),
        lambda: Case.objects.visible_to(remembered),
        lambda: Case.objects.visible_in_parts(remembered),
    ):
        with pytest.raises(RightsUnconfirmed):
            read()


# --- At the same time -----------------------------------------------------------------------------


def test_what_another_connection_has_committed_counts_for_the_very_next_request(at_once) -> None:
    case, caller = CaseFactory(), known_caller()

    assert at_once(revoke_the_token) == [None]

    assert caller.get(f"/cases/{case.id}").status_code == 401


def test_two_at_once_may_change_rights(at_once) -> None:
    cases = [CaseFactory(restricted=True), CaseFactory(restricted=True)]
    UserFactory(username="grace")

    def grant(case: Case) -> None:
        services.grant_access(case_id=case.id, user="grace", permission="view_case", actor=ADMIN)

    assert at_once(*(partial(grant, case) for case in cases)) == [None, None]

    grace = actor("grace")
    assert all(selectors.granted_on(case.id, grace) == {"view_case"} for case in cases)


def test_within_a_larger_transaction_nothing_is_remembered() -> None:
    case, caller = CaseFactory(), known_caller()

    with transaction.atomic():
        sql = statements(lambda: caller.get(f"/cases/{case.id}"))

    assert len(sql) == 2
