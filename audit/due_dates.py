"""The due date of a case, explained from its trail."""

from __future__ import annotations

from audit.selectors import trail_of
from cases.deadlines import EVENT_TYPES, Explanation, Fact, explain


def explain_due_date(case_id: str) -> Explanation:
    """Explain the due date of one case; check first that the reader may see it."""
    rows = trail_of(case_id).filter(event_type__in=EVENT_TYPES)
    columns = ("sequence", "event_type", "occurred_at", "details")
    return explain(Fact(*row) for row in rows.values_list(*columns))
