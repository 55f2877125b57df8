"""What the trail itself announces. Plain facts: no Django."""

from __future__ import annotations

from dataclasses import dataclass

from cases.events import ServiceEvent


@dataclass(frozen=True, kw_only=True)
class AuditAnchored(ServiceEvent):
    """The state of the whole trail was put into one signed statement."""

    type = "AUDIT_ANCHORED"
    subject = "audit"

    chains: int
    events: int
    root: str
    note: str
