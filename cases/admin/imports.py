"""Importing a register in the back office: upload, columns, check, import; one person's own."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any, Final
from uuid import UUID

from django.conf import settings
from django.contrib import messages
from django.contrib.admin import ModelAdmin
from django.core.exceptions import PermissionDenied
from django.http import (
    Http404,
    HttpRequest,
    HttpResponse,
    HttpResponseRedirect,
    StreamingHttpResponse,
)
from django.http.response import HttpResponseBase
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.http import content_disposition_header
from django.utils.timezone import now

from cases import errors
from cases.admin.import_forms import MappingForm, UploadForm, label_of
from cases.admin.persons import actor_in
from cases.admin.uploads import size_refused
from cases.imports import registers
from cases.imports.cases import What
from cases.imports.rows import FileError
from cases.imports.uploads import take_in
from cases.lifecycle import CaseAction
from cases.models import Case, RegisterState, UploadedRegister
from cases.policies import PERMISSIONS, Actor

# A request works so long before it answers how far it has come.
SECONDS: Final = 3.0
STEPS: Final = ("File", "Columns", "Check", "Import")
_STEP: Final = {
    RegisterState.UPLOADED: 1,
    RegisterState.CHECKING: 2,
    RegisterState.CHECKED: 2,
    RegisterState.LOADING: 3,
    RegisterState.LOADED: 3,
}
# What becomes of rows, before and after, and the mark that it bears.
_WORDS: Final = {
    What.CREATED: ("New case", "Created", "good"),
    What.UPDATED: ("Changes a draft", "Updated", "wait"),
    What.UNCHANGED: ("Unchanged", "Unchanged", "plain"),
    What.CHANGED_NOT_APPLIED: ("Changed, not applied", "Changed, not applied", "bad"),
    What.REJECTED: ("Refused", "Refused", "bad"),
}


def _guarded(page: Callable[..., HttpResponseBase]) -> Callable[..., HttpResponseBase]:
    """Admit who may take cases in, and tell what is not theirs as what is not there."""

    def view(
        request: HttpRequest, model_admin: ModelAdmin[Case], *args: Any, **kwargs: Any
    ) -> HttpResponseBase:
        actor = actor_in(request)
        if not actor.has(PERMISSIONS[CaseAction.CREATE]):
            raise PermissionDenied
        try:
            return page(request, model_admin, actor, *args, **kwargs)
        except errors.PermissionDenied as error:
            raise PermissionDenied(error.message) from None
        except registers.NoSuchRegister:
            message = "There is no such upload."
            raise Http404(message) from None

    return view


@_guarded
def uploads_page(
    request: HttpRequest, model_admin: ModelAdmin[Case], actor: Actor
) -> HttpResponseBase:
    """Ask for a file, and list what this person has uploaded."""
    sent = (request.POST, request.FILES) if request.method == "POST" else ()
    form = UploadForm(*sent, too_large=size_refused(request))
    if form.is_valid():
        registers.forget_older_than(now() - timedelta(days=settings.IMPORT_KEEP_DAYS))
        upload = form.cleaned_data["file"]
        try:
            register = take_in(
                upload.file,
                name=upload.name,
                actor=actor,
                at=now(),
                delimiter=form.cleaned_data["delimiter"],
            )
        except FileError as error:
            form.add_error("file", str(error))
        else:
            return HttpResponseRedirect(_address(register.id))
    context = {
        **model_admin.admin_site.each_context(request),
        "opts": model_admin.opts,
        "title": "Import cases",
        "form": form,
        "registers": registers.registers_of(actor),
        "keep_days": settings.IMPORT_KEEP_DAYS,
        **_steps(0),
    }
    return TemplateResponse(request, "admin/cases/case/import/uploads.html", context)


@_guarded
def register_page(
    request: HttpRequest, model_admin: ModelAdmin[Case], actor: Actor, register_id: UUID
) -> HttpResponseBase:
    """Show how far an upload has come, and take it further."""
    register = registers.register_of(actor, register_id)
    may_submit = actor.has(PERMISSIONS[CaseAction.SUBMIT])
    form = None
    if request.method == "POST":
        do = request.POST.get("do", "")
        if do == "forget":
            registers.forget(register_id, actor)
            messages.success(request, f"Deleted: {register.file_name}.")
            return HttpResponseRedirect(reverse("admin:cases_case_imports"))
        if do == "choose":
            form = MappingForm(request.POST, register=register, may_submit=may_submit)
            if not (form.is_valid() and _chosen(form, register_id, actor)):
                return _page(request, model_admin, register, form)
        elif do == "begin":
            registers.begin(register_id, actor)
        registers.work(register_id, actor, seconds=SECONDS)
        return HttpResponseRedirect(_address(register_id))
    asks = register.state == RegisterState.UPLOADED or (
        "columns" in request.GET
        and register.state in (RegisterState.CHECKING, RegisterState.CHECKED)
    )
    if asks:
        form = MappingForm(register=register, may_submit=may_submit)
    return _page(request, model_admin, register, form)


@_guarded
def rejects_file(
    request: HttpRequest, model_admin: ModelAdmin[Case], actor: Actor, register_id: UUID
) -> HttpResponseBase:
    """Send the rows that were not loaded, each with its reason, as the command writes them."""
    del request, model_admin
    register = registers.register_of(actor, register_id)
    name = f"{register.file_name}.rejects.jsonl"
    kept = content_disposition_header(as_attachment=True, filename=name)
    return StreamingHttpResponse(
        registers.rejects_of(register),
        content_type="application/x-ndjson",
        headers={"Content-Disposition": kept},
    )


def _address(register_id: UUID) -> str:
    return reverse("admin:cases_case_import", args=[register_id])


def _chosen(form: MappingForm, register_id: UUID, actor: Actor) -> bool:
    """Keep what was chosen; tell whether it will do, and otherwise say at the fields why not."""
    try:
        registers.choose(register_id, actor, **form.chosen())
    except errors.InvalidInput as error:
        for name, why in error.details.items():
            form.add_error(name if name in form.fields else None, str(why))
        return False
    return True


def _page(
    request: HttpRequest,
    model_admin: ModelAdmin[Case],
    register: UploadedRegister,
    form: MappingForm | None,
) -> HttpResponse:
    state = RegisterState(register.state)
    after = state in (RegisterState.LOADING, RegisterState.LOADED)
    numbers = {what: register.outcome.get(what.value, 0) for what in What}
    context = {
        **model_admin.admin_site.each_context(request),
        "opts": model_admin.opts,
        "title": register.file_name,
        "register": register,
        "form": form,
        "under_way": form is None and state in registers.UNDER_WAY,
        "checked": state == RegisterState.CHECKED,
        "loaded": state == RegisterState.LOADED,
        "numbers": [
            {"label": _WORDS[what][after], "tone": _WORDS[what][2], "number": numbers[what]}
            for what in What
        ],
        "done_rows": sum(numbers.values()),
        "to_load": numbers[What.CREATED] + numbers[What.UPDATED],
        "not_loaded": numbers[What.CHANGED_NOT_APPLIED] + numbers[What.REJECTED],
        "sample": [_row(row, after=after) for row in register.sample],
        "refused": [_row(row, after=after) for row in register.refused],
        "fields": [label_of(field) for field in register.mapping],
        "keep_days": settings.IMPORT_KEEP_DAYS,
        "gone_on": register.created_at + timedelta(days=settings.IMPORT_KEEP_DAYS),
        **_steps(1 if form else _STEP[state]),
    }
    return TemplateResponse(request, "admin/cases/case/import/register.html", context)


def _row(row: dict[str, Any], *, after: bool) -> dict[str, Any]:
    words = _WORDS[What(row["what"])]
    return {**row, "label": words[after], "tone": words[2], "cells": [*row["values"].values()]}


def _steps(current: int) -> dict[str, Any]:
    return {"steps": [{"label": label, "at": n - current} for n, label in enumerate(STEPS)]}
