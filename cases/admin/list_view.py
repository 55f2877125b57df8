"""The list of cases: queues as tabs, filters, an order that is kept, pages without counts."""

from __future__ import annotations

import re
from collections.abc import Collection
from typing import Any, Final, Protocol, cast
from uuid import UUID, uuid4

from django.contrib.admin import ModelAdmin
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.http.response import HttpResponseBase
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.timezone import now

from cases import exports, policies, replica, selectors
from cases.admin.bulk import act_on_chosen, chosen_file, chosen_in
from cases.admin.exports import csv_of
from cases.admin.lists import ORDER_LABELS, Asked, read_address, read_page
from cases.admin.persons import actor_in, reviewers
from cases.admin.queues import MOST, QUEUES, first_queue, limited, to_count
from cases.errors import CaseNotFound
from cases.lifecycle import CaseAction
from cases.models import Case
from cases.policies import Actor

_ID: Final = re.compile(r"(?:CASE-)?([0-9]{1,15})", re.IGNORECASE)
_KEPT: Final = "cases.ordering."
_PLACES: Final = ("before", "after")


class Remembers(Protocol):
    """A site that keeps what somebody chose."""

    def preferences(self, user: Any) -> dict[str, str]: ...
    def prefer(self, user: Any, name: str, value: str) -> None: ...


def _asked(request: HttpRequest, model_admin: ModelAdmin[Case], actor: Actor) -> Asked:
    kept = cast(Remembers, model_admin.admin_site).preferences(request.user)
    return read_address(
        request.GET,
        actor=actor,
        at=now(),
        first=first_queue(actor),
        remembered={name.removeprefix(_KEPT): value for name, value in kept.items()},
    )


def list_page(request: HttpRequest, model_admin: ModelAdmin[Case]) -> HttpResponseBase:
    """Show a list; keep the order that was chosen; act on the cases that were chosen."""
    actor = actor_in(request)
    if found := _named(request.GET.get("search", ""), actor):
        return HttpResponseRedirect(reverse("admin:cases_case_change", args=[found]))
    asked = _asked(request, model_admin, actor)
    problem = ""
    if request.method == "POST":
        here = reverse("admin:cases_case_changelist")
        if (ordering := request.POST.get("ordering", "")) in ORDER_LABELS:
            site = cast(Remembers, model_admin.admin_site)
            site.prefer(request.user, f"{_KEPT}{asked.queue}", ordering)
            return HttpResponseRedirect(f"{here}?{asked.query()}")
        outcome = act_on_chosen(request, actor, f"{here}?{_here(request, asked)}")
        if not isinstance(outcome, str):
            return outcome
        problem = outcome
    return _show(request, model_admin, actor, asked, problem)


def _here(request: HttpRequest, asked: Asked) -> str:
    """Return the query string of this very page of a list."""
    return asked.query(**{name: request.GET[name] for name in _PLACES if name in request.GET})


def _show(
    request: HttpRequest, model_admin: ModelAdmin[Case], actor: Actor, asked: Asked, problem: str
) -> HttpResponse:
    at = now()
    counted = to_count(QUEUES, actor, at)
    page, numbers = replica.from_replica(
        lambda: (
            read_page(asked, request.GET, actor, at),
            selectors.how_many(actor, counted, most=MOST, at=at),
        )
    )
    chosen = chosen_in(request) if problem else {}
    if gone := _gone(chosen, page.cases):
        problem += f" {gone} of the chosen ones {'is' if gone == 1 else 'are'} not on this page."
    may_assign = actor.has(policies.PERMISSIONS[CaseAction.ASSIGN])
    context = {
        **model_admin.admin_site.each_context(request),
        "opts": model_admin.opts,
        "title": asked.of.title,
        "asked": asked,
        "page": page,
        "now": at,
        "tabs": [
            {
                "name": name,
                "label": queue.label,
                "number": limited(numbers[name]) if name in numbers else "",
                "current": name == asked.queue,
            }
            for name, queue in QUEUES.items()
        ],
        "orderings": [
            {"name": name, "label": label, "current": name == asked.ordering.name}
            for name, label in ORDER_LABELS.items()
        ],
        "told": [
            {"label": label, "value": value, "without": asked.query(name)}
            for name, label, value in asked.form.told()
        ],
        "may_create": model_admin.has_add_permission(request),
        "may_export": actor.has(policies.EXPORT_CASES),
        "may_assign": may_assign,
        "reviewers": reviewers() if may_assign and page.cases else (),
        "query": asked.query(),
        "here": _here(request, asked),
        "form_key": uuid4(),
        # What was chosen stays chosen when something is missing.
        "problem": problem,
        "chosen": chosen,
        "reviewer": request.POST.get("reviewer_id", ""),
    }
    return TemplateResponse(request, "admin/cases/case/list.html", context)


def _gone(chosen: Collection[str], shown: Collection[Case]) -> int:
    return len(set(chosen).difference(case.id for case in shown))


def export_page(
    request: HttpRequest, model_admin: ModelAdmin[Case], key: UUID | None = None
) -> HttpResponseBase:
    """Send the whole list, all pages of it, as CSV; or the cases that were chosen, by their key."""
    actor = actor_in(request)
    if not actor.has(policies.EXPORT_CASES):
        raise PermissionDenied
    if key is not None:
        return chosen_file(actor, key)
    asked = _asked(request, model_admin, actor)
    return csv_of(exports.cases_as_csv(actor, asked.wanted, asked.ordering))


def _named(search: str, actor: Actor) -> str:
    """Return the id of the case that a search names, where it exists for this actor."""
    match = _ID.fullmatch(search.strip())
    if match is None:
        return ""
    try:
        return selectors.get_case(f"CASE-{match[1].zfill(6)}", actor).id
    except CaseNotFound:
        return ""
