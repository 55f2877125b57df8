import pytest

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
from tests.factories import CaseFactory

pytestmark = pytest.mark.django_db

READERS = (WRITER, REVIEWER, OTHER_REVIEWER, SUPERVISOR, AUDITOR, ADMIN, ALLROUNDER)
SUPERVISION = ["add_note", "set_due_date", "restrict", "grant_access", "revoke_access"]
ACCESS = ["grant_access", "revoke_access"]

# Per status: who may do what on a case that Wanda wrote and Rob reviews.
AVAILABLE = {
    "DRAFT": {
        WRITER: ["update", "submit", "add_note"],
        REVIEWER: ["add_note"],
        OTHER_REVIEWER: ["add_note"],
        SUPERVISOR: SUPERVISION,
        AUDITOR: [],
        ADMIN: ["update", "submit", *SUPERVISION],
        ALLROUNDER: ["update", "submit", "add_note"],
    },
    "SUBMITTED": {
        WRITER: ["add_note"],
        REVIEWER: ["start_review", "assign", "add_note", "pause"],
        OTHER_REVIEWER: ["start_review", "assign", "add_note", "pause"],
        SUPERVISOR: ["assign", "pause", *SUPERVISION],
        AUDITOR: [],
        ADMIN: ["start_review", "assign", "pause", *SUPERVISION],
        ALLROUNDER: ["start_review", "assign", "add_note", "pause"],
    },
    "UNDER_REVIEW": {
        WRITER: ["add_note"],
        REVIEWER: ["assign", "escalate", "close", "add_note", "pause"],
        OTHER_REVIEWER: ["escalate", "close", "add_note", "pause"],
        SUPERVISOR: ["assign", "pause", *SUPERVISION],
        AUDITOR: [],
        ADMIN: ["assign", "escalate", "close", "pause", *SUPERVISION],
        ALLROUNDER: ["escalate", "close", "add_note", "pause"],
    },
    "ESCALATED": {
        WRITER: ["add_note"],
        REVIEWER: ["assign", "close", "add_note", "pause"],
        OTHER_REVIEWER: ["close", "add_note", "pause"],
        SUPERVISOR: ["assign", "pause", *SUPERVISION],
        AUDITOR: [],
        ADMIN: ["assign", "close", "pause", *SUPERVISION],
        ALLROUNDER: ["close", "add_note", "pause"],
    },
    "CLOSED": {
        WRITER: [],
        REVIEWER: [],
        OTHER_REVIEWER: [],
        SUPERVISOR: ACCESS,
        AUDITOR: [],
        ADMIN: ACCESS,
        ALLROUNDER: [],
    },
}


@pytest.mark.parametrize("status", AVAILABLE)
@pytest.mark.parametrize("actor", READERS, ids=lambda a: a.id)
def test_every_role_reads_every_case_and_sees_what_it_may_do(as_actor, status, actor):
    case = CaseFactory(status=status)

    read = expect.the_case(as_actor(actor).get(f"/cases/{case.id}"))

    assert (read["id"], read["status"], read["version"]) == (case.id, status, case.version)
    assert len(read["available_actions"]) == len(set(read["available_actions"]))
    assert set(read["available_actions"]) == set(AVAILABLE[status][actor])


def test_who_wrote_a_case_is_not_offered_to_decide_on_it(as_actor):
    case = CaseFactory(status="UNDER_REVIEW", writer=ALLROUNDER)

    read = expect.the_case(as_actor(ALLROUNDER).get(f"/cases/{case.id}"))

    assert set(read["available_actions"]) == {"add_note", "pause"}


def test_the_list_offers_the_same_actions(as_actor):
    case = CaseFactory(status="UNDER_REVIEW", restricted=True)
    for actor in (REVIEWER, SUPERVISOR, AUDITOR):
        client = as_actor(actor)

        read, listed = client.get(f"/cases/{case.id}").json(), client.get("/cases").json()

        assert listed["results"] == [read]


def test_reading_changes_nothing(as_actor):
    case = CaseFactory(status="UNDER_REVIEW")

    first, second = (as_actor(AUDITOR).get(f"/cases/{case.id}") for _ in range(2))

    assert first.json() == second.json()
    expect.unchanged(case)


def test_who_has_no_role_reads_nothing(as_actor):
    case = CaseFactory()

    answer = as_actor(NOBODY).get(f"/cases/{case.id}")

    expect.refusal(answer, 404, "case_not_found", set())


@pytest.mark.parametrize("path", ["", "/notes", "/audit-events"])
@pytest.mark.parametrize("case_id", ["CASE-999999", "CASE-12", "17", "case-000001", "CASE-000001 "])
def test_what_does_not_exist_is_not_found(as_actor, case_id, path):
    answer = as_actor(WRITER).get(f"/cases/{case_id}{path}")

    expect.refusal(answer, 404, "case_not_found", set())


@pytest.mark.parametrize("path", ["", "/notes", "/audit-events"])
def test_who_is_nobody_reads_nothing(stranger, path):
    case = CaseFactory()

    answer = stranger.get(f"/cases/{case.id}{path}")

    expect.refusal(answer, 401, "not_authenticated", set())
    assert answer.headers["WWW-Authenticate"]
