"""The outbox: one row per obligation to tell one destination about one event."""

from __future__ import annotations

from django.db import models
from django.db.models import Q
from django.db.models.functions import Now

PENDING = Q(processed_at__isnull=True, dead_at__isnull=True)

# Beside "may view": names of the permissions to decide about events that were given up.
REQUEUE = "requeue_outboxevent"
DISCARD = "discard_outboxevent"


class OutboxEvent(models.Model):
    """An obligation, pending until it is dealt with (``processed_at``): delivered or discarded.

    ``dead_at`` marks one that failed too often or was refused: it waits for a decision by a person
    and keeps back the later events of its case at its destination, so that order is never broken
    silently. ``discarded_at`` marks one that nobody shall deliver any more; then ``processed_at``
    is set too, so whatever looks for pending rows, of any version, passes it by.
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
    # Rows of versions that did not know these columns leave them to the database.
    written_at = models.DateTimeField(db_default=Now(), help_text="When the obligation arose.")
    discarded_at = models.DateTimeField(null=True)
    discarded_by = models.CharField(max_length=255, blank=True, db_default="")
    discard_reason = models.TextField(blank=True, db_default="")

    class Meta:
        db_table = "outbox_events"
        default_permissions = ("view",)
        permissions = (
            (REQUEUE, "Can send events again that failed or were given up"),
            (DISCARD, "Can discard events that cannot be delivered"),
        )
        constraints = (
            models.UniqueConstraint(
                fields=("event_id", "destination"), name="outbox_events_event_destination"
            ),
        )
        # Each holds only rows that are not dealt with, however long the history is.
        indexes = (
            # What was never tried, in the order of writing.
            models.Index(
                fields=("destination", "id"),
                name="outbox_events_fresh",
                condition=PENDING & Q(attempts=0),
            ),
            # What failed, by when it is due again.
            models.Index(
                fields=("destination", "next_attempt_at"),
                name="outbox_events_retries",
                condition=PENDING & Q(attempts__gt=0),
            ),
            # The same in the order of the admin. Attempts of what was delivered count in what the
            # planner knows, so it would expect many in any state, and read all to find few.
            models.Index(
                fields=("id",),
                name="outbox_events_waiting",
                condition=PENDING & Q(attempts__gt=0),
            ),
            models.Index(
                fields=("destination", "id"),
                name="outbox_events_dead",
                condition=Q(processed_at__isnull=True, dead_at__isnull=False),
            ),
            # Is there an earlier one of the same case?
            models.Index(
                fields=("destination", "case_id", "sequence"),
                name="outbox_events_order",
                condition=Q(processed_at__isnull=True),
            ),
            models.Index(
                fields=("id",),
                name="outbox_events_discarded",
                condition=Q(discarded_at__isnull=False),
            ),
        )

    def __str__(self) -> str:
        return f"{self.event_type} of {self.case_id} for {self.destination}"
