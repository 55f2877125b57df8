"""The audit trail: a row per fact, in a hash chain per case. The database keeps it unchanged."""

from __future__ import annotations

from typing import Any, Never

from django.db import models


class AppendOnlyQuerySet(models.QuerySet["AuditEvent"]):
    """Reads and inserts; the database refuses the rest as well."""

    def update(self, **kwargs: Any) -> Never:
        """Refuse: raises TypeError."""
        del kwargs
        message = "The audit trail is append-only: nothing in it is updated."
        raise TypeError(message)

    def delete(self) -> Never:
        """Refuse: raises TypeError."""
        message = "The audit trail is append-only: nothing in it is deleted."
        raise TypeError(message)


class AuditEvent(models.Model):
    """The business record of one thing that happened to a case.

    ``previous_hash`` and ``hash`` are set by the database as the row comes in: see
    ``audit.chain`` for what they hold and the migration ``0002_guards`` for the trigger.
    """

    id = models.UUIDField(primary_key=True, editable=False)
    # As text and with no foreign key: the trail must outlive every other table.
    case_id = models.CharField(max_length=20, db_collation="C")
    sequence = models.PositiveIntegerField()
    actor_id = models.CharField(max_length=150)
    event_type = models.CharField(max_length=40)
    occurred_at = models.DateTimeField(help_text="When it happened.")
    recorded_at = models.DateTimeField(help_text="When this row was written.")
    request_id = models.CharField(max_length=128, blank=True)
    details = models.JSONField()
    content_hash = models.BinaryField(max_length=32)
    previous_hash = models.BinaryField(max_length=32)
    hash = models.BinaryField(max_length=32)

    objects = AppendOnlyQuerySet.as_manager()

    class Meta:
        db_table = "audit_events"
        default_permissions = ("view",)
        constraints = (
            models.UniqueConstraint(fields=("case_id", "sequence"), name="audit_events_sequence"),
        )
        # What somebody did, the latest first: ids grow with the time of recording.
        indexes = (models.Index(fields=("actor_id", "id"), name="audit_events_actor"),)

    def __str__(self) -> str:
        return f"{self.case_id} {self.sequence} {self.event_type}"


class AuditAnchor(models.Model):
    """A signed statement about the heads of all chains at one moment; append-only."""

    number = models.PositiveIntegerField(primary_key=True)
    taken_at = models.DateTimeField()
    chains = models.PositiveIntegerField(help_text="How many cases had a trail.")
    events = models.PositiveBigIntegerField(help_text="How many events these trails had.")
    root = models.BinaryField(max_length=32)
    note = models.TextField(help_text="The statement as it was signed and given out.")

    class Meta:
        db_table = "audit_anchors"
        default_permissions = ()

    def __str__(self) -> str:
        return f"Anchor {self.number}"


class AuditAnchorHead(models.Model):
    """The head of one chain as an anchor covers it; only where it is not that of the one before.

    So the heads of an anchor are, for each case, the row of the greatest number up to its own.
    """

    pk = models.CompositePrimaryKey("case_id", "anchor")
    case_id = models.CharField(max_length=20, db_collation="C")
    anchor = models.PositiveIntegerField()
    sequence = models.PositiveIntegerField()
    hash = models.BinaryField(max_length=32)

    class Meta:
        db_table = "audit_anchor_heads"
        default_permissions = ()

    def __str__(self) -> str:
        return f"{self.case_id} {self.sequence} in anchor {self.anchor}"
