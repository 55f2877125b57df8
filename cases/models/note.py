"""The notes of a case."""

from __future__ import annotations

from typing import Any

from django.db import models
from uuid_utils.compat import uuid7

from cases.intake import ACTOR_MAX
from cases.models.case import Case
from cases.models.querysets import GuardedQuerySet, refuse


class Note(models.Model):
    """What a user wrote on a case. Never edited, never deleted, never logged."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    case = models.ForeignKey(Case, on_delete=models.PROTECT, related_name="notes")
    sequence = models.PositiveIntegerField(help_text="The version of the case that it produced.")
    author = models.CharField(max_length=ACTOR_MAX)
    body = models.TextField()
    created_at = models.DateTimeField()

    objects = GuardedQuerySet.as_manager()

    class Meta:
        db_table = "case_notes"
        default_permissions = ()
        constraints = (
            models.UniqueConstraint(fields=("case", "sequence"), name="case_notes_case_sequence"),
        )

    def __str__(self) -> str:
        return f"Note {self.sequence} on {self.case_id}"

    def delete(self, *args: Any, **kwargs: Any) -> tuple[int, dict[str, int]]:
        """Refuse: raises TypeError. Notes are never deleted."""
        del args, kwargs
        refuse("A deletion")
