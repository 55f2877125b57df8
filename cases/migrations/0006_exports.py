"""The permissions to export, given to the default roles that may.

A copy of cases.policies.DEFAULT_ROLES, as a migration must be; a test compares the two.
"""

from django.db import migrations

NAMES = {
    "export_cases": "Can export the cases of a list",
    "export_audit_events": "Can export the audit trail",
}
ROLES = {
    "supervisor": ["export_cases"],
    "auditor": ["export_cases", "export_audit_events"],
    "admin": ["export_cases", "export_audit_events"],
}
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
    *NAMES.items(),
)


def give(apps, schema_editor):
    Permission = apps.get_model("auth", "Permission")
    # Made by 0003_roles; the permissions themselves Django makes too late for groups.
    content_type = apps.get_model("contenttypes", "ContentType").objects.get(
        app_label="cases", model="case"
    )
    made = {
        codename: Permission.objects.get_or_create(
            content_type=content_type, codename=codename, defaults={"name": name}
        )[0]
        for codename, name in NAMES.items()
    }
    # A role that the office has removed stays removed.
    for group in apps.get_model("auth", "Group").objects.filter(name__in=list(ROLES)):
        group.permissions.add(*(made[codename] for codename in ROLES[group.name]))


def take_back(apps, schema_editor):
    apps.get_model("auth", "Permission").objects.filter(
        content_type__app_label="cases", codename__in=list(NAMES)
    ).delete()


class Migration(migrations.Migration):
    dependencies = [("cases", "0005_search")]

    operations = [
        migrations.AlterModelOptions(
            name="case", options={"default_permissions": (), "permissions": PERMISSIONS}
        ),
        migrations.RunPython(give, take_back),
    ]
