"""The forms that a page shows: one per action, one field per name of its input."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from rest_framework import serializers

from cases.api.serializers import MomentField
from cases.lifecycle import CaseAction
from config.http.endpoints import ENDPOINTS

# A text of more characters than this gets an area of several lines.
_ONE_LINE: Final = 300
_STAYS: Final = "In UTC. Left empty, it stays as it is."


@dataclass(frozen=True, kw_only=True)
class PageField:
    """One field: what it asks for, what stands in it and what is wrong with that."""

    name: str
    kind: str
    label: str
    help: str
    required: bool
    value: str
    error: str
    maximum: int | None = None
    choices: list[str] = field(default_factory=list)


@dataclass(frozen=True, kw_only=True)
class PageForm:
    """One form: an action, where it is sent, and its fields."""

    action: CaseAction
    label: str
    address: str
    method: str
    version: str
    fixed: Mapping[str, str]
    fields: list[PageField]
    message: str = ""


def form_for(
    action: CaseAction,
    prefix: str,
    *,
    case_id: str = "",
    version: object = "",
    values: Mapping[str, object],
    errors: Mapping[str, object] | None = None,
    message: str = "",
) -> PageForm:
    """Return the form of an action.

    Args:
        action: what the form asks for.
        prefix: where the cases are, like ``/v1/cases``.
        case_id: the case, where there is one.
        version: the version of the case that the reader sees.
        values: what stands in the fields.
        errors: a sentence for each field that is wrong.
        message: a sentence about the form as a whole.
    """
    endpoint = ENDPOINTS[action]
    changes = endpoint.method == "patch"
    return PageForm(
        action=action,
        label=action.replace("_", " ").capitalize(),
        address=prefix + endpoint.path(case_id),
        method=endpoint.method.upper(),
        version=str(version),
        fixed=endpoint.fixed,
        fields=[
            _field(name, found, values, errors or {}, changes=changes)
            for name, found in endpoint.form(partial=changes).fields.items()
            if name not in endpoint.fixed
        ],
        message=message,
    )


def _field(
    name: str,
    found: serializers.Field[Any, Any, Any, Any],
    values: Mapping[str, object],
    errors: Mapping[str, object],
    *,
    changes: bool,
) -> PageField:
    maximum = getattr(found, "max_length", None)
    choices: list[str] = []
    kind, told = "text", str(found.help_text or "")
    if isinstance(found, MomentField):
        kind, told = "datetime-local", f"{told} {_STAYS if changes else 'In UTC.'}".strip()
    elif isinstance(found, serializers.ChoiceField):
        kind, choices = "select", [*found.choices]
    elif maximum is not None and maximum > _ONE_LINE:
        kind = "textarea"
    # A stored time has more digits than the browser's field: shown, it would come back changed.
    shown = "" if kind == "datetime-local" and changes and name not in errors else values.get(name)
    return PageField(
        name=name,
        kind=kind,
        label=name.removesuffix("_id").removesuffix("_at").replace("_", " ").capitalize(),
        help=told,
        required=found.required,
        value=str(shown or ""),
        error=str(errors.get(name, "")),
        maximum=maximum,
        choices=choices,
    )
