"""The query parameters of lists of cases: one declaration for reading, refusing and describing."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from functools import lru_cache
from typing import Any, Final, cast

from django.http import QueryDict
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from cases import intake
from cases.api.serializers import MomentField, TextField
from cases.filters import SEARCH_MAX, CaseFilter
from cases.lifecycle import CaseStatus, Priority
from cases.models import NEWEST_FIRST, ORDERINGS, Ordering
from cases.policies import Actor

_REVIEWER: Final = "assigned_reviewer_id"
_MINE: Final = "me"
_NOBODYS: Final = "none"
_PERIODS: Final = ("created", "due", "closed")


class NamesField(serializers.ListField):
    """Some of the names there are; the parameter is repeated for several."""

    def __init__(self, names: Iterable[str], **kwargs: Any) -> None:
        self.names = [str(name) for name in names]
        super().__init__(
            child=serializers.ChoiceField(choices=self.names),
            required=False,
            max_length=len(self.names),
            **kwargs,
        )

    def to_internal_value(self, data: list[str]) -> list[str]:
        """Refuse the names that there are not, all in one sentence."""
        if unknown := sorted(set(data).difference(self.names)):
            message = f"One of {', '.join(self.names)}; not {', '.join(map(repr, unknown))}."
            raise serializers.ValidationError(message)
        return data


class NameField(serializers.ChoiceField):
    """One of the names there are."""

    def to_internal_value(self, data: Any) -> str:
        """Refuse every other, with those that there are."""
        if data not in self.choices:
            message = f"One of {', '.join(self.choices)}; not {data!r}."
            raise serializers.ValidationError(message)
        return cast(str, data)


@extend_schema_field(OpenApiTypes.BOOL)
class TrueOrFalseField(serializers.Field[bool, str, bool, Any]):
    """``true`` or ``false``, and none of the other words for it."""

    def to_internal_value(self, data: str) -> bool:
        """Refuse every other word."""
        if data not in ("true", "false"):
            message = f"true or false; not {data!r}."
            raise serializers.ValidationError(message)
        return data == "true"


def _text(help_text: str, maximum: int = intake.SHORT_MAX) -> TextField:
    return TextField(
        check=lambda value: intake.text(value, maximum=maximum, required=True, one_line=True),
        required=False,
        # The rule above speaks of blanks and lengths; these describe them.
        max_length=maximum,
        help_text=help_text,
    )


def _moment(help_text: str) -> MomentField:
    return MomentField(required=False, help_text=help_text)


class CaseParameters(serializers.Serializer[Any]):
    """What a list of cases can be asked for."""

    status = NamesField(CaseStatus, help_text="Only cases in this status; repeat it for several.")
    assigned_reviewer_id = _text(
        "Only cases of this reviewer: an id, `me` for the caller, `none` for cases of nobody.",
        intake.ACTOR_MAX,
    )
    priority = NamesField(Priority, help_text="Only cases this urgent; repeat it for several.")
    category = _text("Only cases of exactly this category.")
    source = _text("Only cases from exactly this intake channel.")  # type: ignore[assignment] # a field named source
    overdue = TrueOrFalseField(
        required=False,
        help_text="Whether the due date of an open case has passed while its clock runs.",
    )
    paused = TrueOrFalseField(
        required=False,
        help_text="Whether the clock stands still, or stood still when the case was closed.",
    )
    closed_in_time = TrueOrFalseField(
        required=False,
        help_text="Only closed cases that had a due date: those that were closed by it, or those "
        "that were closed after it. A clock that stood still at the end is read as it stood.",
    )
    created_from = _moment("Created then or later.")
    created_to = _moment("Created before then.")
    due_from = _moment("Due then or later.")
    due_to = _moment("Due before then.")
    closed_from = _moment("Closed then or later.")
    closed_to = _moment("Closed before then.")
    search = _text(
        "Each word given must begin a word of title, description, subject or external reference; "
        "case, accents and punctuation do not matter.",
        SEARCH_MAX,
    )
    ordering = NameField(
        choices=list(ORDERINGS),
        required=False,
        help_text="The default is `-created_at`. With `-`, the latest or most urgent first. Cases "
        "without a due date are due last.",
    )

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """Refuse periods that nothing can lie in, and searches without a word."""
        wrong = {}
        for period in _PERIODS:
            begin, end = attrs.get(f"{period}_from"), attrs.get(f"{period}_to")
            if begin is not None and end is not None and begin >= end:
                wrong[f"{period}_to"] = f"Must be later than {period}_from."
        search = attrs.get("search")
        if search is not None and not any(map(str.isalnum, search)):
            wrong["search"] = "There is no word in it: letters or digits."
        if wrong:
            raise serializers.ValidationError(wrong)
        return attrs


_PARAMETERS: Final = CaseParameters()
_REPEATABLE: Final = frozenset(
    name for name, field in _PARAMETERS.fields.items() if isinstance(field, NamesField)
)


def read_parameters(
    query: QueryDict, actor: Actor, *, besides: frozenset[str] = frozenset()
) -> tuple[CaseFilter, Ordering]:
    """Return the filter and the ordering that a request asks for.

    Args:
        query: the query parameters.
        actor: who calls, and is meant by ``me``.
        besides: parameters that somebody else reads.

    Raises:
        ValidationError: names each parameter that is unknown, repeated or wrong.
    """
    given = tuple((n, tuple(values)) for n, values in query.lists() if n not in besides)
    return _read(given, actor.id if (_REVIEWER, (_MINE,)) in given else None)


# The same lists are asked for again and again, and checking takes longer than all else in Python.
@lru_cache(maxsize=1000)
def _read(
    query: tuple[tuple[str, tuple[str, ...]], ...], me: str | None
) -> tuple[CaseFilter, Ordering]:
    clean = _clean(query)
    wanted = _filter(clean, me)
    ordering = ORDERINGS[clean["ordering"]] if "ordering" in clean else NEWEST_FIRST
    return wanted, ordering.among_open() if wanted.only_open else ordering


def _clean(query: tuple[tuple[str, tuple[str, ...]], ...]) -> Mapping[str, Any]:
    wrong: dict[str, Any] = {}
    given: dict[str, Any] = {}
    for name, values in query:
        if name not in _PARAMETERS.fields:
            wrong[name] = ["There is no such parameter."]
        elif name in _REPEATABLE:
            given[name] = list(values)
        elif len(values) > 1:
            wrong[name] = ["Give it once."]
        else:
            given[name] = values[0]
    clean: dict[str, Any] = {}
    try:
        # One instance for all requests: building the fields costs more than using them.
        clean = _PARAMETERS.run_validation(given)
    except serializers.ValidationError as error:
        wrong |= cast(dict[str, Any], error.detail)
    if wrong:
        raise serializers.ValidationError(wrong)
    return clean


def _filter(clean: Mapping[str, Any], me: str | None) -> CaseFilter:
    reviewer: str | None = clean.get(_REVIEWER)
    periods: dict[str, datetime | None] = {
        name: clean.get(name) for period in _PERIODS for name in (f"{period}_from", f"{period}_to")
    }
    return CaseFilter(
        statuses=frozenset(map(CaseStatus, clean.get("status", ()))),
        priorities=frozenset(map(Priority, clean.get("priority", ()))),
        reviewer=me if reviewer == _MINE else None if reviewer == _NOBODYS else reviewer,
        unassigned=reviewer == _NOBODYS,
        category=clean.get("category"),
        source=clean.get("source"),
        overdue=clean.get("overdue"),
        paused=clean.get("paused"),
        closed_in_time=clean.get("closed_in_time"),
        search=clean.get("search", ""),
        **periods,
    )
