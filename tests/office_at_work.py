"""An office with work of every kind around a moment: what reports count, and dashboards draw."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from django.contrib.auth.models import User

from cases import services
from cases.lifecycle import Priority
from cases.models import Case
from cases.policies import Actor
from tests.cast import NOBODY, OTHER_REVIEWER, REVIEWER, SUPERVISOR, WRITER
from tests.factories import UserFactory

WHY = {"reason": "Because"}


def days(number: float) -> timedelta:
    return timedelta(days=number)


def make(
    *,
    created: datetime,
    due: datetime | None = None,
    reviewer: Actor | None = REVIEWER,
    closed: datetime | None = None,
    paused: datetime | None = None,
    restricted: bool = False,
    **fields: Any,
) -> Case:
    fields = {"title": "Late", "due_at": due or datetime(2100, 1, 1, tzinfo=UTC), **fields}
    case = services.create_case(fields=fields, actor=WRITER, at=created)
    key = {"case_id": case.id}
    services.submit_case(**key, actor=WRITER, at=created)
    if reviewer:
        services.start_review(**key, reviewer_id=reviewer.id, actor=REVIEWER, at=created)
    if restricted:
        services.restrict_case(**key, actor=SUPERVISOR, at=created, **WHY)
    if paused:
        services.pause_clock(**key, actor=SUPERVISOR, at=paused, **WHY)
    if closed:
        services.close_case(**key, actor=reviewer, at=closed, **WHY)
    return Case.objects.get(pk=case.id)


def fill_office(at: datetime) -> None:
    """Make cases of every kind around a moment; one of each two granted ones is restricted."""
    if not User.objects.filter(username=NOBODY.id).exists():
        UserFactory(username=NOBODY.id, password=None)
    far = at - days(400)
    made = [
        make(
            created=at - days(17 * n + 1),
            due=at + days(n / 2 - 3),
            reviewer=[REVIEWER, OTHER_REVIEWER, None][n % 3],
            priority=list(Priority)[n % 4],
            restricted=n % 5 == 0,
            paused=at - timedelta(hours=2) if n % 7 == 3 else None,
        )
        for n in range(24)
    ]
    for n in range(20):
        make(
            created=far + days(n),
            due=at - days(4 * n + (5 if n % 3 else -2)),
            closed=at - days(4 * n + 1),
            reviewer=[REVIEWER, OTHER_REVIEWER][n % 2],
            priority=list(Priority)[n % 4],
            restricted=n % 3 == 0,
            paused=at - days(4 * n + 9) if n % 5 == 0 else None,
        )
    draft = services.create_case(fields={"title": "Draft"}, actor=WRITER, at=at - days(2))
    services.create_case(
        fields={"title": "Draft", "due_at": at + days(1)}, actor=WRITER, at=at - days(2)
    )
    hidden = next(case for case in made if case.restricted)
    for case in (draft, hidden):
        services.grant_access(
            case_id=case.id, user=NOBODY.id, permission="view_case", actor=SUPERVISOR
        )
