"""The back office's view of cases. Nothing here writes: actions go through cases.services."""

from cases.admin.accounts import AccountAdmin
from cases.admin.cases import CaseAdmin
from cases.admin.targets import SlaTargetAdmin

__all__ = ["AccountAdmin", "CaseAdmin", "SlaTargetAdmin"]
