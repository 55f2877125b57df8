"""The table of working days with a start for every priority, and who may change it.

What was submitted before keeps the due date it has, or has not.
"""

from django.db import migrations, models

CODENAME, NAME, ROLE = "change_sla_targets", "Can change by when cases are due", "admin"
WORKING_DAYS = {"LOW": 40, "NORMAL": 20, "HIGH": 10, "URGENT": 3}
PRIORITIES = [("LOW", "Low"), ("NORMAL", "Normal"), ("HIGH", "High"), ("URGENT", "Urgent")]
PERMISSIONS = (
    ("view_case", "Can read cases that are not restricted"),
    ("view_restricted_case", "Can read restricted cases"),
    ("create_case", "Can create cases"),
    ("update_case", "Can change drafts"),
    ("submit_case", "Can submit drafts"),
    ("start_review", "Can start reviews"),
    ("assign_reviewer", "Can assign cases that are theirs or nobody's"),
    ("assign_any_case", "Can assign any case"),
    ("escalate_case", "Can escalate cases"),
    ("close_case", "Can close cases"),
    ("add_note", "Can add notes"),
    ("set_due_date", "Can set due dates"),
    ("pause_clock", "Can pause the clock"),
    ("resume_clock", "Can resume the clock"),
    ("restrict_case", "Can restrict cases"),
    ("unrestrict_case", "Can lift restrictions"),
    ("grant_access", "Can grant access to a case"),
    ("revoke_access", "Can revoke access to a case"),
    ("mark_overdue", "Can mark cases overdue"),
    ("override_four_eyes", "Can set the four-eyes rule aside"),
    ("export_cases", "Can export the cases of a list"),
    ("export_audit_events", "Can export the audit trail"),
    (CODENAME, NAME),
)


def install(apps, schema_editor):
    SlaTarget = apps.get_model("cases", "SlaTarget")
    SlaTarget.objects.bulk_create(
        SlaTarget(priority=priority, working_days=days) for priority, days in WORKING_DAYS.items()
    )


def give(apps, schema_editor):
    # Made by 0003_roles; the permissions themselves Django makes too late for groups.
    content_type = apps.get_model("contenttypes", "ContentType").objects.get(
        app_label="cases", model="case"
    )
    permission, _ = apps.get_model("auth", "Permission").objects.get_or_create(
        content_type=content_type, codename=CODENAME, defaults={"name": NAME}
    )
    # A role that the office has removed stays removed.
    for group in apps.get_model("auth", "Group").objects.filter(name=ROLE):
        group.permissions.add(permission)


def take_back(apps, schema_editor):
    apps.get_model("auth", "Permission").objects.filter(
        content_type__app_label="cases", codename=CODENAME
    ).delete()


class Migration(migrations.Migration):
    dependencies = [("cases", "0009_work_indexes")]

    operations = [
        migrations.AlterModelOptions(
            name="case", options={"default_permissions": (), "permissions": PERMISSIONS}
        ),
        migrations.CreateModel(
            name="SlaTarget",
            fields=[
                (
                    "priority",
                    models.CharField(
                        choices=PRIORITIES,
                        editable=False,
                        max_length=6,
                        primary_key=True,
                        serialize=False,
                    ),
                ),
                (
                    "working_days",
                    models.PositiveSmallIntegerField(
                        blank=True,
                        help_text="After the day of submission; empty: submitting sets no due "
                        "date.",
                        null=True,
                    ),
                ),
            ],
            options={
                "verbose_name": "SLA target",
                "db_table": "sla_targets",
                "default_permissions": (),
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("priority__in", ["LOW", "NORMAL", "HIGH", "URGENT"])),
                        name="sla_targets_priority_known",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("working_days__range", (1, 1000))),
                        name="sla_targets_days",
                    ),
                ],
            },
        ),
        migrations.RunPython(install, migrations.RunPython.noop),
        migrations.RunPython(give, take_back),
    ]
