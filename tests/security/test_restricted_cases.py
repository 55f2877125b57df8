"""A restricted case exists only for a few; for all others it cannot be told from no case."""

import pytest

from cases import services
from tests.api import expect
from tests.cast import (
    ADMIN,
    ALLROUNDER,
    AUDITOR,
    NOBODY,
    OTHER_REVIEWER,
    REVIEWER,
    SUPERVISOR,
    WRITER,
)
from tests.factories import CaseFactory, UserFactory

pytestmark = pytest.mark.django_db

INSIDERS = [REVIEWER, SUPERVISOR, AUDITOR, ADMIN]
OUTSIDERS = [WRITER, OTHER_REVIEWER, ALLROUNDER, NOBODY]
PATHS = ["", "/notes", "/audit-events"]


@pytest.mark.parametrize("actor", INSIDERS, ids=lambda a: a.id)
def test_who_must_know_knows(as_actor, actor):
    case = CaseFactory(status="UNDER_REVIEW", restricted=True)
    client = as_actor(actor)

    assert [client.get(f"/cases/{case.id}{path}").status_code for path in PATHS] == [200] * 3
    assert [c["id"] for c in client.get("/cases").json()["results"]] == [case.id]


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("actor", OUTSIDERS, ids=lambda a: a.id)
def test_for_all_others_it_is_no_case(as_actor, actor, path):
    case = CaseFactory(status="UNDER_REVIEW", restricted=True)
    client = as_actor(actor)

    hidden, missing = client.get(f"/cases/{case.id}{path}"), client.get(f"/cases/CASE-999999{path}")

    expect.refusal(hidden, 404, "case_not_found", set())
    assert hidden.json() | {"request_id": ""} == missing.json() | {"request_id": ""}
    assert dict(hidden.headers) | {"X-Request-ID": ""} == dict(missing.headers) | {
        "X-Request-ID": ""
    }


@pytest.mark.parametrize("actor", OUTSIDERS[:3], ids=lambda a: a.id)
@pytest.mark.parametrize("query", ["", "?status=UNDER_REVIEW", "?limit=1"])
def test_lists_pass_it_over_without_a_gap(as_actor, actor, query):
    seen = [CaseFactory(status="UNDER_REVIEW").id]
    CaseFactory(status="UNDER_REVIEW", restricted=True)
    seen.append(CaseFactory(status="UNDER_REVIEW").id)
    client, url, met = as_actor(actor), f"/cases{query}", []

    while url:
        page = client.get(url).json()
        assert page["results"]
        met += [case["id"] for case in page["results"]]
        url = page["next"]

    assert met == seen[::-1]


@pytest.mark.parametrize("actor", [WRITER, OTHER_REVIEWER], ids=lambda a: a.id)
@pytest.mark.parametrize("action", ["notes", "close", "submit", "escalate", "assign", "pause"])
def test_acting_on_it_tells_nothing_either(as_actor, actor, action):
    case = CaseFactory(status="UNDER_REVIEW", restricted=True)
    client = as_actor(actor)

    hidden = client.post(f"/cases/{case.id}/{action}", {"reason": "x"})
    missing = client.post(f"/cases/CASE-999999/{action}", {"reason": "x"})

    assert hidden.status_code in (403, 404)
    assert hidden.json() | {"request_id": ""} == missing.json() | {"request_id": ""}
    expect.unchanged(case)


def test_the_four_eyes_rule_does_not_give_it_away(as_actor):
    case = CaseFactory(status="UNDER_REVIEW", restricted=True, writer=ALLROUNDER)

    answer = as_actor(ALLROUNDER).post(f"/cases/{case.id}/close", {"reason": "x"})

    expect.refusal(answer, 404, "case_not_found", set())


def test_a_lifted_restriction_brings_it_back(as_actor):
    case = CaseFactory(restricted=True)

    as_actor(SUPERVISOR).post(f"/cases/{case.id}/unrestrict", {"reason": "Public now"})

    assert as_actor(WRITER).get(f"/cases/{case.id}").status_code == 200


def test_a_grant_is_for_one_user_and_one_case(as_actor):
    UserFactory(username="wanda")
    case, other = CaseFactory(restricted=True), CaseFactory(restricted=True)
    services.grant_access(case_id=case.id, user="wanda", permission="view_case", actor=SUPERVISOR)

    seen = [as_actor(WRITER).get(f"/cases/{c.id}").status_code for c in (case, other)]
    listed = as_actor(WRITER).get("/cases").json()["results"]

    assert seen == [200, 404]
    assert [c["id"] for c in listed] == [case.id]
    assert as_actor(ALLROUNDER).get(f"/cases/{case.id}").status_code == 404
