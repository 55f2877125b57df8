"""The tables of cases. What must never happen to them is refused by the database too."""

from cases.models.case import Case, NextCaseId
from cases.models.idempotency import IdempotencyKey
from cases.models.note import Note
from cases.models.orderings import NEWEST_FIRST, ORDERINGS, Ordering
from cases.models.permissions import CaseGroupPermission, CaseUserPermission
from cases.models.querysets import KEPT, CaseQuerySet, GuardedQuerySet
from cases.models.registers import RegisterPart, RegisterState, UploadedRegister
from cases.models.search import CaseWords
from cases.models.sla import SlaTarget

__all__ = [
    "KEPT",
    "NEWEST_FIRST",
    "ORDERINGS",
    "Case",
    "CaseGroupPermission",
    "CaseQuerySet",
    "CaseUserPermission",
    "CaseWords",
    "GuardedQuerySet",
    "IdempotencyKey",
    "NextCaseId",
    "Note",
    "Ordering",
    "RegisterPart",
    "RegisterState",
    "SlaTarget",
    "UploadedRegister",
]
