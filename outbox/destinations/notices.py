"""Who is told of what by e-mail, and in which words."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from types import MappingProxyType
from typing import Any, Final

from django.conf import settings
from django.template.loader import render_to_string
from django.urls import reverse

from cases import selectors
from cases.events import (
    CaseEscalated,
    CaseEvent,
    CaseOverdue,
    CaseReviewerAssigned,
    CaseReviewStarted,
)
from cases.policies import ASSIGN_ANY, VIEW_RESTRICTED
from outbox.cloudevents import TYPES

_PEOPLE_MOST: Final = 200  # characters of a name in a text


@dataclass(frozen=True)
class Notice:
    """What one type of event is told as. ``to`` returns addresses by account."""

    words: str
    template: str
    to: Callable[[Mapping[str, Any]], dict[str, str]]


def _reviewer(data: Mapping[str, Any]) -> dict[str, str]:
    return selectors.addresses_of([data["reviewer_id"]])


def _supervisors(data: Mapping[str, Any]) -> dict[str, str]:
    """Return who may hand any case to anybody; of a restricted case only who may know of it."""
    found = selectors.addresses_holding(ASSIGN_ANY)
    if selectors.restricted_among([data["case_id"]]):
        may_know = selectors.addresses_holding(VIEW_RESTRICTED)
        found = {name: address for name, address in found.items() if name in may_know}
    return found


NOTICES: Final[Mapping[type[CaseEvent], Notice]] = MappingProxyType(
    {
        CaseReviewerAssigned: Notice("assigned to you", "assigned.txt", _reviewer),
        CaseReviewStarted: Notice("review started in your name", "review_started.txt", _reviewer),
        CaseEscalated: Notice("escalated", "escalated.txt", _supervisors),
        CaseOverdue: Notice("overdue", "overdue.txt", _supervisors),
    }
)
_BY_MESSAGE: Final = {TYPES[kind.type]: notice for kind, notice in NOTICES.items()}


def is_told(event: CaseEvent) -> bool:
    """Tell whether an event is one that somebody else should hear of by e-mail."""
    if isinstance(event, CaseReviewerAssigned | CaseReviewStarted):
        return event.reviewer_id != event.actor_id
    return type(event) in NOTICES


@dataclass(frozen=True)
class Letter:
    """One text for one or more people, each of whom gets it alone."""

    subject: str
    text: str
    to: Mapping[str, str]
    """Addresses by account."""


def letter(type_: str, data: Mapping[str, Any], at: datetime) -> Letter:
    """Return what to write to whom about a message; to nobody where nobody has an address.

    Nothing but names of the service's own making goes in: the case's id, the moment, accounts.
    Titles, reasons and notes do not, since letters are read on the way and kept elsewhere.

    Args:
        type_: the CloudEvents type.
        data: the message's data.
        at: when it happened.

    Raises:
        KeyError: no e-mail belongs to this type, or the data lack what it needs.
    """
    notice, case_id, actor = _BY_MESSAGE[type_], data["case_id"], data["actor_id"]
    known: Collection[str] = actor.split()
    context = {
        "case_id": case_id,
        "actor_id": " ".join(known)[:_PEOPLE_MOST],
        "at": at,
        "due_at": datetime.fromisoformat(data["due_at"]) if data.get("due_at") else None,
        "link": _link(case_id),
    }
    to = {name: address for name, address in notice.to(data).items() if name != actor}
    text = render_to_string(f"outbox/email/{notice.template}", context)
    return Letter(subject=f"{case_id}: {notice.words}", text=text, to=to)


def _link(case_id: str) -> str:
    if not settings.PUBLIC_URL:
        return ""
    path = reverse("admin:cases_case_change", args=[case_id])
    return f"{settings.PUBLIC_URL.rstrip('/')}{path}"
