"""The case and its notes. Status and stored rows are protected: services.py is the only writer.

Transitions change the instance and return the event that tells of it; storing and publishing is
the services' part. What must never happen is refused by the database too: see the migrations.
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from typing import Any, TypeVar
from uuid import UUID

from django.db import models
from django.db.models import Func, Q
from django_fsm import FSMField, transition

from cases import events
from cases.intake import ACTOR_MAX, SHORT_MAX, TITLE_MAX
from cases.lifecycle import CONDITIONS, LIFECYCLE, CaseAction, CaseStatus, Priority
from cases.models.orderings import DueOrNever, OpenDueOrNever, PriorityRank
from cases.models.querysets import CaseQuerySet, refuse
from cases.policies import Actor

_E = TypeVar("_E", bound=events.CaseEvent)


def _step(action: CaseAction) -> dict[str, Any]:
    """Return a transition's arguments as the lifecycle's table has them."""
    step = LIFECYCLE[action]
    condition = CONDITIONS.get(action)
    return {
        "source": list(step.sources),
        "target": None if step.target is None else step.target.value,
        "conditions": [condition] if condition else [],
        "custom": {"action": action},
    }


def _facts(counted: events.Counted | None) -> dict[str, Any]:
    return {} if counted is None else counted._asdict()


class NextCaseId(Func):
    """The database's next case id: CASE-000001, CASE-000002 … growing past six digits."""

    function = "next_case_id"
    output_field = models.CharField()


class Case(models.Model):
    """A matter that a regulator handles, from intake to closure."""

    id = models.CharField(
        primary_key=True, max_length=20, db_default=NextCaseId(), editable=False, db_collation="C"
    )
    title = models.CharField(max_length=TITLE_MAX)
    description = models.TextField(blank=True, default="")
    received_at = models.DateTimeField(help_text="When the regulator got it.")
    category = models.CharField(max_length=SHORT_MAX, blank=True, default="")
    subject = models.CharField(
        max_length=SHORT_MAX, blank=True, default="", help_text="The regulated party."
    )
    external_reference = models.CharField(
        max_length=SHORT_MAX, blank=True, default="", help_text="The id it has at its source."
    )
    source = models.CharField(
        max_length=SHORT_MAX, blank=True, default="", help_text="The intake channel."
    )
    priority = models.CharField(
        max_length=6,
        choices=[(p.value, p.value.capitalize()) for p in Priority],
        default=Priority.NORMAL.value,
    )
    restricted = models.BooleanField(default=False)
    status = FSMField(
        max_length=12,
        choices=[(s.value, s.value.replace("_", " ").capitalize()) for s in CaseStatus],
        default=CaseStatus.DRAFT.value,
        protected=True,
    )
    # NULL says nobody, as the contract's JSON null does.
    assigned_reviewer_id = models.CharField(max_length=ACTOR_MAX, null=True)  # noqa: DJ001 (nobody is not "")
    version = models.PositiveIntegerField(default=0)
    created_by = models.CharField(max_length=ACTOR_MAX)
    submitted_by = models.CharField(max_length=ACTOR_MAX, null=True)  # noqa: DJ001 (as above)
    created_at = models.DateTimeField()
    updated_at = models.DateTimeField(help_text="When the last event of the trail occurred.")
    submitted_at = models.DateTimeField(null=True)
    closed_at = models.DateTimeField(null=True)
    due_at = models.DateTimeField(null=True)
    overdue_at = models.DateTimeField(null=True, help_text="When it was marked overdue.")
    paused_at = models.DateTimeField(null=True, help_text="Since when the clock stands still.")

    # Set by CaseQuerySet.with_grants: what the reader was given on this one case.
    granted: Collection[str] = ()
    # Set by selectors.get_draft: the working days that the table gives to cases of this priority.
    target_days: int | None = None

    objects = CaseQuerySet.as_manager()

    class Meta:
        db_table = "cases"
        default_permissions = ()
        # One permission per action; policies.PERMISSIONS names the action of each.
        permissions = (
            ("view_case", "Can read cases that are not restricted"),
            ("view_restricted_case", "Can read restricted cases"),
            ("create_case", "Can create cases"),
            ("update_case", "Can change drafts"),
            ("submit_case", "Can submit drafts"),
            ("start_review", "Can start reviews"),
            ("assign_reviewer", "Can assign cases that are theirs or nobody's"),
            ("assign_any_case", "Can assign any case"),
            ("escalate_case", "Can escalate cases"),
            ("close_case", "Can close cases"),
            ("add_note", "Can add notes"),
            ("set_due_date", "Can set due dates"),
            ("pause_clock", "Can pause the clock"),
            ("resume_clock", "Can resume the clock"),
            ("restrict_case", "Can restrict cases"),
            ("unrestrict_case", "Can lift restrictions"),
            ("grant_access", "Can grant access to a case"),
            ("revoke_access", "Can revoke access to a case"),
            ("mark_overdue", "Can mark cases overdue"),
            ("override_four_eyes", "Can set the four-eyes rule aside"),
            ("export_cases", "Can export the cases of a list"),
            ("export_audit_events", "Can export the audit trail"),
            ("change_sla_targets", "Can change by when cases are due"),
        )
        # Each is there for lists that people ask for: docs/performance.md says which, and what
        # they cost. An expression is taken only where a query has the very same one.
        indexes = (
            models.Index(fields=("-created_at", "-id"), name="cases_created"),
            models.Index(fields=("-updated_at", "-id"), name="cases_updated"),
            models.Index(DueOrNever("due_at"), "id", name="cases_due"),
            models.Index(PriorityRank("priority"), "id", name="cases_priority"),
            models.Index(fields=("status", "-created_at", "-id"), name="cases_status_created"),
            models.Index(fields=("category", "-created_at", "-id"), name="cases_category"),
            models.Index(fields=("source", "-created_at", "-id"), name="cases_source"),
            models.Index(
                fields=("assigned_reviewer_id", "-created_at", "-id"), name="cases_reviewer"
            ),
            models.Index(
                fields=("status", "assigned_reviewer_id", "restricted"), name="cases_summary"
            ),
            models.Index(
                fields=("closed_at",),
                condition=Q(closed_at__isnull=False),
                # Enough to count what was closed in time without looking at the cases.
                include=("priority", "due_at", "paused_at", "restricted", "assigned_reviewer_id"),
                name="cases_closed",
            ),
            models.Index(
                OpenDueOrNever("due_at"),
                "id",
                condition=~Q(status=CaseStatus.CLOSED.value),
                # Enough to count open and overdue cases without looking at them.
                include=("due_at", "paused_at", "restricted", "assigned_reviewer_id", "created_at"),
                name="cases_open_due",
            ),
            # What is yet to be marked: a case leaves it with its mark.
            models.Index(
                fields=("due_at", "id"),
                condition=~Q(status=CaseStatus.CLOSED.value)
                & Q(due_at__isnull=False, overdue_at__isnull=True, paused_at__isnull=True),
                name="cases_unmarked_due",
            ),
            models.Index(
                fields=("updated_at", "id"),
                condition=~Q(status=CaseStatus.CLOSED.value),
                name="cases_open_updated",
            ),
        )
        constraints = (
            models.UniqueConstraint(
                fields=("source", "external_reference"),
                condition=~Q(external_reference=""),
                name="cases_source_reference",
            ),
            models.CheckConstraint(
                condition=Q(status__in=[s.value for s in CaseStatus]), name="cases_status_known"
            ),
            models.CheckConstraint(
                condition=Q(priority__in=[p.value for p in Priority]), name="cases_priority_known"
            ),
            models.CheckConstraint(
                condition=Q(status="CLOSED", closed_at__isnull=False)
                | (~Q(status="CLOSED") & Q(closed_at__isnull=True)),
                name="cases_closed_has_time",
            ),
            models.CheckConstraint(
                condition=Q(status="DRAFT", submitted_at__isnull=True, submitted_by__isnull=True)
                | (~Q(status="DRAFT") & Q(submitted_at__isnull=False, submitted_by__isnull=False)),
                name="cases_submitted_has_time",
            ),
            models.CheckConstraint(
                condition=Q(status__in=("DRAFT", "SUBMITTED"))
                | Q(assigned_reviewer_id__isnull=False),
                name="cases_reviewed_by_somebody",
            ),
        )

    def __str__(self) -> str:
        return f"{self.id} {self.title}"

    def save(self, *args: Any, **kwargs: Any) -> None:
        """Insert a new case; refuse to write a stored one (TypeError)."""
        if not self._state.adding:
            refuse("An update")
        super().save(*args, **{**kwargs, "force_insert": True})

    def delete(self, *args: Any, **kwargs: Any) -> tuple[int, dict[str, int]]:
        """Refuse: raises TypeError. Cases are never deleted."""
        del args, kwargs
        refuse("A deletion")

    @transition(field=status, **_step(CaseAction.UPDATE))
    def update(self, *, fields: dict[str, Any], actor: Actor, at: datetime) -> events.CaseUpdated:
        """Take new values of writable fields; the caller leaves out what does not change."""
        changes: dict[str, dict[str, object]] = {}
        for name, new in fields.items():
            old = getattr(self, name)
            setattr(self, name, new)
            if name == "description":
                changes["description_sha256"] = {
                    "from": events.sha256_hex(old),
                    "to": events.sha256_hex(new),
                }
            else:
                changes[name] = {"from": old, "to": new}
        if "due_at" in fields:
            self.overdue_at = None
        return self._event(events.CaseUpdated, actor, at, changes=changes)

    @transition(field=status, **_step(CaseAction.SUBMIT))
    def submit(
        self,
        *,
        actor: Actor,
        at: datetime,
        due_at: datetime | None = None,
        counted: events.Counted | None = None,
    ) -> events.CaseSubmitted:
        """Hand the draft in; ``due_at`` and ``counted`` are given where submitting sets it."""
        self.submitted_by = actor.id
        self.submitted_at = at
        if due_at is not None:
            self.due_at = due_at
        return self._event(
            events.CaseSubmitted,
            actor,
            at,
            **self._move(CaseAction.SUBMIT),
            due_at=due_at,
            **_facts(counted),
        )

    @transition(field=status, **_step(CaseAction.START_REVIEW))
    def start_review(
        self, *, reviewer_id: str, actor: Actor, at: datetime, overridden: bool = False
    ) -> events.CaseReviewStarted:
        """Take the case up, for the reviewer named."""
        self.assigned_reviewer_id = reviewer_id
        return self._event(
            events.CaseReviewStarted,
            actor,
            at,
            **self._move(CaseAction.START_REVIEW),
            reviewer_id=reviewer_id,
            four_eyes_overridden=overridden,
        )

    @transition(field=status, **_step(CaseAction.ASSIGN))
    def assign(
        self, *, reviewer_id: str, actor: Actor, at: datetime
    ) -> events.CaseReviewerAssigned:
        """Hand the case to a reviewer."""
        previous, self.assigned_reviewer_id = self.assigned_reviewer_id, reviewer_id
        return self._event(
            events.CaseReviewerAssigned,
            actor,
            at,
            reviewer_id=reviewer_id,
            from_reviewer_id=previous,
        )

    @transition(field=status, **_step(CaseAction.ESCALATE))
    def escalate(
        self, *, reason: str, actor: Actor, at: datetime, overridden: bool = False
    ) -> events.CaseEscalated:
        """Put the case before a higher level."""
        return self._event(
            events.CaseEscalated,
            actor,
            at,
            **self._move(CaseAction.ESCALATE),
            reason=reason,
            four_eyes_overridden=overridden,
        )

    @transition(field=status, **_step(CaseAction.CLOSE))
    def close(
        self, *, reason: str, actor: Actor, at: datetime, overridden: bool = False
    ) -> events.CaseClosed:
        """Decide the case."""
        self.closed_at = at
        return self._event(
            events.CaseClosed,
            actor,
            at,
            **self._move(CaseAction.CLOSE),
            reason=reason,
            four_eyes_overridden=overridden,
        )

    @transition(field=status, **_step(CaseAction.ADD_NOTE))
    def add_note(
        self, *, note_id: UUID, body: str, actor: Actor, at: datetime
    ) -> events.CaseNoteAdded:
        """Record that a note was written; the note itself is a row of its own."""
        return self._event(
            events.CaseNoteAdded, actor, at, note_id=note_id, body_sha256=events.sha256_hex(body)
        )

    @transition(field=status, **_step(CaseAction.SET_DUE_DATE))
    def set_due_date(
        self, *, due_at: datetime, reason: str, actor: Actor, at: datetime
    ) -> events.CaseDueDateChanged:
        """Set another due date; a case marked overdue gets a new chance."""
        previous, self.due_at = self.due_at, due_at
        self.overdue_at = None
        return self._event(
            events.CaseDueDateChanged,
            actor,
            at,
            due_at=due_at,
            reason=reason,
            from_due_at=previous,
        )

    @transition(field=status, **_step(CaseAction.PAUSE))
    def pause(self, *, reason: str, actor: Actor, at: datetime) -> events.CaseClockPaused:
        """Stop the clock."""
        self.paused_at = at
        return self._event(events.CaseClockPaused, actor, at, reason=reason)

    @transition(field=status, **_step(CaseAction.RESUME))
    def resume(
        self,
        *,
        reason: str,
        actor: Actor,
        at: datetime,
        due_at: datetime | None = None,
        counted: events.Counted | None = None,
    ) -> events.CaseClockResumed:
        """Let the clock run again; ``due_at`` is given where the pause moved it."""
        self.paused_at = None
        previous = None
        if due_at is not None:
            previous, self.due_at = self.due_at, due_at
            self.overdue_at = None
        return self._event(
            events.CaseClockResumed,
            actor,
            at,
            reason=reason,
            from_due_at=previous,
            due_at=due_at,
            **_facts(counted),
        )

    @transition(field=status, **_step(CaseAction.RESTRICT))
    def restrict(self, *, reason: str, actor: Actor, at: datetime) -> events.CaseRestricted:
        """Hide the case from all but a few."""
        self.restricted = True
        return self._event(events.CaseRestricted, actor, at, reason=reason)

    @transition(field=status, **_step(CaseAction.UNRESTRICT))
    def unrestrict(self, *, reason: str, actor: Actor, at: datetime) -> events.CaseUnrestricted:
        """Lift the restriction."""
        self.restricted = False
        return self._event(events.CaseUnrestricted, actor, at, reason=reason)

    @transition(field=status, **_step(CaseAction.GRANT_ACCESS))
    def grant_access(
        self, *, user: str, permission: str, actor: Actor, at: datetime
    ) -> events.CaseAccessGranted:
        """Record that a user was given a permission on this case."""
        return self._event(events.CaseAccessGranted, actor, at, user=user, permission=permission)

    @transition(field=status, **_step(CaseAction.REVOKE_ACCESS))
    def revoke_access(
        self, *, user: str, permission: str, actor: Actor, at: datetime
    ) -> events.CaseAccessRevoked:
        """Record that a permission on this case was taken back."""
        return self._event(events.CaseAccessRevoked, actor, at, user=user, permission=permission)

    @transition(field=status, **_step(CaseAction.MARK_OVERDUE))
    def mark_overdue(self, *, actor: Actor, at: datetime) -> events.CaseOverdue:
        """Record that the due date passed; needs ``due_at``."""
        self.overdue_at = at
        return self._event(events.CaseOverdue, actor, at, due_at=self.due_at)

    def _move(self, action: CaseAction) -> dict[str, Any]:
        return {"from_status": str(self.status), "to_status": str(LIFECYCLE[action].target)}

    def _event(self, kind: type[_E], actor: Actor, at: datetime, **facts: Any) -> _E:
        """Raise the version by one and make the event that tells why."""
        self.version += 1
        self.updated_at = at
        return kind(
            case_id=self.id,
            sequence=self.version,
            actor_id=actor.id,
            occurred_at=at,
            imported_by=actor.imported_by,
            announced=actor.announced,
            **facts,
        )

    def created(self, actor: Actor) -> events.CaseCreated:
        """Return the first event of a case that has just been inserted."""
        return events.CaseCreated(
            case_id=self.id,
            sequence=self.version,
            actor_id=actor.id,
            occurred_at=self.created_at,
            imported_by=actor.imported_by,
            announced=actor.announced,
            to_status=str(self.status),
            title=self.title,
            received_at=self.received_at,
            priority=self.priority,
            description_sha256=events.sha256_hex(self.description) if self.description else None,
            category=self.category or None,
            subject=self.subject or None,
            external_reference=self.external_reference or None,
            source=self.source or None,
            due_at=self.due_at,
        )
