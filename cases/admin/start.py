"""The start page: what waits for who is logged in, and what this person may begin from here."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Final, NamedTuple

from django.contrib.admin import ModelAdmin
from django.http import HttpRequest
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.timezone import now

from cases import replica, reports, selectors
from cases.admin import figures
from cases.admin.persons import actor_in
from cases.admin.plots import Bars
from cases.admin.queues import MOST, QUEUES, limited, to_count
from cases.filters import EVERY_CASE
from cases.lifecycle import CaseAction
from cases.models import NEWEST_FIRST, ORDERINGS, Case
from cases.policies import (
    ASSIGN_ANY,
    EXPORT_AUDIT,
    EXPORT_CASES,
    PERMISSIONS,
    VIEW,
    VIEW_RESTRICTED,
    Actor,
    oversees,
)

# So many cases of each queue stand on the page; of cases that have no list anywhere, a list's page.
FEW: Final = 5
OPENED: Final = 50


class Section(NamedTuple):
    """The first cases of a queue; ``url`` leads to all of them."""

    name: str
    title: str
    number: str
    cases: Sequence[Case]
    # What an empty one says: what that means, and what to do.
    empty: tuple[str, str]
    # Whether there are more than these.
    more: bool
    url: str = ""


class Beginning(NamedTuple):
    """Something to begin with, for those who may."""

    may: Callable[[Actor], bool]
    label: str
    about: str
    icon: str
    page: str
    query: str = ""

    @property
    def url(self) -> str:
        """The address where it begins."""
        return f"{reverse(self.page)}{self.query}"


def _may(*permissions: str) -> Callable[[Actor], bool]:
    return lambda actor: all(map(actor.has, permissions))


_BEGINNINGS: Final = (
    Beginning(
        _may(PERMISSIONS[CaseAction.CREATE]),
        "New case",
        "Take a matter in. It stays a draft until it is submitted.",
        "plus",
        "admin:cases_case_add",
    ),
    Beginning(
        _may(PERMISSIONS[CaseAction.CREATE]),
        "Import a register",
        "Take many in from a file, after a look at each row.",
        "upload",
        "admin:cases_case_imports",
    ),
    Beginning(
        _may(VIEW, PERMISSIONS[CaseAction.START_REVIEW]),
        "Take up a case",
        "Submitted cases, the next due first.",
        "cases",
        "admin:cases_case_changelist",
        "?queue=submitted",
    ),
    Beginning(
        _may(VIEW, ASSIGN_ANY),
        "Hand out work",
        "Choose cases that are nobody's, and a reviewer for all of them.",
        "send",
        "admin:cases_case_changelist",
        "?queue=unassigned",
    ),
    Beginning(
        oversees,
        "Look at the dashboard",
        "What comes and goes, what was kept, who has how much.",
        "chart",
        "admin:dashboard",
    ),
    Beginning(
        _may(VIEW, EXPORT_CASES),
        "Take a list away",
        "Filter the cases, then export the list as a file.",
        "download",
        "admin:cases_case_changelist",
        "?queue=all",
    ),
    Beginning(
        _may(VIEW_RESTRICTED, EXPORT_AUDIT),
        "Read the trail",
        "Who did what and when, over all cases.",
        "note",
        "admin:audit_auditevent_changelist",
    ),
)


def start_page(request: HttpRequest, model_admin: ModelAdmin[Case]) -> TemplateResponse:
    """Show what waits for a person."""
    actor, at = actor_in(request), now()
    names = queues_of(actor)
    sections, coming = replica.from_replica(
        lambda: (
            _sections(actor, names, at) if names else _opened(actor, at),
            _coming(actor, at),
        )
    )
    context = {
        **model_admin.admin_site.each_context(request),
        "title": "Start",
        "heading": _heading(names),
        "now": at,
        "sections": sections,
        "coming": coming,
        "beginnings": [one for one in _BEGINNINGS if one.may(actor)],
    }
    return TemplateResponse(request, "admin/start.html", context)


def queues_of(actor: Actor) -> list[str]:
    """Return the queues that matter to somebody, what is theirs first."""
    if not actor.has(VIEW):
        return []
    names = ["mine"] if actor.has(PERMISSIONS[CaseAction.CLOSE]) else []
    if actor.has(PERMISSIONS[CaseAction.SUBMIT]):
        names.append("drafts")
    hands_out = actor.has(PERMISSIONS[CaseAction.ASSIGN]) or oversees(actor)
    return [*names, "unassigned" if hands_out else "submitted", "overdue", "escalated", "closed"]


def _heading(names: Sequence[str]) -> str:
    if not names:
        return "Opened to you"
    return "Your work" if names[0] in ("mine", "drafts") else "The work of the office"


def _sections(actor: Actor, names: Sequence[str], at: datetime) -> list[Section]:
    numbers = selectors.how_many(actor, to_count(names, actor, at), most=MOST, at=at)
    here = reverse("admin:cases_case_changelist")
    return [
        Section(
            name=name,
            title=QUEUES[name].title,
            number=limited(numbers[name]),
            cases=_first(actor, name, at) if numbers[name] else (),
            empty=QUEUES[name].empty,
            more=numbers[name] > FEW,
            url=f"{here}?queue={name}",
        )
        for name in names
    ]


def _first(actor: Actor, name: str, at: datetime) -> Sequence[Case]:
    wanted, ordering = QUEUES[name].holds(actor, at), ORDERINGS[QUEUES[name].ordering]
    if wanted.only_open:
        ordering = ordering.among_open()
    cases = selectors.visible_cases(actor, wanted, at=at).order_by(*ordering.terms())
    return selectors.first_cases(cases, "", FEW)


def _opened(actor: Actor, at: datetime) -> list[Section]:
    """Return the cases that were opened to somebody without a role, who has no other list."""
    [number] = selectors.how_many(
        actor, {"opened": (EVERY_CASE, NEWEST_FIRST)}, most=MOST, at=at
    ).values()
    cases = selectors.visible_cases(actor, at=at).order_by(*NEWEST_FIRST.terms())
    return [
        Section(
            name="opened",
            title="Cases opened to you",
            number=limited(number),
            cases=selectors.first_cases(cases, "", OPENED) if number else (),
            empty=(
                "Nothing is open to you yet",
                "Ask an administrator for a role, or a supervisor for access to a single case.",
            ),
            more=number > OPENED,
        )
    ]


def _coming(actor: Actor, at: datetime) -> Bars | None:
    if not oversees(actor):
        return None
    return figures.coming_due(reports.coming_due(actor, at=at))
