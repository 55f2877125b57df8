"""The page of a case: what it is, what may be done now, what was written and what happened."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final
from uuid import uuid4

from django.contrib.admin import ModelAdmin
from django.http import Http404, HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import reverse

from cases import selectors
from cases.admin.actions import ACTIONS
from cases.admin.forms import NoteForm
from cases.admin.persons import actor_in
from cases.errors import CaseNotFound
from cases.lifecycle import CaseAction, CaseStatus
from cases.models import Case
from cases.policies import VIEW_RESTRICTED, Actor

# The step that leads on from each status: it stands first and stands out.
_NEXT: Final[Mapping[str, CaseAction]] = {
    CaseStatus.DRAFT: CaseAction.SUBMIT,
    CaseStatus.SUBMITTED: CaseAction.START_REVIEW,
    CaseStatus.UNDER_REVIEW: CaseAction.CLOSE,
    CaseStatus.ESCALATED: CaseAction.CLOSE,
}
# Where they stand on the page already: notes and access have sections of their own.
_ELSEWHERE: Final = frozenset(
    {CaseAction.ADD_NOTE, CaseAction.GRANT_ACCESS, CaseAction.REVOKE_ACCESS}
)


def case_or_404(request: HttpRequest, case_id: str) -> Case:
    """Return the case as it exists for who is logged in.

    Raises:
        Http404: it does not exist for this person, or not at all.
    """
    try:
        return selectors.get_case(case_id, actor_in(request))
    except CaseNotFound as error:
        raise Http404(error.message) from None


def case_page(request: HttpRequest, model_admin: ModelAdmin[Case], case: Case) -> HttpResponse:
    """Show a case."""
    actor = actor_in(request)
    explained = selectors.explained_actions(actor, case)
    allowed = [action for action, error in explained.items() if error is None]
    next_step = _NEXT.get(case.status)
    context = {
        **model_admin.admin_site.each_context(request),
        "opts": model_admin.opts,
        "title": case.title,
        "subtitle": case.id,
        "case": case,
        "first": [_button(action, case) for action in allowed if action is next_step],
        "buttons": [
            _button(action, case)
            for action in allowed
            if action is not next_step and action not in _ELSEWHERE
        ],
        "forbidden": [
            (ACTIONS[action].label, error.message) for action, error in explained.items() if error
        ],
        "note_form": NoteForm(actor=actor, auto_id="note-%s")
        if CaseAction.ADD_NOTE in allowed
        else None,
        "form_key": uuid4(),
        "notes": selectors.notes_of(case),
        **_access(actor, case, allowed),
    }
    return TemplateResponse(request, "admin/cases/case/detail.html", context)


def _button(action: CaseAction, case: Case) -> dict[str, str]:
    url = reverse(f"admin:cases_case_{action.value}", args=[case.id])
    return {"label": ACTIONS[action].label, "url": url}


def _access(actor: Actor, case: Case, allowed: list[CaseAction]) -> dict[str, Any]:
    """Return who was let in on the case, for those who decide on that or oversee it."""
    may_grant = CaseAction.GRANT_ACCESS in allowed
    if not (may_grant or actor.has(VIEW_RESTRICTED)):
        return {"sees_access": False}
    return {
        "sees_access": True,
        "may_grant": may_grant,
        "may_revoke": CaseAction.REVOKE_ACCESS in allowed,
        "grants": selectors.grants_on(case),
    }
