"""Marking what is overdue, many cases at a time."""

from __future__ import annotations

from datetime import datetime
from typing import Final, NamedTuple, cast

from django.utils.timezone import now

from cases import selectors
from cases.lifecycle import CaseAction
from cases.policies import PERMISSIONS, VIEW, VIEW_RESTRICTED, Actor
from cases.services.steps import require, unit_of_work
from cases.signals import publish
from cases.storage import store_next_version

# Who marks cases overdue when no person does: no account, no role, one right and what it needs.
SYSTEM: Final = Actor(
    id="system",
    permissions=frozenset({PERMISSIONS[CaseAction.MARK_OVERDUE], VIEW, VIEW_RESTRICTED}),
    has_grants=False,
)


# Due date and id.
Place = tuple[datetime, str]


class Marked(NamedTuple):
    """What became of a batch: how many cases, and the place in the order where it ended."""

    number: int
    place: Place | None


@unit_of_work
def mark_overdue_cases(
    *,
    size: int,
    at: datetime | None = None,
    after: Place | None = None,
    actor: Actor = SYSTEM,
) -> Marked:
    """Mark the cases that have been past due the longest: a batch of four statements.

    Cases that somebody works on at this moment, or another run marks, are passed by: nobody waits,
    and nothing is marked twice. Each case gets its event as by ``mark_overdue``.

    Args:
        size: how many cases at most.
        at: the moment at which they are overdue; now by default.
        after: the place where the batch before ended; None for the beginning.
        actor: who marks them.

    Raises:
        PermissionDenied: the actor may not.
    """
    require(actor, CaseAction.MARK_OVERDUE)
    cases = selectors.unmarked_overdue(actor, at=at or now(), after=after, size=size)
    if not cases:
        return Marked(0, None)
    place = (cast(datetime, cases[-1].due_at), cases[-1].id)
    # Now that they are locked: what anybody else did to them happened before.
    at = at or now()
    events = [case.mark_overdue(actor=actor, at=at) for case in cases]
    store_next_version(*cases)
    publish(*events)
    return Marked(len(cases), place)
