"""What is done to many cases at once: each by itself, with a result of its own."""

from __future__ import annotations

import json
import re
from typing import Final, NamedTuple, TypedDict
from uuid import UUID

from django.contrib.admin import ModelAdmin
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.http.response import HttpResponseBase
from django.template.response import TemplateResponse
from django.urls import reverse

from cases import exports, policies, selectors, services
from cases.admin.exports import csv_of
from cases.admin.once import keep, kept, key_of, take
from cases.admin.persons import reviewers
from cases.errors import CaseNotFound
from cases.models import Case
from cases.policies import Actor

# More than a page holds are not chosen by hand.
MOST: Final = 200
# A case and the version of it that was shown.
_CHOSEN: Final = re.compile(r"(CASE-[0-9]{6,15}):([0-9]{1,9})")
ASSIGN: Final = "assign"
EXPORT: Final = "export"


class Result(NamedTuple):
    """What became of one case."""

    case_id: str
    words: str
    done: bool = False


class Kept(TypedDict):
    """What is kept of one use of the buttons above a list: what, for whom, with which results."""

    do: str
    reviewer: str
    back: str
    results: list[tuple[str, str, bool]]


def chosen_in(request: HttpRequest) -> dict[str, int]:
    """Return the ids that were chosen, each with the version of the case that was shown."""
    matches = map(_CHOSEN.fullmatch, request.POST.getlist("chosen"))
    return {match[1]: int(match[2]) for match in matches if match}


def act_on_chosen(request: HttpRequest, actor: Actor, back: str) -> HttpResponseRedirect | str:
    """Carry out what was asked for the chosen cases; what is sent twice is done once.

    Args:
        request: the form of the list.
        actor: who sent it.
        back: the address of the list.

    Returns:
        The way to the results, or what is missing, in words; then nothing was done.
    """
    chosen, do = chosen_in(request), request.POST.get("do", "")
    reviewer = request.POST.get("reviewer_id", "") if do == ASSIGN else ""
    if do not in (ASSIGN, EXPORT):
        return "Choose what is to be done with the cases."
    if do == EXPORT and not actor.has(policies.EXPORT_CASES):
        raise PermissionDenied
    if not chosen:
        return "Choose the cases first: the boxes at the left of the list."
    if len(chosen) > MOST:
        return f"At most {MOST} cases at once; these are {len(chosen):,}."
    if do == ASSIGN and reviewer not in dict(reviewers()):
        return "Choose a reviewer for the cases."
    # The order of the boxes counts too: it is that of the results.
    sent = [do, reviewer, *(f"{case_id}:{version}" for case_id, version in chosen.items())]
    key = key_of(request.POST.get("form_key", ""), *sent)
    if take(actor, key):
        results = _assign(chosen, reviewer, actor) if do == ASSIGN else _export(chosen, actor)
        keep(actor, key, json.dumps(Kept(do=do, reviewer=reviewer, back=back, results=results)))
    return HttpResponseRedirect(reverse("admin:cases_case_results", args=[key]))


def results_page(
    request: HttpRequest, model_admin: ModelAdmin[Case], actor: Actor, key: UUID
) -> HttpResponse:
    """Tell what became of each case that was chosen."""
    found = _kept(actor, key)
    results = [Result(*result) for result in found["results"]] if found else []
    titles = selectors.visible_cases(actor).filter(pk__in=[one.case_id for one in results])
    title_of = dict(titles.values_list("pk", "title"))
    context = {
        **model_admin.admin_site.each_context(request),
        "opts": model_admin.opts,
        "title": "Export cases" if found and found["do"] == EXPORT else "Assign cases",
        "under_way": found is None,
        "exported": found is not None and found["do"] == EXPORT,
        "results": [{"of": one, "title": title_of.get(one.case_id, "")} for one in results],
        "done": sum(one.done for one in results),
        "refused": sum(not one.done for one in results),
        "reviewer": found["reviewer"] if found else "",
        "back": found["back"] if found else reverse("admin:cases_case_changelist"),
        "key": key,
    }
    return TemplateResponse(request, "admin/cases/case/results.html", context)


def chosen_file(actor: Actor, key: UUID) -> HttpResponseBase:
    """Send the file of the cases that were chosen for an export."""
    found = _kept(actor, key)
    if found is None or found["do"] != EXPORT:
        raise Http404(_NOTHING)
    ids = [case_id for case_id, _, done in found["results"] if done]
    return csv_of(exports.chosen_as_csv(actor, ids))


_NOTHING: Final = "There is no such result."


def _kept(actor: Actor, key: UUID) -> Kept | None:
    """Return what is kept of this person's; None while it is under way.

    Raises:
        Http404: there is nothing, or it is somebody else's.
    """
    text = kept(actor, key)
    if text is None:
        raise Http404(_NOTHING)
    found: Kept | None = json.loads(text) if text else None
    return found


def _assign(chosen: dict[str, int], reviewer: str, actor: Actor) -> list[tuple[str, str, bool]]:
    done = services.assign_cases(
        case_ids=chosen, reviewer_id=reviewer, actor=actor, versions=chosen
    )
    return [
        (one.case_id, one.error.message, False)
        if one.error
        else (one.case_id, f"Assigned to {reviewer}.", True)
        for one in done
    ]


def _export(chosen: dict[str, int], actor: Actor) -> list[tuple[str, str, bool]]:
    cases = selectors.visible_cases(actor).filter(pk__in=chosen)
    seen = set(cases.values_list("pk", flat=True))
    return [
        (case_id, "Stands in the file.", True)
        if case_id in seen
        else (case_id, CaseNotFound().message, False)
        for case_id in chosen
    ]
