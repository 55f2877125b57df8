"""An index for the list of what failed and is to be tried again."""

from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models


class Migration(migrations.Migration):
    atomic = False

    dependencies = [("outbox", "0002_decisions")]

    operations = [
        # What an earlier try has left: one that was given up leaves an index that nobody uses.
        migrations.RunSQL(
            "DROP INDEX CONCURRENTLY IF EXISTS outbox_events_waiting", migrations.RunSQL.noop
        ),
        AddIndexConcurrently(
            model_name="outboxevent",
            index=models.Index(
                condition=(
                    models.Q(processed_at__isnull=True, dead_at__isnull=True)
                    & models.Q(attempts__gt=0)
                ),
                fields=["id"],
                name="outbox_events_waiting",
            ),
        ),
    ]
