"""Who may know of a case: restrict and unrestrict, grant and revoke access."""

from __future__ import annotations

from datetime import datetime

from django.contrib.auth.models import User
from django.utils.timezone import now
from guardian.shortcuts import assign_perm, remove_perm

from cases import intake
from cases.errors import InvalidInput
from cases.lifecycle import CaseAction, refusal
from cases.models import Case, CaseUserPermission
from cases.policies import GRANTABLE, Actor
from cases.services.steps import ExpectedVersion, open_case, ready, store, unit_of_work


@unit_of_work
def restrict_case(
    *,
    case_id: str,
    reason: object,
    actor: Actor,
    at: datetime | None = None,
    expected_version: ExpectedVersion = None,
) -> Case:
    """Hide a case from all but its reviewer, the supervision, and users with a grant."""
    case, _ = open_case(CaseAction.RESTRICT, case_id, actor)
    why = intake.clean_reason(reason)
    ready(case, CaseAction.RESTRICT, expected_version)
    return store(case, case.restrict(reason=why, actor=actor, at=at or now()))


@unit_of_work
def unrestrict_case(
    *,
    case_id: str,
    reason: object,
    actor: Actor,
    at: datetime | None = None,
    expected_version: ExpectedVersion = None,
) -> Case:
    """Lift the restriction of a case."""
    case, _ = open_case(CaseAction.UNRESTRICT, case_id, actor)
    why = intake.clean_reason(reason)
    ready(case, CaseAction.UNRESTRICT, expected_version)
    return store(case, case.unrestrict(reason=why, actor=actor, at=at or now()))


@unit_of_work
def grant_access(
    *,
    case_id: str,
    user: object,
    permission: object,
    actor: Actor,
    at: datetime | None = None,
    expected_version: ExpectedVersion = None,
) -> Case:
    """Give one user one permission on one case.

    Raises:
        InvalidCaseTransition: also when the user has it already.
    """
    case, _ = open_case(CaseAction.GRANT_ACCESS, case_id, actor)
    account, codename = _grant(user, permission, active=True)
    ready(case, CaseAction.GRANT_ACCESS, expected_version)
    if codename in _granted(account, case):
        raise refusal(CaseAction.GRANT_ACCESS, case, f"{account} has {codename} on this case.")
    assign_perm(codename, account, case)
    event = case.grant_access(
        user=account.get_username(), permission=codename, actor=actor, at=at or now()
    )
    return store(case, event)


@unit_of_work
def revoke_access(
    *,
    case_id: str,
    user: object,
    permission: object,
    actor: Actor,
    at: datetime | None = None,
    expected_version: ExpectedVersion = None,
) -> Case:
    """Take one permission on one case back from one user.

    Raises:
        InvalidCaseTransition: also when the user does not have it.
    """
    case, _ = open_case(CaseAction.REVOKE_ACCESS, case_id, actor)
    # From an account that is switched off too: it may be switched on again one day.
    account, codename = _grant(user, permission, active=False)
    ready(case, CaseAction.REVOKE_ACCESS, expected_version)
    if codename not in _granted(account, case):
        message = f"{account} does not have {codename} on this case."
        raise refusal(CaseAction.REVOKE_ACCESS, case, message)
    remove_perm(codename, account, case)
    event = case.revoke_access(
        user=account.get_username(), permission=codename, actor=actor, at=at or now()
    )
    return store(case, event)


def _grant(user: object, permission: object, *, active: bool) -> tuple[User, str]:
    """Return the account and the permission's codename.

    Raises:
        InvalidInput: there is no such account (or no active one, if so asked) or permission.
    """
    username = intake.clean_actor_id(user, field="user")
    wrong: dict[str, str] = {}
    account = User.objects.filter(username=username).first()
    if account is None or (active and not account.is_active):
        wrong["user"] = "There is no active user of this name."
    if permission not in GRANTABLE:
        wrong["permission"] = f"One of {', '.join(sorted(GRANTABLE))}."
    if account is None or wrong:
        raise InvalidInput(details=wrong)
    return account, str(permission)


def _granted(account: User, case: Case) -> frozenset[str]:
    rows = CaseUserPermission.objects.filter(user=account, content_object=case)
    return frozenset(rows.values_list("permission__codename", flat=True))
