"""Indexes for reports of work, and for the search of what is to be marked overdue."""

from django.db import migrations, models

from cases.models.orderings import OpenDueOrNever

OPEN = models.Q(("status", "CLOSED"), _negated=True)


def index(*expressions, **options):
    return migrations.AddIndex(model_name="case", index=models.Index(*expressions, **options))


class Migration(migrations.Migration):
    dependencies = [("cases", "0008_rights_version")]

    operations = [
        migrations.RemoveIndex(model_name="case", name="cases_closed"),
        migrations.RemoveIndex(model_name="case", name="cases_open_due"),
        index(
            fields=["closed_at"],
            condition=models.Q(closed_at__isnull=False),
            include=["priority", "due_at", "paused_at", "restricted", "assigned_reviewer_id"],
            name="cases_closed",
        ),
        index(
            OpenDueOrNever("due_at"),
            models.F("id"),
            condition=OPEN,
            include=["due_at", "paused_at", "restricted", "assigned_reviewer_id", "created_at"],
            name="cases_open_due",
        ),
        index(
            fields=["due_at", "id"],
            condition=OPEN
            & models.Q(due_at__isnull=False, overdue_at__isnull=True, paused_at__isnull=True),
            name="cases_unmarked_due",
        ),
    ]
