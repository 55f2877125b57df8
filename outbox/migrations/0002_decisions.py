"""Decisions about events that were given up, and indexes that hold only what is not dealt with.

The new columns are only added, and the database fills them for who does not know them: web servers
and drainers of the version before run on beside this one.
"""

import django.db.models.functions.datetime
from django.db import migrations, models

PENDING = models.Q(processed_at__isnull=True, dead_at__isnull=True)
PERMISSIONS = (
    ("requeue_outboxevent", "Can send events again that failed or were given up"),
    ("discard_outboxevent", "Can discard events that cannot be delivered"),
)


def give(apps, schema_editor):
    """Let the role that may do everything do this; Django makes permissions too late for groups."""
    content_type, _ = apps.get_model("contenttypes", "ContentType").objects.get_or_create(
        app_label="outbox", model="outboxevent"
    )
    Permission = apps.get_model("auth", "Permission")
    made = [
        Permission.objects.get_or_create(
            content_type=content_type, codename=codename, defaults={"name": name}
        )[0]
        for codename, name in PERMISSIONS
    ]
    # A role that the office has removed stays removed.
    for group in apps.get_model("auth", "Group").objects.filter(name="admin"):
        group.permissions.add(*made)


TAKE_BACK = """
WITH gone AS (
    SELECT p.id FROM auth_permission p JOIN django_content_type t ON t.id = p.content_type_id
     WHERE t.app_label = 'outbox' AND p.codename = ANY(%s)),
of_roles AS (DELETE FROM auth_group_permissions WHERE permission_id IN (SELECT id FROM gone)),
of_people AS (DELETE FROM auth_user_user_permissions WHERE permission_id IN (SELECT id FROM gone))
DELETE FROM auth_permission WHERE id IN (SELECT id FROM gone)
"""


def take_back(apps, schema_editor):
    # Not by models: on the way back, those of different states would be asked for each other.
    with schema_editor.connection.cursor() as cursor:
        cursor.execute(TAKE_BACK, [[codename for codename, _ in PERMISSIONS]])


class Migration(migrations.Migration):
    dependencies = [
        ("outbox", "0001_initial"),
        ("cases", "0003_roles"),
        ("contenttypes", "0002_remove_content_type_name"),
        ("auth", "0012_alter_user_first_name_max_length"),
    ]

    operations = [
        migrations.AlterModelOptions(
            name="outboxevent",
            options={"default_permissions": ("view",), "permissions": PERMISSIONS},
        ),
        migrations.AddField(
            model_name="outboxevent",
            name="written_at",
            field=models.DateTimeField(
                db_default=django.db.models.functions.datetime.Now(),
                help_text="When the obligation arose.",
            ),
        ),
        migrations.AddField(
            model_name="outboxevent",
            name="discarded_at",
            field=models.DateTimeField(null=True),
        ),
        migrations.AddField(
            model_name="outboxevent",
            name="discarded_by",
            field=models.CharField(blank=True, db_default="", max_length=255),
        ),
        migrations.AddField(
            model_name="outboxevent",
            name="discard_reason",
            field=models.TextField(blank=True, db_default=""),
        ),
        migrations.AddIndex(
            model_name="outboxevent",
            index=models.Index(
                fields=["destination", "id"],
                name="outbox_events_fresh",
                condition=PENDING & models.Q(attempts=0),
            ),
        ),
        migrations.AddIndex(
            model_name="outboxevent",
            index=models.Index(
                fields=["destination", "next_attempt_at"],
                name="outbox_events_retries",
                condition=PENDING & models.Q(attempts__gt=0),
            ),
        ),
        migrations.AddIndex(
            model_name="outboxevent",
            index=models.Index(
                fields=["destination", "id"],
                name="outbox_events_dead",
                condition=models.Q(processed_at__isnull=True, dead_at__isnull=False),
            ),
        ),
        migrations.AddIndex(
            model_name="outboxevent",
            index=models.Index(
                fields=["id"],
                name="outbox_events_discarded",
                condition=models.Q(discarded_at__isnull=False),
            ),
        ),
        migrations.RemoveIndex(model_name="outboxevent", name="outbox_events_due"),
        migrations.RunPython(give, take_back),
    ]
