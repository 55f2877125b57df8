import pytest

from audit.models import AuditEvent
from tests.api import expect
from tests.cast import ADMIN, NOBODY, REVIEWER, SUPERVISOR, WRITER
from tests.factories import CaseFactory, UserFactory

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("actor", [SUPERVISOR, ADMIN], ids=lambda a: a.id)
@pytest.mark.parametrize("status", ["DRAFT", "SUBMITTED", "UNDER_REVIEW", "ESCALATED"])
def test_a_restriction_is_set_and_lifted(as_actor, actor, status):
    case = CaseFactory(status=status)
    client = as_actor(actor)

    restricted = expect.the_case(client.post(f"/cases/{case.id}/restrict", {"reason": "Source"}))
    lifted = expect.the_case(client.post(f"/cases/{case.id}/unrestrict", {"reason": "Public"}))

    assert (restricted["restricted"], lifted["restricted"]) == (True, False)
    assert (lifted["status"], lifted["version"]) == (status, case.version + 2)
    events = AuditEvent.objects.filter(case_id=case.id).order_by("-sequence")[:2]
    assert [(e.event_type, e.details) for e in events] == [
        ("CASE_UNRESTRICTED", {"reason": "Public"}),
        ("CASE_RESTRICTED", {"reason": "Source"}),
    ]


@pytest.mark.parametrize(
    ("path", "restricted"), [("restrict", True), ("unrestrict", False)], ids=str
)
def test_what_is_so_already_is_refused(as_actor, path, restricted):
    case = CaseFactory(restricted=restricted)

    answer = as_actor(SUPERVISOR).post(f"/cases/{case.id}/{path}", {"reason": "Again"})

    assert path not in expect.refusal(answer, 409, "invalid_case_transition")["allowed_actions"]
    expect.unchanged(case)


def grant(permission="view_case", operation="grant", user="norman"):
    return {"operation": operation, "user": user, "permission": permission}


def test_one_user_is_let_in_and_out_again(as_actor):
    UserFactory(username="norman")
    case = CaseFactory(status="UNDER_REVIEW", restricted=True)
    sue, norman = as_actor(SUPERVISOR), as_actor(NOBODY)

    let_in = expect.the_case(sue.post(f"/cases/{case.id}/access", grant()))
    seen = norman.get(f"/cases/{case.id}")
    listed = norman.get("/cases").json()["results"]
    let_out = expect.the_case(sue.post(f"/cases/{case.id}/access", grant(operation="revoke")))
    gone = norman.get(f"/cases/{case.id}")

    assert expect.the_case(seen)["available_actions"] == []
    assert [c["id"] for c in listed] == [case.id]
    assert (let_in["version"], let_out["version"]) == (case.version + 1, case.version + 2)
    expect.refusal(gone, 404, "case_not_found", set())
    events = AuditEvent.objects.filter(case_id=case.id).order_by("sequence")
    assert [(e.event_type, e.details) for e in events][-2:] == [
        ("CASE_ACCESS_GRANTED", {"user": "norman", "permission": "view_case"}),
        ("CASE_ACCESS_REVOKED", {"user": "norman", "permission": "view_case"}),
    ]


def test_a_user_without_a_role_acts_on_the_one_case_that_was_granted(as_actor):
    UserFactory(username="norman")
    case, other = CaseFactory(status="UNDER_REVIEW"), CaseFactory(status="UNDER_REVIEW")
    for permission in ("view_case", "close_case"):
        as_actor(SUPERVISOR).post(f"/cases/{case.id}/access", grant(permission))
    norman = as_actor(NOBODY)

    refused = norman.post(f"/cases/{other.id}/close", {"reason": "Mine"})
    closed = norman.post(f"/cases/{case.id}/close", {"reason": "Fined"})

    expect.refusal(refused, 403, "permission_denied", set())
    assert expect.the_case(closed)["status"] == "CLOSED"
    expect.unchanged(other)


def test_a_grant_to_act_does_not_let_one_see(as_actor):
    UserFactory(username="norman")
    case = CaseFactory(status="UNDER_REVIEW", restricted=True)
    as_actor(SUPERVISOR).post(f"/cases/{case.id}/access", grant("close_case"))

    answer = as_actor(NOBODY).post(f"/cases/{case.id}/close", {"reason": "Blind"})

    expect.refusal(answer, 404, "case_not_found", set())


def test_a_switched_off_account_is_let_in_nowhere(as_actor):
    account = UserFactory(username="norman")
    case = CaseFactory()
    as_actor(SUPERVISOR).post(f"/cases/{case.id}/access", grant())
    account.is_active = False
    account.save()

    expect.refusal(as_actor(NOBODY).get(f"/cases/{case.id}"), 404, "case_not_found", set())


@pytest.mark.parametrize("operation", ["grant", "revoke"])
def test_access_is_not_given_or_taken_twice(as_actor, operation):
    UserFactory(username="norman")
    case = CaseFactory()
    sue = as_actor(SUPERVISOR)
    if operation == "grant":
        sue.post(f"/cases/{case.id}/access", grant())

    answer = sue.post(f"/cases/{case.id}/access", grant(operation=operation))

    details = expect.refusal(answer, 409, "invalid_case_transition")
    assert details["action"] == f"{operation}_access"


@pytest.mark.parametrize(
    ("body", "fields"),
    [
        ({}, {"operation", "user", "permission"}),
        (grant(user="nobody-of-this-name"), {"user"}),
        (grant(user=5), {"user"}),
        (grant(user=""), {"user"}),
        (grant("create_case"), {"permission"}),
        (grant("override_four_eyes"), {"permission"}),
        (grant("view_restricted_case"), {"permission"}),
        (grant("mark_overdue"), {"permission"}),
        (grant(["view_case"]), {"permission"}),
        (grant(operation="lend"), {"operation"}),
        (grant() | {"reason": "x"}, {"reason"}),
    ],
    ids=expect.name,
)
@pytest.mark.parametrize("status", ["DRAFT", "CLOSED"])
def test_what_cannot_be_granted_is_refused(as_actor, body, fields, status):
    UserFactory(username="norman")
    case = CaseFactory(status=status)

    answer = as_actor(SUPERVISOR).post(f"/cases/{case.id}/access", body)

    expect.refusal(answer, 422, "validation_error", fields)
    expect.unchanged(case)


@pytest.mark.parametrize("actor", [WRITER, REVIEWER], ids=lambda a: a.id)
@pytest.mark.parametrize("operation", ["grant", "revoke"])
def test_only_supervisors_give_access(as_actor, actor, operation):
    UserFactory(username="norman")
    case = CaseFactory()

    answer = as_actor(actor).post(f"/cases/{case.id}/access", grant(operation=operation))

    expect.refusal(answer, 403, "permission_denied", set())
