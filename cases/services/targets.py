"""The office's table of working days."""

from __future__ import annotations

import structlog
from django.db import transaction

from cases import intake, policies
from cases.errors import InvalidInput
from cases.lifecycle import Priority
from cases.models import SlaTarget
from cases.policies import Actor
from cases.services.steps import unit_of_work

_log = structlog.get_logger("cases")


@unit_of_work
def set_sla_target(*, priority: str, working_days: object, actor: Actor) -> SlaTarget:
    """Say how many working days cases of a priority get from now on; None for no due date.

    What was submitted before keeps its due date.

    Raises:
        PermissionDenied: the actor may not.
        InvalidInput: there is no such priority, or it is no such number.
    """
    policies.demand(actor, policies.CHANGE_SLA)
    days = intake.clean_working_days(working_days)
    if priority not in list(Priority):
        raise InvalidInput(details={"priority": f"One of {', '.join(Priority)}."})
    target, _ = SlaTarget.objects.select_for_update().get_or_create(priority=priority)
    before, target.working_days = target.working_days, days
    if before != days:
        target.save(update_fields=["working_days"])
        transaction.on_commit(
            lambda: _log.info(
                "sla_target_changed",
                priority=priority,
                from_working_days=before,
                to_working_days=days,
                actor_id=actor.id,
            )
        )
    return target
