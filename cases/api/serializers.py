"""Wire forms: what comes in (strict) and what goes out (lean, described for OpenAPI)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from functools import lru_cache
from operator import attrgetter
from typing import Any, Final, cast

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from cases import intake
from cases.errors import CaseError
from cases.events import rfc3339
from cases.lifecycle import CaseAction, CaseStatus, Priority
from cases.models import Case, Note
from cases.pages import CaseRow, PlainRow
from cases.policies import GRANTABLE
from cases.reviewers import Candidate

# What people do to an existing case; the rest has another way or is the system's.
ACTIONS: Final = [
    action.value
    for action in CaseAction
    if action not in (CaseAction.CREATE, CaseAction.MARK_OVERDUE)
]


class StrictSerializer(serializers.Serializer[Any]):
    """Refuses names it does not know: a misspelt field must not be lost silently."""

    default_error_messages = {"invalid": "The body must be a JSON object."}

    def to_internal_value(self, data: Any) -> Any:
        """Check the names, then the values."""
        if isinstance(data, Mapping) and (unknown := set(data) - set(self.fields)):
            wrong: dict[str, Any] = {name: ["There is no such field."] for name in sorted(unknown)}
            try:
                super().to_internal_value(data)
            except serializers.ValidationError as error:
                wrong |= cast(dict[str, Any], error.detail)
            raise serializers.ValidationError(wrong)
        return super().to_internal_value(data)


class TextField(serializers.CharField):
    """A text, and nothing that merely can be made one; its rules are those of ``intake``."""

    def __init__(self, check: Callable[[object], str] | None = None, **kwargs: Any) -> None:
        self.check = check
        super().__init__(**kwargs)

    def to_internal_value(self, data: Any) -> str:
        """Refuse numbers and booleans; leave the rest to the field's rule."""
        if not isinstance(data, str):
            self.fail("invalid")
        text = self._checked(data)
        # The document cannot say that blanks around a text do not count; so here they do.
        if self.max_length is not None and len(data) > self.max_length >= len(text):
            message = (
                f"At most {self.max_length:,} characters, blanks around them included;"
                f" these are {len(data):,}."
            )
            raise serializers.ValidationError(message)
        return text

    def _checked(self, data: str) -> str:
        if self.check is None:
            return super().to_internal_value(data)
        try:
            return self.check(data)
        except ValueError as error:
            raise serializers.ValidationError(str(error)) from None


class NameField(serializers.ChoiceField):
    """One of some names; what is no text at all is refused before it is written into an error."""

    def to_internal_value(self, data: Any) -> str:
        """Refuse everything but text, then what is not among the names."""
        if not isinstance(data, str):
            self.fail("invalid_choice", input=type(data).__name__)
        return str(super().to_internal_value(data))


@extend_schema_field(OpenApiTypes.DATETIME)
class MomentField(serializers.Field[datetime, Any, str, Any]):
    """A point in time, RFC 3339 with an offset."""

    def to_internal_value(self, data: Any) -> datetime:
        """Check it as every way in does."""
        try:
            return intake.moment(data)
        except ValueError as error:
            raise serializers.ValidationError(str(error)) from None

    def to_representation(self, value: datetime) -> str:
        """Write it in UTC."""
        return rfc3339(value)


def _short(help_text: str) -> TextField:
    return TextField(
        required=False, allow_blank=True, max_length=intake.SHORT_MAX, help_text=help_text
    )


class CaseFieldsSerializer(StrictSerializer):
    """The writable fields of a case."""

    title = TextField(max_length=intake.TITLE_MAX)
    description = TextField(required=False, allow_blank=True, max_length=intake.DESCRIPTION_MAX)
    received_at = MomentField(
        required=False, allow_null=True, help_text="When the regulator got it."
    )
    category = _short("What kind of matter it is.")
    subject = _short("The regulated party.")
    external_reference = _short("The id it has at its source; unique there.")
    source = _short("The intake channel.")  # type: ignore[assignment] # a field named source
    priority = NameField(choices=[p.value for p in Priority], required=False)
    due_at = MomentField(required=False, allow_null=True, help_text="By when it must be closed.")


class NoInputSerializer(StrictSerializer):
    """An action that needs nothing: an empty body or an empty object."""


class ReasonSerializer(StrictSerializer):
    """Why."""

    reason = TextField(max_length=intake.REASON_MAX)


class ReviewerSerializer(StrictSerializer):
    """Who is to review."""

    reviewer_id = TextField(max_length=intake.ACTOR_MAX)


class DueDateSerializer(ReasonSerializer):
    """Until when, and why."""

    due_at = MomentField()


class AccessSerializer(StrictSerializer):
    """Which permission on this case is given to, or taken back from, which user."""

    operation = NameField(choices=["grant", "revoke"])
    user = TextField(max_length=intake.ACTOR_MAX)
    permission = NameField(choices=sorted(GRANTABLE))


class NoteBodySerializer(StrictSerializer):
    """What is to be noted."""

    body = TextField(max_length=intake.NOTE_MAX)


class CaseSerializer(serializers.Serializer[Case]):
    """A case as its reader may see it: described here, written by ``written``."""

    id = serializers.CharField()
    title = serializers.CharField()
    status = serializers.ChoiceField(choices=[s.value for s in CaseStatus])
    assigned_reviewer_id = serializers.CharField(allow_null=True)
    version = serializers.IntegerField()
    description = serializers.CharField()
    received_at = serializers.DateTimeField()
    category = serializers.CharField()
    subject = serializers.CharField()
    external_reference = serializers.CharField()
    source = serializers.CharField()  # type: ignore[assignment] # a field named source
    priority = serializers.ChoiceField(choices=[p.value for p in Priority])
    restricted = serializers.BooleanField()
    created_by = serializers.CharField()
    submitted_by = serializers.CharField(allow_null=True)
    created_at = serializers.DateTimeField()
    updated_at = serializers.DateTimeField()
    submitted_at = serializers.DateTimeField(allow_null=True)
    closed_at = serializers.DateTimeField(allow_null=True)
    due_at = serializers.DateTimeField(allow_null=True)
    overdue_at = serializers.DateTimeField(allow_null=True)
    paused_at = serializers.DateTimeField(allow_null=True)
    available_actions = serializers.ListField(
        child=serializers.ChoiceField(choices=ACTIONS),
        help_text="The actions that the reader may take on the case now.",
    )


def written(case: Case | PlainRow, available: list[CaseAction]) -> dict[str, Any]:
    """Write a case as ``CaseSerializer`` describes it, several times faster; a test compares them.

    Args:
        case: as it was read.
        available: the actions that its reader may take now.
    """
    # Unpacked at once: to ask for each by its name takes as long as all the rest.
    values, moment = (
        (case, _moment_of_text) if isinstance(case, tuple) else (_COLUMNS(case), rfc3339)
    )
    (
        case_id,
        title,
        description,
        received_at,
        category,
        subject,
        external_reference,
        source,
        priority,
        restricted,
        status,
        assigned_reviewer_id,
        version,
        created_by,
        submitted_by,
        created_at,
        updated_at,
        submitted_at,
        closed_at,
        due_at,
        overdue_at,
        paused_at,
        _,
    ) = values
    return {
        "id": case_id,
        "title": title,
        "status": status,
        "assigned_reviewer_id": assigned_reviewer_id,
        "version": version,
        "description": description,
        "received_at": moment(received_at),
        "category": category,
        "subject": subject,
        "external_reference": external_reference,
        "source": source,
        "priority": priority,
        "restricted": restricted,
        "created_by": created_by,
        "submitted_by": submitted_by,
        "created_at": moment(created_at),
        "updated_at": moment(updated_at),
        "submitted_at": submitted_at and moment(submitted_at),
        "closed_at": closed_at and moment(closed_at),
        "due_at": due_at and moment(due_at),
        "overdue_at": overdue_at and moment(overdue_at),
        "paused_at": paused_at and moment(paused_at),
        "available_actions": available,
    }


_COLUMNS: Final = attrgetter(*CaseRow._fields)


# The same cases are listed again and again: most moments were written a short while ago.
@lru_cache(maxsize=20_000)
def _moment_of_text(value: str) -> str:
    """Write a moment that PostgreSQL has written, like ``2027-03-01 09:30:00.5+00``."""
    whole, _, part = value[11:-3].partition(".")
    return f"{value[:10]}T{whole}.{part:0<6}Z"


class ActionSerializer(serializers.Serializer[Any]):
    """One action, and whether the reader may take it now."""

    action = serializers.ChoiceField(choices=ACTIONS)
    allowed = serializers.BooleanField()
    error = serializers.ChoiceField(
        choices=["permission_denied", "separation_of_duties", "invalid_case_transition"],
        allow_null=True,
        help_text="The code of the error that taking it would give.",
    )
    message = serializers.CharField(allow_null=True, help_text="The rule, in words.")

    def to_representation(self, instance: tuple[CaseAction, CaseError | None]) -> dict[str, Any]:
        """Write the action without building fields per request."""
        action, error = instance
        return {
            "action": action.value,
            "allowed": error is None,
            "error": error and error.code,
            "message": error and error.message,
        }


class SuggestedReviewerSerializer(serializers.Serializer[Candidate]):
    """Who could review a case."""

    reviewer_id = serializers.CharField()
    name = serializers.CharField(help_text="The name of the person; empty where none is known.")
    open = serializers.IntegerField()


class NoteSerializer(serializers.Serializer[Note]):
    """A note."""

    id = serializers.UUIDField()
    sequence = serializers.IntegerField()
    author = serializers.CharField()
    body = serializers.CharField()
    created_at = MomentField()
