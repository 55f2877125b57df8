"""An index for the list of what failed and is to be tried again."""

from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models


class Migration(migrations.Migration):
    atomic = False

    dependencies = [("outbox", "0002_decisions")]

    operations = [
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
