"""What is done to many cases at once: each through its service, each with a result of its own."""

from __future__ import annotations

import re
from typing import Final, NamedTuple

from django.contrib import messages
from django.contrib.admin import ModelAdmin
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.http import HttpRequest, HttpResponseRedirect
from django.http.response import HttpResponseBase
from django.template.response import TemplateResponse

from cases import policies, services
from cases.admin.exports import csv_of
from cases.admin.persons import reviewers
from cases.errors import CaseError, InvalidInput
from cases.exports import chosen_as_csv
from cases.models import Case
from cases.policies import Actor

# More than a page holds are not chosen by hand.
MOST: Final = 200
# A case and the version of it that was shown.
_CHOSEN: Final = re.compile(r"(CASE-[0-9]{6,15}):([0-9]{1,9})")


class Result(NamedTuple):
    """What became of one case."""

    case_id: str
    words: str
    done: bool = False


def act_on_chosen(
    request: HttpRequest, model_admin: ModelAdmin[Case], actor: Actor, back: str
) -> HttpResponseBase:
    """Carry out what was asked for the chosen cases and tell what became of each."""
    chosen = _chosen(request.POST.getlist("chosen"))
    if request.POST.get("do") == "export" and chosen:
        if not actor.has(policies.EXPORT_CASES):
            raise PermissionDenied
        return csv_of(chosen_as_csv(actor, list(chosen)))
    reviewer, known = request.POST.get("reviewer_id", ""), reviewers()
    if reviewer not in dict(known):
        messages.error(request, "Choose a reviewer for the cases.")
        return HttpResponseRedirect(back)
    if not chosen:
        messages.error(request, "Choose the cases first: the boxes at the left of the list.")
        return HttpResponseRedirect(back)
    results = [_assign(case_id, version, reviewer, actor) for case_id, version in chosen.items()]
    context = {
        **model_admin.admin_site.each_context(request),
        "opts": model_admin.opts,
        "title": "Assign cases",
        "results": results,
        "done": sum(result.done for result in results),
        "refused": [result for result in results if not result.done],
        "reviewer": reviewer,
        "back": back,
    }
    return TemplateResponse(request, "admin/cases/case/results.html", context)


def _chosen(values: list[str]) -> dict[str, int]:
    """Return the ids that were chosen, each with the version of the case that was shown."""
    found: dict[str, int] = {}
    for value in values[:MOST]:
        if match := _CHOSEN.fullmatch(value):
            found[match[1]] = int(match[2])
    return found


def _assign(case_id: str, version: int, reviewer: str, actor: Actor) -> Result:
    try:
        # Each for itself, whatever surrounds it: one that is refused undoes no other.
        with transaction.atomic():
            services.assign_reviewer(
                case_id=case_id, reviewer_id=reviewer, actor=actor, expected_version=version
            )
    except InvalidInput as error:
        return Result(case_id, words=" ".join(map(str, error.details.values())))
    except CaseError as error:
        return Result(case_id, words=error.message)
    return Result(case_id, words=f"Assigned to {reviewer}.", done=True)
