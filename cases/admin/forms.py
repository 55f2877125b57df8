"""One small form per kind of input. Their rules are those of ``cases.intake``, not their own."""

from __future__ import annotations

from typing import Any

from django import forms
from django.conf import settings
from django.utils.functional import lazy

from cases import intake
from cases.lifecycle import Priority
from cases.models import Case
from cases.policies import GRANTABLE, Actor


def _zone(before: str = "") -> str:
    return f"{before}By the clock of {settings.SLA_TIME_ZONE}."


# Said when a form is shown: which clock that is, is a setting.
_said = lazy(_zone, str)


class _Moment(forms.DateTimeInput):
    input_type = "datetime-local"

    def __init__(self) -> None:
        super().__init__(format="%Y-%m-%dT%H:%M")


def _area(rows: int) -> forms.Textarea:
    return forms.Textarea(attrs={"rows": rows, "cols": 80})


class ActionForm(forms.Form):
    """What an action asks for, and the version of the case that its reader has seen."""

    expected_version = forms.IntegerField(widget=forms.HiddenInput, required=False)

    def __init__(self, *args: Any, actor: Actor, case: Case | None = None, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.actor = actor
        if case is not None:
            self.fields["expected_version"].initial = case.version
            self.prefill(case)

    def prefill(self, case: Case) -> None:
        """Start from what the case holds already; most actions start from nothing."""


class ReasonForm(ActionForm):
    """Why."""

    reason = forms.CharField(widget=_area(4), max_length=intake.REASON_MAX)


class DueDateForm(ReasonForm):
    """Until when, and why."""

    due_at = forms.DateTimeField(widget=_Moment, help_text=_said())
    field_order = ("due_at", "reason")

    def prefill(self, case: Case) -> None:
        """Start from the present due date."""
        self.fields["due_at"].initial = case.due_at


class NoteForm(ActionForm):
    """What is to be noted."""

    body = forms.CharField(label="Note", widget=_area(6), max_length=intake.NOTE_MAX)


class AccessForm(ActionForm):
    """Which permission, for whom."""

    user = forms.CharField(max_length=intake.ACTOR_MAX)
    permission = forms.ChoiceField(
        choices=[(name, name.replace("_", " ")) for name in sorted(GRANTABLE)], initial="view_case"
    )


class CaseFieldsForm(ActionForm):
    """The writable fields of a case."""

    title = forms.CharField(max_length=intake.TITLE_MAX, widget=forms.TextInput({"size": 80}))
    description = forms.CharField(
        required=False, widget=_area(10), max_length=intake.DESCRIPTION_MAX
    )
    received_at = forms.DateTimeField(
        required=False, widget=_Moment, help_text=_said("When the regulator got it. ")
    )
    category = forms.CharField(required=False, max_length=intake.SHORT_MAX)
    subject = forms.CharField(
        required=False, max_length=intake.SHORT_MAX, help_text="The regulated party."
    )
    external_reference = forms.CharField(
        required=False, max_length=intake.SHORT_MAX, help_text="The id it has at its source."
    )
    source = forms.CharField(
        required=False, max_length=intake.SHORT_MAX, help_text="The intake channel."
    )
    priority = forms.ChoiceField(
        choices=[(p.value, p.value.capitalize()) for p in Priority], initial=Priority.NORMAL.value
    )
    due_at = forms.DateTimeField(
        required=False, widget=_Moment, help_text=_said("By when it must be closed. ")
    )

    def prefill(self, case: Case) -> None:
        """Start from what the draft holds."""
        for name in intake.WRITABLE:
            self.fields[name].initial = getattr(case, name)
