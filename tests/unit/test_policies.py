"""What decides beside the role: whose the case is, grants, the past, and what is offered when.

Every role by every action stands in ``tests/security/rights.py``.
"""

from __future__ import annotations

import pytest

from cases import policies
from cases.errors import PermissionDenied
from cases.lifecycle import CaseAction, CaseStatus
from cases.models import Case
from cases.policies import EXPORT_AUDIT, EXPORT_CASES, VIEW, VIEW_RESTRICTED, Actor
from tests.cast import ADMIN, AUDITOR, NOBODY, OTHER_REVIEWER, REVIEWER, SUPERVISOR, SYSTEM, WRITER

PLAYERS = {
    "case_writer": WRITER,
    "reviewer": REVIEWER,
    "supervisor": SUPERVISOR,
    "auditor": AUDITOR,
    "admin": ADMIN,
    "nobody": NOBODY,
    "system": SYSTEM,
}
READING = """
what            | case_writer reviewer supervisor auditor admin nobody system
view            | yes         yes      yes        yes     yes   -      yes
view_restricted | -           -        yes        yes     yes   -      yes
export_cases    | -           -        yes        yes     yes   -      -
export_audit    | -           -        -          yes     yes   -      -
"""


def cells(table: str) -> list[tuple[str, str, bool]]:
    head, *rows = (line.replace("|", " ").split() for line in table.strip().splitlines())
    return [
        (role, row[0], answer == "yes")
        for row in rows
        for role, answer in zip(head[1:], row[1:], strict=True)
    ]


def somebodys_case(**facts: object) -> Case:
    """Return a case, not stored, that nobody of the cast wrote and nobody reviews."""
    return Case(id="CASE-000001", **{"created_by": "carl", "submitted_by": "carl", **facts})


def allowed(actor: Actor, action: CaseAction, case: Case, **rules: object) -> bool:
    try:
        policies.authorize(actor, action, case, **{"four_eyes": True, **rules})
    except PermissionDenied:
        return False
    return True


@pytest.mark.parametrize(("role", "what", "may"), cells(READING))
def test_the_matrix_says_who_may_read_and_export(role: str, what: str, may: bool) -> None:
    permission = {
        "view": VIEW,
        "view_restricted": VIEW_RESTRICTED,
        "export_cases": EXPORT_CASES,
        "export_audit": EXPORT_AUDIT,
    }[what]

    assert PLAYERS[role].has(permission) is may


def test_what_no_role_gives_is_refused_with_its_name() -> None:
    policies.demand(AUDITOR, EXPORT_AUDIT)

    with pytest.raises(PermissionDenied, match=EXPORT_AUDIT):
        policies.demand(SUPERVISOR, EXPORT_AUDIT)


@pytest.mark.parametrize("action", CaseAction)
def test_a_refusal_says_which_permission_was_missing(action: CaseAction) -> None:
    with pytest.raises(PermissionDenied) as refusal:
        policies.authorize(NOBODY, action, somebodys_case(), four_eyes=True)

    assert action in refusal.value.message
    assert policies.PERMISSIONS[action] in refusal.value.message


@pytest.mark.parametrize(
    ("actor", "reviewer", "may"),
    [
        pytest.param(REVIEWER, None, True, id="reviewer-nobody-s-case"),
        pytest.param(REVIEWER, "rob", True, id="reviewer-own-case"),
        pytest.param(REVIEWER, "rosa", False, id="reviewer-another-s-case"),
        pytest.param(OTHER_REVIEWER, "rob", False, id="other-reviewer-another-s-case"),
        pytest.param(SUPERVISOR, "rosa", True, id="supervisor-anybody-s-case"),
        pytest.param(ADMIN, "rosa", True, id="admin-anybody-s-case"),
    ],
)
def test_a_reviewer_hands_over_only_a_case_that_is_theirs_or_nobodys(actor, reviewer, may) -> None:
    case = somebodys_case(assigned_reviewer_id=reviewer)

    assert allowed(actor, CaseAction.ASSIGN, case) is may


@pytest.mark.parametrize("action", sorted(set(CaseAction) - {CaseAction.CREATE}))
def test_a_grant_on_one_case_allows_that_action_and_no_other(action: CaseAction) -> None:
    granted = {policies.PERMISSIONS[action]}
    case = somebodys_case()

    may = {a for a in CaseAction if allowed(NOBODY, a, case, granted=granted)}

    assert may == {action}


def test_who_loads_a_past_is_bound_by_no_role() -> None:
    importer = Actor(id="wanda", imported_by="ivy")
    own_case = somebodys_case(created_by="wanda", assigned_reviewer_id="rosa")

    assert all(allowed(importer, action, own_case) for action in CaseAction)


D, S, U, E, C = CaseStatus
WRITING = {"update", "submit"}
CLOCK = {"set_due_date", "pause"}
SHARING = {"restrict", "grant_access", "revoke_access"}


@pytest.mark.parametrize(
    ("actor", "status", "expected"),
    [
        pytest.param(WRITER, D, WRITING | {"add_note"}, id="writer-DRAFT"),
        pytest.param(WRITER, S, {"add_note"}, id="writer-SUBMITTED"),
        pytest.param(WRITER, C, set(), id="writer-CLOSED"),
        pytest.param(REVIEWER, D, {"add_note"}, id="reviewer-DRAFT"),
        pytest.param(REVIEWER, S, {"start_review", "assign", "add_note", "pause"},
                     id="reviewer-SUBMITTED"),
        pytest.param(REVIEWER, U, {"assign", "escalate", "close", "add_note", "pause"},
                     id="reviewer-own-UNDER_REVIEW"),
        pytest.param(OTHER_REVIEWER, U, {"escalate", "close", "add_note", "pause"},
                     id="reviewer-another-s-UNDER_REVIEW"),
        pytest.param(REVIEWER, E, {"assign", "close", "add_note", "pause"},
                     id="reviewer-ESCALATED"),
        pytest.param(REVIEWER, C, set(), id="reviewer-CLOSED"),
        pytest.param(SUPERVISOR, D, {"add_note", "set_due_date"} | SHARING, id="supervisor-DRAFT"),
        pytest.param(SUPERVISOR, E, {"assign", "add_note"} | CLOCK | SHARING,
                     id="supervisor-ESCALATED"),
        pytest.param(SUPERVISOR, C, {"grant_access", "revoke_access"}, id="supervisor-CLOSED"),
        pytest.param(AUDITOR, U, set(), id="auditor"),
        pytest.param(NOBODY, D, set(), id="nobody"),
        pytest.param(ADMIN, U, {"assign", "escalate", "close", "add_note"} | CLOCK | SHARING,
                     id="admin-UNDER_REVIEW"),
    ],
)  # fmt: skip
def test_available_are_the_actions_that_status_and_role_both_allow(actor, status, expected) -> None:
    reviewer = None if status in (D, S) else REVIEWER.id
    case = somebodys_case(status=status.value, assigned_reviewer_id=reviewer)

    actions = policies.available_actions(actor, case, four_eyes=True)

    assert set(actions) == expected
    assert len(actions) == len(expected)


def test_a_paused_restricted_case_offers_what_lifts_that() -> None:
    case = somebodys_case(status="SUBMITTED", restricted=True, paused_at="2026-11-01")

    actions = set(policies.available_actions(SUPERVISOR, case, four_eyes=True))

    assert {"resume", "unrestrict"} <= actions
    assert not {"pause", "restrict"} & actions
