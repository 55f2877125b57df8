"""The answers to requests that carried an Idempotency-Key."""

from __future__ import annotations

from django.db import models
from django.db.models.functions import Now

from cases.intake import ACTOR_MAX

KEY_MAX = 255


class IdempotencyKey(models.Model):
    """One answered request; its row commits with what the request did, or not at all."""

    pk = models.CompositePrimaryKey("actor_id", "key")
    actor_id = models.CharField(max_length=ACTOR_MAX, db_collation="C")
    key = models.CharField(max_length=KEY_MAX, db_collation="C")
    fingerprint = models.BinaryField(help_text="SHA-256 of what was asked.")
    status = models.PositiveSmallIntegerField()
    body = models.TextField(help_text="The answer, JSON.")
    headers = models.JSONField(help_text="Those of the answer that belong to the case.")
    created_at = models.DateTimeField(db_default=Now(), db_index=True)

    class Meta:
        db_table = "idempotency_keys"
        default_permissions = ()

    def __str__(self) -> str:
        return f"{self.key} of {self.actor_id}"
