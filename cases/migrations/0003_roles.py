"""The default matrix: roles as groups that hold permissions. From then on the admin changes it.

A copy of cases.policies.DEFAULT_ROLES, as a migration must be; a test compares the two.
"""

from django.db import migrations

READ = ["view_case"]
SUPERVISION = [
    "add_note",
    "assign_any_case",
    "assign_reviewer",
    "grant_access",
    "pause_clock",
    "restrict_case",
    "resume_clock",
    "revoke_access",
    "set_due_date",
    "unrestrict_case",
    "view_restricted_case",
]
WRITING = ["add_note", "create_case", "submit_case", "update_case"]
REVIEW = [
    "add_note",
    "assign_reviewer",
    "close_case",
    "escalate_case",
    "pause_clock",
    "resume_clock",
    "start_review",
]
ROLES = {
    "case_writer": READ + WRITING,
    "reviewer": READ + REVIEW,
    "supervisor": READ + SUPERVISION,
    "auditor": [*READ, "view_restricted_case"],
    "admin": sorted({*READ, *WRITING, *REVIEW, *SUPERVISION, "override_four_eyes"}),
}


def install(apps, schema_editor):
    ContentType = apps.get_model("contenttypes", "ContentType")
    Permission = apps.get_model("auth", "Permission")
    Group = apps.get_model("auth", "Group")
    # Django makes content types and permissions only after all migrations: too late for groups.
    content_type, _ = ContentType.objects.get_or_create(app_label="cases", model="case")
    names = dict(apps.get_model("cases", "Case")._meta.permissions)
    for role, codenames in ROLES.items():
        group, _ = Group.objects.get_or_create(name=role)
        group.permissions.add(
            *(
                Permission.objects.get_or_create(
                    content_type=content_type, codename=codename, defaults={"name": names[codename]}
                )[0]
                for codename in codenames
            )
        )


def remove(apps, schema_editor):
    apps.get_model("auth", "Group").objects.filter(name__in=list(ROLES)).delete()


class Migration(migrations.Migration):
    dependencies = [
        ("cases", "0002_guards"),
        ("contenttypes", "0002_remove_content_type_name"),
        ("auth", "0012_alter_user_first_name_max_length"),
    ]

    operations = [migrations.RunPython(install, remove)]
