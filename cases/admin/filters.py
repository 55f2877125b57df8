"""What narrows a queue. No value is offered that cases hold: it would tell of hidden ones."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, date, datetime, time
from typing import Any, cast

from django import forms
from django.http import QueryDict

from cases import intake
from cases.calendar import office_calendar
from cases.filters import SEARCH_MAX, CaseFilter
from cases.lifecycle import CaseStatus, Priority
from cases.policies import Actor

_ASKED_AS = {"statuses": "status", "priorities": "priority", "unassigned": "reviewer"}
# What the filter of reviewers takes for something else than a name.
NOBODY = "none"
ME = "me"


class _Line(forms.CharField):
    """A text of one line under the rules of intake: NUL, surrogates and controls are refused."""

    def clean(self, value: Any) -> str:
        """Return the text, trimmed; ValidationError with the sentence of the rule."""
        try:
            return intake.text(value, maximum=self.max_length or intake.SHORT_MAX, one_line=True)
        except ValueError as error:
            raise forms.ValidationError(str(error)) from None


class _DayInput(forms.DateInput):
    input_type = "date"


class _Day(forms.DateField):
    """A day in a year that a case can have."""

    def __init__(self, label: str) -> None:
        super().__init__(label=label, required=False, widget=_DayInput(format="%Y-%m-%d"))

    def clean(self, value: Any) -> Any:
        """Return the day; ValidationError with a sentence."""
        day = super().clean(value)
        if day is not None:
            try:
                intake.moment(datetime.combine(day, time(), UTC))
            except ValueError as error:
                raise forms.ValidationError(str(error)) from None
        return day


class _YesOrNo(forms.TypedChoiceField):
    """Yes, no, or not asked."""

    def __init__(self, label: str) -> None:
        super().__init__(
            label=label,
            required=False,
            choices=(("", "Either"), ("on", "Yes"), ("off", "No")),
            coerce=lambda value: value == "on",
            empty_value=None,
        )


def _line(label: str, maximum: int = intake.SHORT_MAX, **attrs: str) -> _Line:
    return _Line(
        label=label, required=False, max_length=maximum, widget=forms.TextInput(attrs=attrs)
    )


class FilterForm(forms.Form):
    """The filters beside the list; an address fills them in too."""

    search = _line("Words", SEARCH_MAX)
    status = forms.MultipleChoiceField(
        required=False,
        choices=[(s.value, s.value.replace("_", " ").capitalize()) for s in CaseStatus],
        widget=forms.CheckboxSelectMultiple,
    )
    priority = forms.MultipleChoiceField(
        required=False,
        choices=[(p.value, p.value.capitalize()) for p in Priority],
        widget=forms.CheckboxSelectMultiple,
    )
    reviewer = _line("Reviewer", intake.ACTOR_MAX, placeholder="me, none or a name")
    category = _line("Category")
    source = _line("Source")
    overdue = _YesOrNo("Overdue")
    paused = _YesOrNo("Clock paused")
    closed_in_time = _YesOrNo("Closed in time")
    due_from = _Day("Due from")
    due_to = _Day("Due to")
    created_from = _Day("Created from")
    created_to = _Day("Created to")
    closed_from = _Day("Closed from")
    closed_to = _Day("Closed to")

    def __init__(self, query: QueryDict, *, queue: CaseFilter) -> None:
        """Read an address; what the queue decides itself is not asked."""
        super().__init__(query, auto_id="filter-%s")
        for name in queue.names():
            self.fields.pop(_ASKED_AS.get(name, name), None)

    def wanted(self, actor: Actor) -> dict[str, Any]:
        """Return what the valid filters ask for, as values of ``CaseFilter``."""
        given = dict(self._given())
        found: dict[str, Any] = {}
        if statuses := given.pop("status", None):
            found["statuses"] = frozenset(map(CaseStatus, statuses))
        if priorities := given.pop("priority", None):
            found["priorities"] = frozenset(map(Priority, priorities))
        reviewer = given.pop("reviewer", "")
        if reviewer == NOBODY:
            found["unassigned"] = True
        elif reviewer:
            found["reviewer"] = actor.id if reviewer == ME else reviewer
        if not any(map(str.isalnum, given.get("search", ""))):
            given.pop("search", None)
        for name, value in given.items():
            found[name] = _edge(name, value) if name.endswith(("_from", "_to")) else value
        return found

    def narrowed(self) -> Mapping[str, list[str]]:
        """Return the valid filters as an address has them."""
        return {name: cast(QueryDict, self.data).getlist(name) for name, _ in self._given()}

    def told(self) -> list[tuple[str, str, str]]:
        """Return name, label and value of each valid filter, to be shown and taken away."""
        return [
            (name, str(self.fields[name].label or name.capitalize()), _said(value))
            for name, value in self._given()
        ]

    def _given(self) -> list[tuple[str, Any]]:
        """Return the valid filters that ask for something: a "no" is an answer, too."""
        return [
            (name, value) for name, value in self.cleaned_data.items() if value or value is False
        ]


def _edge(name: str, day: date) -> datetime:
    """Return where a period begins, or ends: with its last day, by the office's clock."""
    begin, end = office_calendar().bounds(day)
    return end if name.endswith("_to") else begin


def _said(value: Any) -> str:
    if isinstance(value, list):
        return ", ".join(str(one).replace("_", " ").lower() for one in value)
    return {True: "yes", False: "no"}.get(value) or str(value)
