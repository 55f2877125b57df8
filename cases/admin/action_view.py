"""The page of an action: asks for what it needs, says which rule forbids it, is sent once."""

from __future__ import annotations

from typing import Any, Final
from uuid import uuid4

from django import forms
from django.contrib import messages
from django.contrib.admin import ModelAdmin
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse

from cases import services
from cases.admin.actions import ACTIONS, carry_out, outdated
from cases.admin.case_view import case_or_404
from cases.admin.once import once
from cases.admin.persons import actor_in
from cases.errors import CaseError, CaseNotFound
from cases.lifecycle import CaseAction
from cases.models import Case
from cases.policies import Actor
from cases.signals import action_refused

# What a link may put into a form beforehand.
_GIVEN: Final = ("user", "permission", "reviewer_id")


def action_page(
    request: HttpRequest, model_admin: ModelAdmin[Case], action: CaseAction, case: Case | None
) -> HttpResponse:
    """Ask for what the action needs; carry it out; say in words which rule forbids it."""
    form_class, label = ACTIONS[action].form, ACTIONS[action].label
    actor = actor_in(request)
    context: dict[str, Any] = {"problem": "", "form_key": uuid4()}
    if request.method == "POST":
        form: forms.Form = form_class(request.POST, actor=actor, case=case)
        done, again, wrong = _act(request, action, form, actor, case)
        if done:
            if again:
                messages.info(request, "This form was sent before: nothing was done twice.")
            else:
                messages.success(request, f"{done}: {ACTIONS[action].done}")
            return HttpResponseRedirect(reverse("admin:cases_case_change", args=[done]))
        if wrong is not None:
            context["problem"] = wrong.message
            if case is not None and outdated(wrong):
                # What was typed stays; the version is the new one, to be decided on again.
                context["seen"] = case_version(form)
                case = case_or_404(request, case.id)
                form.data = {**request.POST.dict(), "expected_version": str(case.version)}
    else:
        given = {name: request.GET[name] for name in _GIVEN if name in request.GET}
        form = form_class(actor=actor, case=case, initial=given)
        if case is not None:
            context["problem"] = _forbidden(action, actor, case)
    context |= {
        **model_admin.admin_site.each_context(request),
        "opts": model_admin.opts,
        "title": label if case else "New case",
        "subtitle": case.id if case else None,
        "action": ACTIONS[action],
        "case": case,
        "form": form,
    }
    return TemplateResponse(request, "admin/cases/case/action.html", context)


def case_version(form: forms.Form) -> int | None:
    """Return the version of the case that the form was made from."""
    version: int | None = form.cleaned_data.get("expected_version")
    return version


def _act(
    request: HttpRequest, action: CaseAction, form: forms.Form, actor: Actor, case: Case | None
) -> tuple[str | None, bool, CaseError | None]:
    """Carry the action out.

    Returns:
        The id of the case, where it was done; whether the same form did it before; what forbids it.
    """
    if not form.is_valid():
        return None, False, None
    case_id = case.id if case else None
    try:
        done, again = once(
            actor,
            request.POST.get("form_key", ""),
            lambda: carry_out(action, form, actor=actor, case_id=case_id),
        )
    except CaseError as error:
        action_refused.send(sender=CaseAction, action=action, code=error.code)
        if isinstance(error, CaseNotFound):
            raise Http404(error.message) from None
        return None, False, error
    return done, again, None


def _forbidden(action: CaseAction, actor: Actor, case: Case) -> str:
    """Say before anything is typed what would forbid the action."""
    try:
        services.check_may(action=action, actor=actor, case_id=case.id)
    except CaseError as error:
        return error.message
    return ""
