"""The tables of cases. What must never happen to them is refused by the database too."""

from cases.models.case import Case, NextCaseId
from cases.models.note import Note
from cases.models.permissions import CaseGroupPermission, CaseUserPermission
from cases.models.querysets import CaseQuerySet, GuardedQuerySet

__all__ = [
    "Case",
    "CaseGroupPermission",
    "CaseQuerySet",
    "CaseUserPermission",
    "GuardedQuerySet",
    "NextCaseId",
    "Note",
]
