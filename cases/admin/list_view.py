"""The list of cases: queues as tabs, filters, an order that is kept, pages without counts."""

from __future__ import annotations

import re
from typing import Any, Final, Protocol, cast

from django.contrib.admin import ModelAdmin
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.http.response import HttpResponseBase
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.timezone import now

from cases import exports, policies, selectors
from cases.admin.bulk import act_on_chosen
from cases.admin.exports import csv_of
from cases.admin.lists import ORDER_LABELS, Asked, read_address, read_page
from cases.admin.persons import actor_in, reviewers
from cases.admin.queues import QUEUES, first_queue
from cases.errors import CaseNotFound
from cases.lifecycle import CaseAction
from cases.models import Case
from cases.policies import Actor

# A tab counts so far and then says "99+".
MOST: Final = 99
_ID: Final = re.compile(r"(?:CASE-)?([0-9]{1,15})", re.IGNORECASE)
_KEPT: Final = "cases.ordering."


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
    back = f"{reverse('admin:cases_case_changelist')}?{asked.query()}"
    if request.method == "POST":
        if (ordering := request.POST.get("ordering", "")) in ORDER_LABELS:
            site = cast(Remembers, model_admin.admin_site)
            site.prefer(request.user, f"{_KEPT}{asked.queue}", ordering)
            return HttpResponseRedirect(back)
        return act_on_chosen(request, model_admin, actor, back)
    return _show(request, model_admin, actor, asked)


def _show(
    request: HttpRequest, model_admin: ModelAdmin[Case], actor: Actor, asked: Asked
) -> HttpResponse:
    at = now()
    page = read_page(asked, request.GET, actor, at)
    counted = {n: (q.holds(actor, at), q.counted) for n, q in QUEUES.items() if q.counted}
    numbers = selectors.how_many(actor, counted, most=MOST, at=at)
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
                "number": _limited(numbers[name]) if name in numbers else "",
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
    }
    return TemplateResponse(request, "admin/cases/case/list.html", context)


def export_page(request: HttpRequest, model_admin: ModelAdmin[Case]) -> HttpResponseBase:
    """Send the whole list, all pages of it, as CSV."""
    actor = actor_in(request)
    if not actor.has(policies.EXPORT_CASES):
        raise PermissionDenied
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


def _limited(number: int) -> str:
    return f"{MOST}+" if number > MOST else str(number)
