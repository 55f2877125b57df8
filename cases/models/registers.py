"""Registers that were uploaded: on their way in, then what is left of them, then forgotten."""

from __future__ import annotations

from django.db import models
from django.db.models import Q
from uuid_utils.compat import uuid7

from cases.intake import ACTOR_MAX, SHORT_MAX


class RegisterState(models.TextChoices):
    """How far an uploaded register has come."""

    UPLOADED = "UPLOADED", "Waits for its columns"
    CHECKING = "CHECKING", "Being checked"
    CHECKED = "CHECKED", "Checked"
    LOADING = "LOADING", "Being imported"
    LOADED = "LOADED", "Imported"


class UploadedRegister(models.Model):
    """One upload of one person, and how far it has come; its rows stand in its parts.

    Nobody else sees it, and no service of cases knows of it: what it holds is not yet of the
    office, and some of it never will be.
    """

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    actor_id = models.CharField(max_length=ACTOR_MAX, db_collation="C")
    file_name = models.CharField(max_length=SHORT_MAX)
    file_size = models.PositiveBigIntegerField(help_text="In bytes.")
    delimiter = models.CharField(max_length=1, blank=True, help_text="Blank for JSON Lines.")
    columns = models.JSONField(help_text="Each with its name, examples, and keys in its cells.")
    row_count = models.PositiveIntegerField()
    part_count = models.PositiveIntegerField()
    # What was chosen for it.
    mapping = models.JSONField(default=dict, help_text="Columns by the field that they fill.")
    source = models.CharField(max_length=SHORT_MAX, blank=True)
    time_zone = models.CharField(max_length=SHORT_MAX, blank=True)
    submit = models.BooleanField(default=False)
    # Where it is.
    state = models.CharField(
        max_length=8, choices=RegisterState.choices, default=RegisterState.UPLOADED
    )
    next_part = models.PositiveIntegerField(default=0)
    outcome = models.JSONField(default=dict, help_text="How many rows became what, so far.")
    sample = models.JSONField(default=list, help_text="What becomes of the first rows.")
    refused = models.JSONField(default=list, help_text="The first rows that do not go in, and why.")
    created_at = models.DateTimeField()
    finished_at = models.DateTimeField(null=True)

    class Meta:
        db_table = "uploaded_registers"
        default_permissions = ()
        indexes = (
            models.Index(fields=("actor_id", "created_at"), name="registers_of_actor"),
            models.Index(fields=("created_at",), name="registers_by_age"),
        )
        constraints = (
            models.CheckConstraint(
                condition=Q(state__in=RegisterState.values), name="registers_state_known"
            ),
            models.CheckConstraint(
                condition=Q(next_part__lte=models.F("part_count")), name="registers_within_parts"
            ),
        )

    def __str__(self) -> str:
        return self.file_name


class RegisterPart(models.Model):
    """Some rows of an upload, as many as one transaction loads.

    The rows are taken away in the transaction that makes cases of them; what was refused stays.
    """

    pk = models.CompositePrimaryKey("register_id", "number")
    register = models.ForeignKey(
        UploadedRegister, models.CASCADE, related_name="parts", db_index=False
    )
    number = models.PositiveIntegerField()
    rows = models.BinaryField(help_text="Lines, cells and problems: JSON, compressed.")
    written = models.BinaryField(help_text="Digests of the references that it would write.")
    rejects = models.TextField(blank=True, help_text="What was not loaded: JSON Lines.")
    loaded_at = models.DateTimeField(null=True)

    class Meta:
        db_table = "uploaded_register_parts"
        default_permissions = ()

    def __str__(self) -> str:
        return f"{self.register_id}, part {self.number}"
