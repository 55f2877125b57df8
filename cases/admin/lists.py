"""What a list of the back office is asked for by its address, and the page that answers.

Pages are found by the place of the last row, not by number, and nothing is counted to its end: a
late page costs what the first does, in a list of a million as in one of ten.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Final
from urllib.parse import urlencode

from django.db.models import DateTimeField, Value
from django.db.models.expressions import Combinable
from django.http import QueryDict

from cases import intake, selectors
from cases.admin.filters import FilterForm
from cases.admin.queues import QUEUES, Queue
from cases.events import rfc3339
from cases.filters import CaseFilter
from cases.lifecycle import Priority
from cases.models import ORDERINGS, Case, Ordering
from cases.policies import Actor

PAGE: Final = 50
_CASE_ID: Final = re.compile(r"CASE-[0-9]{6,15}")
_BETWEEN: Final = "~"
# What the orderings are called, in the order in which they are offered.
ORDER_LABELS: Final[Mapping[str, str]] = {
    "due_at": "Due, earliest first",
    "-due_at": "Due, latest first",
    "-priority": "Priority, most urgent first",
    "priority": "Priority, least urgent first",
    "-created_at": "Created, newest first",
    "created_at": "Created, oldest first",
    "-updated_at": "Changed, latest first",
    "updated_at": "Changed, longest ago first",
}


@dataclass(frozen=True)
class Asked:
    """A list as its address names it."""

    queue: str
    ordering: Ordering
    wanted: CaseFilter
    form: FilterForm
    # What narrows the queue, as name and value of the address.
    narrowed: Mapping[str, Sequence[str]]

    @property
    def of(self) -> Queue:
        """The queue."""
        return QUEUES[self.queue]

    def query(self, *without: str, **more: str) -> str:
        """Return the query string of this list, without some filters and with something more."""
        kept = {name: values for name, values in self.narrowed.items() if name not in without}
        return urlencode({"queue": self.queue, **kept, **more}, doseq=True)


@dataclass(frozen=True)
class Page:
    """Rows of a list, and the query strings of what comes before and after them."""

    cases: Sequence[Case]
    back: str | None
    more: str | None


def read_address(
    query: QueryDict, *, actor: Actor, at: datetime, first: str, remembered: Mapping[str, str]
) -> Asked:
    """Return which list an address asks for; what it does not know, it leaves out.

    Args:
        query: the query parameters.
        actor: who asks.
        at: now.
        first: the queue where none is named.
        remembered: the order that this person last chose, by queue.
    """
    queue = query.get("queue", first)
    queue = queue if queue in QUEUES else first
    holds = QUEUES[queue].holds(actor, at)
    form = FilterForm(query, queue=holds)
    form.is_valid()  # what is not valid narrows nothing, and is said at its field
    wanted = replace(holds, **form.wanted(actor))
    name = remembered.get(queue, "")
    ordering = ORDERINGS[name if name in ORDERINGS else QUEUES[queue].ordering]
    return Asked(
        queue=queue,
        ordering=ordering.among_open() if wanted.only_open else ordering,
        wanted=wanted,
        form=form,
        narrowed=form.narrowed(),
    )


def read_page(asked: Asked, query: QueryDict, actor: Actor, at: datetime) -> Page:
    """Return a page of a list: the one after, or before, a row that the address names."""
    ordering = asked.ordering
    before = _place(query.get("before", ""), ordering)
    after = None if before else _place(query.get("after", ""), ordering)
    rows = selectors.visible_cases(actor, replace(asked.wanted, search=""), at=at).order_by(
        *ordering.terms(turned=bool(before))
    )
    if place := before or after:
        rows = rows.filter(ordering.beyond(place, turned=bool(before)))
    found = selectors.first_cases(rows, asked.wanted.search, PAGE + 1)
    rest, cases = len(found) > PAGE, found[:PAGE]
    if before:
        cases.reverse()
    earlier, later = (rest, True) if before else (after is not None, rest)
    return Page(
        cases=cases,
        back=asked.query(before=_written(cases[0], ordering)) if cases and earlier else None,
        more=asked.query(after=_written(cases[-1], ordering)) if cases and later else None,
    )


def _written(case: Case, ordering: Ordering) -> str:
    values: list[Any] = [getattr(case, key.field) for key in ordering.keys]
    return _BETWEEN.join(
        rfc3339(value) if isinstance(value, datetime) else value or "" for value in values
    )


def _place(text: str, ordering: Ordering) -> list[Combinable] | None:
    """Return a row's place in the order; None where the text is none: the list starts anew."""
    first, between, case_id = text.partition(_BETWEEN)
    if not between or not _CASE_ID.fullmatch(case_id):
        return None
    field = ordering.keys[0].field
    try:
        if field == "priority":
            return [Value(Priority(first).value), Value(case_id)]
        moment = intake.moment(first) if first or field != "due_at" else None
    except ValueError:
        return None
    return [Value(moment, output_field=DateTimeField()), Value(case_id)]
