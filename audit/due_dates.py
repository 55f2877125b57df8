"""The due date of a case, explained from its trail."""

from __future__ import annotations

from datetime import datetime

from audit.selectors import trail_of
from cases.deadlines import EVENT_TYPES, Explanation, Fact, explain


def explain_due_date(case_id: str) -> Explanation:
    """Explain the due date of one case; check first that the reader may see it."""
    rows = trail_of(case_id).filter(event_type__in=EVENT_TYPES)
    columns = ("sequence", "event_type", "occurred_at", "details")
    return explain(Fact(*row) for row in rows.values_list(*columns))


def problems_of(told: Explanation, due_at: datetime | None) -> list[str]:
    """Return what does not add up in an explanation, or between it and the case's due date."""
    problems = list(told.problems)
    if told.due_at != due_at:
        problems.append(f"The case says {due_at}; its trail says {told.due_at}.")
    return problems
