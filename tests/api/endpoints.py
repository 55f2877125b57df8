"""Every endpoint that writes to an existing case: the table that the table tests walk along."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from cases.models import Case
from cases.policies import Actor
from tests.cast import AUDITOR, REVIEWER, SUPERVISOR, WRITER
from tests.factories import CaseFactory, UserFactory

_WHY = {"reason": "The evidence is in"}


@dataclass(frozen=True)
class Write:
    """One endpoint, who may use it, on what, and how to use it wrongly."""

    action: str
    path: str  # after /cases/CASE-…
    may: Actor
    body: dict[str, Any] | None
    wrong: dict[str, Any]
    wrong_fields: frozenset[str]
    sources: frozenset[str]  # statuses that allow the action
    may_not: Actor = AUDITOR
    method: str = "post"
    answer: int = 200
    made: dict[str, Any] = field(default_factory=dict)

    def __str__(self) -> str:
        return self.action

    def call(self, client: Any, case_id: str, body: Any = ..., prefix: str = "") -> Any:
        """Send the request; with the endpoint's good body if no other is given."""
        content = self.body if body is ... else body
        if self.action == "grant_access":
            UserFactory._meta.model.objects.filter(username="greta").exists() or UserFactory(
                username="greta"
            )
        return getattr(client, self.method)(
            f"{prefix}/cases/{case_id}{self.path}", content, format="json"
        )

    def case(self, **kwargs: Any) -> Case:
        """Make a case on which the action is possible now, unless told otherwise."""
        status = "UNDER_REVIEW" if "UNDER_REVIEW" in self.sources else min(self.sources)
        return CaseFactory(**{"status": status, **self.made, **kwargs})


_OPEN = frozenset({"DRAFT", "SUBMITTED", "UNDER_REVIEW", "ESCALATED"})
_IN_PROGRESS = _OPEN - {"DRAFT"}
_REASON = {"wrong": {"reason": "  \n "}, "wrong_fields": frozenset({"reason"})}
_REVIEWER = {"wrong": {"reviewer_id": " "}, "wrong_fields": frozenset({"reviewer_id"})}

WRITES = (
    Write(
        "update", "", WRITER, {"title": "Very late reporting"}, {"title": " "},
        frozenset({"title"}), frozenset({"DRAFT"}), method="patch",
    ),
    Write(
        "submit", "/submit", WRITER, None, {"reason": "no such field"}, frozenset({"reason"}),
        frozenset({"DRAFT"}),
    ),
    Write(
        "start_review", "/start-review", REVIEWER, {"reviewer_id": REVIEWER.id},
        sources=frozenset({"SUBMITTED"}), **_REVIEWER,
    ),
    Write(
        "assign", "/assign", SUPERVISOR, {"reviewer_id": "rosa"}, sources=_IN_PROGRESS, **_REVIEWER
    ),
    Write(
        "escalate", "/escalate", REVIEWER, _WHY, sources=frozenset({"UNDER_REVIEW"}), **_REASON
    ),
    Write(
        "close", "/close", REVIEWER, _WHY, sources=frozenset({"UNDER_REVIEW", "ESCALATED"}),
        **_REASON,
    ),
    Write(
        "set_due_date", "/due-date", SUPERVISOR, {"due_at": "2027-03-01T12:00:00Z", **_WHY},
        {"due_at": "soon", "reason": " "}, frozenset({"due_at", "reason"}), _OPEN,
    ),
    Write("pause", "/pause", REVIEWER, _WHY, sources=_IN_PROGRESS, **_REASON),
    Write("restrict", "/restrict", SUPERVISOR, _WHY, sources=_OPEN, **_REASON),
    Write(
        "unrestrict", "/unrestrict", SUPERVISOR, _WHY, sources=_OPEN, made={"restricted": True},
        may_not=AUDITOR, **_REASON,
    ),
    Write(
        "grant_access", "/access", SUPERVISOR,
        {"operation": "grant", "user": "greta", "permission": "view_case"},
        {"operation": "lend", "user": " ", "permission": "fly"},
        frozenset({"operation", "user", "permission"}),
        _OPEN | {"CLOSED"},
    ),
    Write(
        "add_note", "/notes", WRITER, {"body": "Called the firm."}, {"body": " \t"},
        frozenset({"body"}), _OPEN, answer=201,
    ),
)  # fmt: skip
