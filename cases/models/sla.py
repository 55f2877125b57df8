"""By when cases must be closed: the office's table of working days."""

from __future__ import annotations

from django.db import models
from django.db.models import Q

from cases.intake import WORKING_DAYS_MAX
from cases.lifecycle import Priority


class SlaTarget(models.Model):
    """How many working days a case of a priority gets when it is submitted."""

    priority = models.CharField(
        primary_key=True,
        max_length=6,
        choices=[(p.value, p.value.capitalize()) for p in Priority],
        editable=False,
    )
    working_days = models.PositiveSmallIntegerField(
        null=True,
        blank=True,
        help_text="After the day of submission; empty: submitting sets no due date.",
    )

    class Meta:
        db_table = "sla_targets"
        default_permissions = ()
        verbose_name = "SLA target"
        constraints = (
            models.CheckConstraint(
                condition=Q(priority__in=[p.value for p in Priority]),
                name="sla_targets_priority_known",
            ),
            models.CheckConstraint(
                condition=Q(working_days__range=(1, WORKING_DAYS_MAX)), name="sla_targets_days"
            ),
        )

    def __str__(self) -> str:
        days = self.working_days
        given = "no due date" if days is None else f"{days} working day{'s' * (days != 1)}"
        return f"{self.get_priority_display()}: {given}"
