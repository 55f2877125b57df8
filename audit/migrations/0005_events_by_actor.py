"""An index for what somebody did."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("audit", "0004_anchors")]

    operations = [
        migrations.AddIndex(
            model_name="auditevent",
            index=models.Index(fields=["actor_id", "id"], name="audit_events_actor"),
        ),
    ]
