"""The first checks alone, for callers that found the input wrong before any service saw it."""

from __future__ import annotations

from cases.lifecycle import CaseAction
from cases.policies import Actor
from cases.services.steps import open_case, require


def check_may(*, action: CaseAction, actor: Actor, case_id: str | None = None) -> None:
    """Check permission, existence and rules, and nothing else; locks and changes nothing.

    Wrong input must not tell an actor more than the actor may know: who may not act, or may not
    see the case, is told that first.

    Raises:
        PermissionDenied, CaseNotFound, SeparationOfDuties: as the action itself would.
    """
    if case_id is None:
        require(actor, action)
    else:
        open_case(action, case_id, actor, lock=False)
