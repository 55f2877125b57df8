"""The use cases: one function each, and the only writers of cases and notes.

Each is one transaction: the case row is locked, the actor authorized, the input checked, the
version compared, the transition made, the row stored and the event published. The order of the
checks is the contract's: permission by role, existence, rules, input, version, status.

Every function takes keyword arguments: ``actor`` (who acts), ``at`` (when it happened; now by
default) and, for existing cases, ``case_id`` and ``expected_version`` (the version, or one of the
versions, that the caller has seen; None skips the comparison). All of them may raise
PermissionDenied, CaseNotFound, SeparationOfDuties, InvalidInput, PreconditionFailed,
InvalidCaseTransition and CaseConflict; see ``cases.errors``.
"""

from cases.services.access import grant_access, restrict_case, revoke_access, unrestrict_case
from cases.services.bulk import BulkResult, assign_cases
from cases.services.clock import mark_overdue, pause_clock, resume_clock, set_due_date
from cases.services.drafting import (
    create_case,
    create_cases,
    submit_case,
    submit_cases,
    update_case,
)
from cases.services.overdue import SYSTEM, Marked, mark_overdue_cases
from cases.services.preflight import check_may
from cases.services.review import (
    add_note,
    assign_reviewer,
    close_case,
    escalate_case,
    start_review,
)
from cases.services.targets import set_sla_target

__all__ = [
    "SYSTEM",
    "BulkResult",
    "Marked",
    "add_note",
    "assign_cases",
    "assign_reviewer",
    "check_may",
    "close_case",
    "create_case",
    "create_cases",
    "escalate_case",
    "grant_access",
    "mark_overdue",
    "mark_overdue_cases",
    "pause_clock",
    "restrict_case",
    "resume_clock",
    "revoke_access",
    "set_due_date",
    "set_sla_target",
    "start_review",
    "submit_case",
    "submit_cases",
    "unrestrict_case",
    "update_case",
]
