"""Indexes for the filters and orderings of lists; docs/performance.md says which is for what."""

from django.db import migrations, models

from cases.models.orderings import DueOrNever, OpenDueOrNever, PriorityRank

OPEN = models.Q(("status", "CLOSED"), _negated=True)


def index(*expressions, **options):
    return migrations.AddIndex(model_name="case", index=models.Index(*expressions, **options))


class Migration(migrations.Migration):
    dependencies = [("cases", "0003_roles")]

    operations = [
        # Django makes a second index on a text key, for LIKE. The key has the collation C, so its
        # own index answers LIKE as well, and every new case pays for one index less.
        migrations.RunSQL(
            "DROP INDEX cases_id_98f03d8f_like",
            "CREATE INDEX cases_id_98f03d8f_like ON cases (id varchar_pattern_ops)",
        ),
        index(fields=["-updated_at", "-id"], name="cases_updated"),
        index(DueOrNever("due_at"), models.F("id"), name="cases_due"),
        index(PriorityRank("priority"), models.F("id"), name="cases_priority"),
        index(fields=["category", "-created_at", "-id"], name="cases_category"),
        index(fields=["source", "-created_at", "-id"], name="cases_source"),
        index(fields=["assigned_reviewer_id", "-created_at", "-id"], name="cases_reviewer"),
        index(fields=["status", "assigned_reviewer_id", "restricted"], name="cases_summary"),
        index(
            fields=["closed_at"], condition=models.Q(closed_at__isnull=False), name="cases_closed"
        ),
        index(
            OpenDueOrNever("due_at"),
            models.F("id"),
            condition=OPEN,
            include=["due_at", "paused_at", "restricted", "assigned_reviewer_id"],
            name="cases_open_due",
        ),
        index(fields=["updated_at", "id"], condition=OPEN, name="cases_open_updated"),
    ]
