"""The steps that all use cases share, in the order of the contract's checks."""

from __future__ import annotations

from collections.abc import Collection

from django.conf import settings
from django.db import transaction

from cases import policies, selectors
from cases.errors import PermissionDenied, PreconditionFailed
from cases.events import CaseEvent
from cases.lifecycle import CaseAction, possible, refusal
from cases.models import Case
from cases.policies import Actor
from cases.signals import publish
from cases.storage import store_next_version

# The version, or one of the versions, that the caller has seen; None skips the comparison.
ExpectedVersion = int | Collection[int] | None

# Inside a larger transaction no savepoint is made: a failure undoes the larger one as well.
unit_of_work = transaction.atomic(savepoint=False)


def require(actor: Actor, action: CaseAction, case_id: str = "") -> None:
    """Check that a role, or a grant on the case, gives the actor the action's permission.

    Raises:
        PermissionDenied: nothing gives it.
    """
    permission = policies.PERMISSIONS[action]
    if actor.imported_by or actor.has(permission):
        return
    granted = selectors.granted_on(case_id, actor) if case_id else frozenset()
    if permission not in granted:
        raise PermissionDenied(policies.denial(action))


def open_case(
    action: CaseAction, case_id: str, actor: Actor, *, lock: bool = True
) -> tuple[Case, bool]:
    """Return the case, locked, once the actor may take the action on it.

    Returns:
        The case, and whether the four-eyes rule was set aside by an actor who may.

    Raises:
        PermissionDenied: no role and no grant allows the action, or the case is another's.
        CaseNotFound: the case does not exist for this actor.
        SeparationOfDuties: the four-eyes rule forbids it.
    """
    require(actor, action, case_id)
    if action is CaseAction.SUBMIT and lock:
        case = selectors.get_draft(case_id, actor)
    else:
        case = selectors.get_case(case_id, actor, for_update=lock)
    overridden = policies.authorize(
        actor, action, case, granted=case.granted, four_eyes=settings.CASES_FOUR_EYES
    )
    return case, overridden


def ready(case: Case, action: CaseAction, expected_version: ExpectedVersion) -> None:
    """Check version and status, after the input and in this order.

    Raises:
        PreconditionFailed: the caller has seen another version.
        InvalidCaseTransition: the state of the case does not allow the action.
    """
    expected = {expected_version} if isinstance(expected_version, int) else expected_version
    if expected is not None and case.version not in expected:
        raise PreconditionFailed(details={"current_version": case.version})
    if not possible(action, case):
        raise refusal(action, case)


def store(case: Case, event: CaseEvent) -> Case:
    """Write the changed case and tell the listeners why."""
    store_next_version(case)
    publish(event)
    return case
