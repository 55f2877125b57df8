"""The outbox: one row per obligation to tell one destination about one event."""

from __future__ import annotations

from django.db import models
from django.db.models import Q
from django.db.models.functions import Now


class OutboxEvent(models.Model):
    """An obligation, pending until it is delivered (``processed_at``).

    ``dead_at`` marks one that failed too often: it waits for a decision by a person and keeps
    back the later events of its case at its destination, so that order is never broken silently.
    """

    event_id = models.UUIDField(help_text="The id of the fact, in the trail and in the message.")
    destination = models.CharField(max_length=40)
    case_id = models.CharField(max_length=20, db_collation="C")
    sequence = models.PositiveIntegerField()
    event_type = models.CharField(max_length=40)
    payload = models.JSONField(help_text="The message: a CloudEvent, whole.")
    occurred_at = models.DateTimeField()
    attempts = models.PositiveIntegerField(default=0)
    # The database's clock, here and in the relay: drainers on other machines may be off.
    next_attempt_at = models.DateTimeField(db_default=Now())
    last_error = models.TextField(blank=True, default="")
    processed_at = models.DateTimeField(null=True)
    dead_at = models.DateTimeField(null=True)

    class Meta:
        db_table = "outbox_events"
        default_permissions = ("view",)
        constraints = (
            models.UniqueConstraint(
                fields=("event_id", "destination"), name="outbox_events_event_destination"
            ),
        )
        indexes = (
            # The queue: what is pending, in the order of writing.
            models.Index(
                fields=("destination", "id"),
                name="outbox_events_due",
                condition=Q(processed_at__isnull=True, dead_at__isnull=True),
            ),
            # Is there an earlier one of the same case?
            models.Index(
                fields=("destination", "case_id", "sequence"),
                name="outbox_events_order",
                condition=Q(processed_at__isnull=True),
            ),
        )

    def __str__(self) -> str:
        return f"{self.event_type} of {self.case_id} for {self.destination}"
