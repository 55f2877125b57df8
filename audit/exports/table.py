"""The trail as a table for spreadsheets."""

from __future__ import annotations

from typing import Final

from django.db.models import Expression, F, Func, TextField
from django.db.models.functions import Cast

from audit.exports.selection import EXPORTED, EventFilter, Hex, chosen
from cases.exports import CSV_OPTIONS, Defused, Export, Moment, csv_form
from cases.policies import Actor


def _detail(name: str) -> Func:
    """Return one of the details as text; the name is ours, and part of the statement."""
    return Func(F("details"), template=f"(%(expressions)s ->> '{name}')", output_field=TextField())


# What a reader of a table looks for has a column; the details have all of it again, as JSON.
EVENT_COLUMNS: Final[dict[str, Expression | F]] = {
    "case_id": Defused(F("case_id")),
    "sequence": F("sequence"),
    "event_type": Defused(F("event_type")),
    "actor_id": Defused(F("actor_id")),
    "occurred_at": Moment(F("occurred_at")),
    "recorded_at": Moment(F("recorded_at")),
    "from_status": Defused(_detail("from_status")),
    "to_status": Defused(_detail("to_status")),
    "reason": Defused(_detail("reason")),
    "details": Defused(Cast("details", TextField())),
    "request_id": Defused(F("request_id")),
    "id": F("id"),
    "previous_hash": Hex("previous_hash"),
    "hash": Hex("hash"),
}


def events_as_csv(actor: Actor, wanted: EventFilter) -> Export:
    """Return the export of the chosen events as CSV, a row each."""
    return Export(
        event=EXPORTED,
        format="csv",
        rows=chosen(actor, wanted).values_list(*EVENT_COLUMNS.values()),
        options=CSV_OPTIONS,
        form=csv_form(EVENT_COLUMNS),
        actor=actor,
        asked=wanted.names(),
    )
