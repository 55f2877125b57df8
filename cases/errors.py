"""What can be wrong with a request to change or read a case. No Django, no HTTP.

Every error has a ``code`` for programs, a message for people (by default its docstring) and
``details`` by field. ``config.http.errors`` maps each class to one HTTP status.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

Details = Mapping[str, object]


class RightsUnconfirmed(Exception):
    """Remembered rights may be outdated: ask again with rights read anew. Callers never see it."""


class CaseError(Exception):
    """The request could not be carried out."""

    code: ClassVar[str]

    def __init__(self, message: str | None = None, *, details: Details | None = None) -> None:
        self.message = message or (type(self).__doc__ or "").splitlines()[0]
        self.details: Details = details or {}
        super().__init__(self.message)


class PermissionDenied(CaseError):
    """You may not do this."""

    code = "permission_denied"


class SeparationOfDuties(CaseError):
    """Who created or submitted a case may not decide on it: ask a colleague."""

    code = "separation_of_duties"


class CaseNotFound(CaseError):
    """There is no such case."""

    code = "case_not_found"


class InvalidInput(CaseError):
    """The input is not valid."""

    code = "validation_error"


class PreconditionFailed(CaseError):
    """The case has changed since you read it: read it again, then decide."""

    code = "precondition_failed"


class InvalidCaseTransition(CaseError):
    """The status of the case does not allow this action."""

    code = "invalid_case_transition"


class CaseConflict(CaseError):
    """Somebody else changed the case at the same moment: read it again, then retry."""

    code = "case_conflict"


class DuplicateCase(CaseError):
    """A case with this source and external reference exists already."""

    code = "duplicate_case"
