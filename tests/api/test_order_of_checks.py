"""401, 403 by role, 404, 403 by rule, 422, 409: the same order at every address."""

import pytest

from audit.models import AuditEvent
from tests.api import expect
from tests.api.endpoints import WRITES
from tests.cast import ALLROUNDER, AUDITOR, NOBODY, WRITER
from tests.factories import CaseFactory

pytestmark = pytest.mark.django_db

STATUSES = ("DRAFT", "SUBMITTED", "UNDER_REVIEW", "ESCALATED", "CLOSED")
FORBIDDEN_MOVES = [(w, s) for w in WRITES for s in STATUSES if s not in w.sources]
NEVER_EXISTED = ("CASE-999999", "CASE-1", "CASE-000001x", "case-000001", "17")
every_write = pytest.mark.parametrize("write", WRITES, ids=str)


@every_write
def test_the_right_actor_on_the_right_case_succeeds(as_actor, write):
    case = write.case()

    answer = write.call(as_actor(write.may), case.id)

    assert answer.status_code == write.answer
    events = AuditEvent.objects.filter(case_id=case.id)
    sequences = events.order_by("sequence").values_list("sequence", flat=True)
    assert list(sequences) == list(range(case.version + 2))


@every_write
@pytest.mark.parametrize("body", ["good", "wrong"])
def test_who_is_nobody_is_asked_who_it_is_before_all_else(stranger, write, body):
    case = write.case(status="CLOSED" if not write.made else "SUBMITTED")

    answer = write.call(stranger, case.id, write.body if body == "good" else write.wrong)

    expect.refusal(answer, 401, "not_authenticated", set())
    assert answer.headers["WWW-Authenticate"]
    expect.unchanged(case)


@every_write
@pytest.mark.parametrize("actor", [AUDITOR, NOBODY], ids=lambda a: a.id)
@pytest.mark.parametrize("body", ["good", "wrong", "no object"])
def test_who_may_not_act_learns_no_more_however_wrong_the_body(as_actor, write, actor, body):
    case = write.case()
    content = {"good": write.body, "wrong": write.wrong, "no object": [1]}[body]

    answer = write.call(as_actor(actor), case.id, content)

    expect.refusal(answer, 403, "permission_denied", set())
    expect.unchanged(case)


@every_write
def test_who_may_not_act_is_not_told_whether_a_case_exists(as_actor, write):
    case = write.case()
    audrey = as_actor(AUDITOR)

    existing, missing = write.call(audrey, case.id).json(), write.call(audrey, "CASE-999999").json()

    assert existing | {"request_id": ""} == missing | {"request_id": ""}


@every_write
@pytest.mark.parametrize("content_type", ["text/plain", "application/json"])
def test_who_may_not_act_is_told_so_even_for_a_body_that_cannot_be_read(
    as_actor, write, content_type
):
    case = write.case()

    answer = getattr(as_actor(AUDITOR), write.method)(
        f"/cases/{case.id}{write.path}", '{"reason":', content_type=content_type
    )

    expect.refusal(answer, 403, "permission_denied", set())


@every_write
@pytest.mark.parametrize("case_id", NEVER_EXISTED)
@pytest.mark.parametrize("body", ["good", "wrong", "no object"])
def test_a_case_that_does_not_exist_comes_before_a_wrong_body(as_actor, write, case_id, body):
    content = {"good": write.body, "wrong": write.wrong, "no object": [1]}[body]

    answer = write.call(as_actor(write.may), case_id, content)

    expect.refusal(answer, 404, "case_not_found", set())


@every_write
@pytest.mark.parametrize("body", ["good", "wrong"])
def test_a_restricted_case_is_as_good_as_none_for_who_may_not_see_it(as_actor, write, body):
    if write.may.has("view_restricted_case"):
        case, actor = write.case(), NOBODY
        expected = (403, "permission_denied")
    else:
        case, actor = write.case(restricted=True, reviewer=ALLROUNDER), write.may
        expected = (404, "case_not_found")

    answer = write.call(as_actor(actor), case.id, write.body if body == "good" else write.wrong)

    expect.refusal(answer, *expected, set())
    expect.unchanged(case)


@every_write
@pytest.mark.parametrize("status", STATUSES)
def test_a_wrong_body_comes_before_a_wrong_status(as_actor, write, status):
    case = write.case(**({"status": status} | ({"restricted": False} if write.made else {})))

    answer = write.call(as_actor(write.may), case.id, write.wrong)

    expect.refusal(answer, 422, "validation_error", set(write.wrong_fields))
    expect.unchanged(case)


@pytest.mark.parametrize("path", ["start-review", "escalate", "close"])
@pytest.mark.parametrize("status", ["DRAFT", "SUBMITTED"])
@pytest.mark.parametrize("body", [{}, {"reason": " ", "reviewer_id": " "}, [1]], ids=expect.name)
def test_the_four_eyes_rule_comes_before_a_wrong_body_and_a_wrong_status(
    as_actor, path, status, body
):
    case = CaseFactory(status=status, writer=ALLROUNDER)

    answer = as_actor(ALLROUNDER).post(f"/cases/{case.id}/{path}", body)

    expect.refusal(answer, 403, "separation_of_duties", set())
    expect.unchanged(case)


@pytest.mark.parametrize(("write", "status"), FORBIDDEN_MOVES, ids=str)
def test_a_status_that_does_not_allow_an_action_is_told_with_what_it_allows(
    as_actor, write, status
):
    case = write.case(**({"status": status} | ({"restricted": False} if write.made else {})))
    allowed = {
        "DRAFT": {"update", "submit", "add_note", "set_due_date", "restrict"},
        "SUBMITTED": {"start_review", "assign", "add_note", "set_due_date", "pause", "restrict"},
        "UNDER_REVIEW": {
            "assign", "escalate", "close", "add_note", "set_due_date", "pause", "restrict",
        },
        "ESCALATED": {"assign", "close", "add_note", "set_due_date", "pause", "restrict"},
        "CLOSED": set(),
    }[status]  # fmt: skip

    answer = write.call(as_actor(write.may), case.id)

    details = expect.refusal(
        answer, 409, "invalid_case_transition", {"action", "from_status", "allowed_actions"}
    )
    assert details["action"] == write.action
    assert details["from_status"] == status
    assert len(details["allowed_actions"]) == len(set(details["allowed_actions"]))
    assert set(details["allowed_actions"]) == allowed | {"grant_access", "revoke_access"}
    expect.unchanged(case)


@every_write
def test_a_role_that_nobody_defined_gives_nothing(stranger, write):
    case = write.case()
    stranger.credentials(HTTP_X_ACTOR_ID="wim", HTTP_X_ACTOR_ROLES="wizard,case-writer,ADMIN")

    expect.refusal(write.call(stranger, case.id), 403, "permission_denied", set())
    expect.unchanged(case)


def test_several_roles_add_up(stranger):
    case = CaseFactory(status="SUBMITTED")
    stranger.credentials(HTTP_X_ACTOR_ID="wim", HTTP_X_ACTOR_ROLES=" auditor , ,reviewer,")

    answer = stranger.post(f"/cases/{case.id}/start-review", {"reviewer_id": WRITER.id})

    expect.one_step(case, expect.the_case(answer))
