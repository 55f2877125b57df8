"""What is sent to a page by who wants more from it than it offers."""

from __future__ import annotations

from itertools import count
from typing import Any

from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import models
from django.db.models import Model

from cases.models import Case
from tests.integration.uploads import register

_NUMBER = count(1)

# What Django's own pages understand: save as new, popups, formsets of lists and of inlines.
TRICKS = {
    "_save": "Save", "_saveasnew": "1", "_popup": "1", "_to_field": "id", "post": "yes",
    "index": "0", "select_across": "1",
    "form-TOTAL_FORMS": "1", "form-INITIAL_FORMS": "1", "form-0-id": "1", "form-0-DELETE": "on",
    "form-0-status": "CLOSED", "form-0-title": "x", "form-0-case_id": "x", "form-0-details": "{}",
    "note_set-TOTAL_FORMS": "1", "note_set-INITIAL_FORMS": "0", "note_set-0-body": "x",
    "caseuserpermission_set-TOTAL_FORMS": "1", "caseuserpermission_set-INITIAL_FORMS": "0",
}  # fmt: skip


def every_field(model: type[Model] | None) -> dict[str, Any]:
    """Return a form with a value for each column of a model, and what its own forms ask for."""
    number = next(_NUMBER)
    sent: dict[str, Any] = dict(TRICKS)
    for field in (model or Case)._meta.concrete_fields:
        sent[field.name] = sent[field.attname] = _value(field)
    for many in (model or Case)._meta.many_to_many:
        sent[many.name] = [str(row.pk) for row in many.related_model._default_manager.all()[:3]]
    sent |= {
        "title": "Late reporting, again", "description": "Twice by now.", "priority": "HIGH",
        "category": "Reporting", "subject": "Firm 7", "source": "portal", "status": "CLOSED",
        "external_reference": f"W-{number}", "received_at": "", "due_at": "2027-03-01T12:00",
        "reason": "Beyond our remit", "body": "Called the firm.", "reviewer_id": "rosa",
        "suggested": "", "sure": "rosa", "permission": "view_case", "user": "grace",
        "username": f"walked-{number}", "password1": "correct horse battery", "usable_password":
        "true", "password2": "correct horse battery", "old_password": "x", "name": f"Walk {number}",
        "days": "1", "working_days": "7", "ordering": "due_at", "do": "choose",
    }  # fmt: skip
    sent.pop("expected_version", None)
    if model is not None and model is not Case and "user" in _names(model):
        sent["user"] = sent["user_id"] = ""
    sent["file"] = SimpleUploadedFile("register.csv", register(f"W-{number},x,,"))
    return sent


def on_a_list(action: str, rows: list[str], chosen: list[str]) -> dict[str, Any]:
    """Return the form above a list: an action on these rows, confirmed at once."""
    return {
        "action": action, "index": "0", "select_across": "1", "_selected_action": rows,
        "post": "yes", "reason": "Not wanted", "do": "assign", "reviewer_id": "rosa",
        "chosen": chosen,
    }  # fmt: skip


def _names(model: type[Model]) -> set[str]:
    return {field.name for field in model._meta.get_fields()}


def _value(field: models.Field[Any, Any]) -> str:
    if isinstance(field, models.BooleanField):
        return "on"
    if isinstance(field, models.IntegerField):
        return "7"
    if isinstance(field, models.DateTimeField):
        return "2026-01-05T12:00"
    if isinstance(field, models.ForeignKey):
        return "1"
    return "x"
