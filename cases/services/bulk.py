"""One decision about many cases: each is its own transaction, with its own outcome."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from django.db import transaction

from cases import intake
from cases.errors import CaseError, InvalidInput
from cases.lifecycle import CaseAction
from cases.models import Case
from cases.policies import Actor
from cases.services.review import assign_reviewer
from cases.signals import action_refused

BULK_MAX: Final = 1_000


@dataclass(frozen=True)
class BulkResult:
    """What became of one case: it is as it should be, or ``error`` says which rule forbids it."""

    case_id: str
    case: Case | None = None
    error: CaseError | None = None


def assign_cases(
    *,
    case_ids: Iterable[str],
    reviewer_id: object,
    actor: Actor,
    versions: Mapping[str, int] | None = None,
) -> list[BulkResult]:
    """Hand many cases to one reviewer; what is refused keeps none of the others back.

    Args:
        case_ids: like ``CASE-000001``; one that stands there twice is assigned once.
        reviewer_id: to whom.
        actor: who assigns.
        versions: the version that the actor has seen, by case id, where that is to be compared.

    Returns:
        A result for each case, in the order given.

    Raises:
        InvalidInput: there are too many cases, or the reviewer is no name; nothing was done.
        RuntimeError: inside another transaction, which would undo all of them together.
    """
    wanted = list(dict.fromkeys(case_ids))
    if len(wanted) > BULK_MAX:
        why = f"At most {BULK_MAX:,} cases at once; these are {len(wanted):,}."
        raise InvalidInput(details={"case_ids": why})
    reviewer = intake.clean_actor_id(reviewer_id, field="reviewer_id")
    seen = versions or {}
    return [_assign(case_id, reviewer, actor, seen.get(case_id)) for case_id in wanted]


def _assign(case_id: str, reviewer: str, actor: Actor, version: int | None) -> BulkResult:
    try:
        with transaction.atomic(durable=True):
            case = assign_reviewer(
                case_id=case_id, reviewer_id=reviewer, actor=actor, expected_version=version
            )
    except CaseError as error:
        action_refused.send(sender=CaseAction, action=CaseAction.ASSIGN, code=error.code)
        return BulkResult(case_id, error=error)
    return BulkResult(case_id, case=case)
