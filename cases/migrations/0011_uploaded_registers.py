import django.db.models.deletion
import uuid_utils.compat
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("cases", "0010_sla_targets"),
    ]

    operations = [
        migrations.CreateModel(
            name="UploadedRegister",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=uuid_utils.compat.uuid7,
                        editable=False,
                        primary_key=True,
                        serialize=False,
                    ),
                ),
                ("actor_id", models.CharField(db_collation="C", max_length=150)),
                ("file_name", models.CharField(max_length=200)),
                ("file_size", models.PositiveBigIntegerField(help_text="In bytes.")),
                (
                    "delimiter",
                    models.CharField(blank=True, help_text="Blank for JSON Lines.", max_length=1),
                ),
                (
                    "columns",
                    models.JSONField(
                        help_text="Each with its name, examples, and keys in its cells."
                    ),
                ),
                ("row_count", models.PositiveIntegerField()),
                ("part_count", models.PositiveIntegerField()),
                (
                    "mapping",
                    models.JSONField(
                        default=dict, help_text="Columns by the field that they fill."
                    ),
                ),
                ("source", models.CharField(blank=True, max_length=200)),
                ("time_zone", models.CharField(blank=True, max_length=200)),
                ("submit", models.BooleanField(default=False)),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("UPLOADED", "Waits for its columns"),
                            ("CHECKING", "Being checked"),
                            ("CHECKED", "Checked"),
                            ("LOADING", "Being imported"),
                            ("LOADED", "Imported"),
                        ],
                        default="UPLOADED",
                        max_length=8,
                    ),
                ),
                ("next_part", models.PositiveIntegerField(default=0)),
                (
                    "outcome",
                    models.JSONField(default=dict, help_text="How many rows became what, so far."),
                ),
                (
                    "sample",
                    models.JSONField(default=list, help_text="What becomes of the first rows."),
                ),
                (
                    "refused",
                    models.JSONField(
                        default=list, help_text="The first rows that do not go in, and why."
                    ),
                ),
                ("created_at", models.DateTimeField()),
                ("finished_at", models.DateTimeField(null=True)),
            ],
            options={
                "db_table": "uploaded_registers",
                "default_permissions": (),
                "indexes": [
                    models.Index(fields=["actor_id", "created_at"], name="registers_of_actor"),
                    models.Index(fields=["created_at"], name="registers_by_age"),
                ],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(
                            ("state__in", ["UPLOADED", "CHECKING", "CHECKED", "LOADING", "LOADED"])
                        ),
                        name="registers_state_known",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("next_part__lte", models.F("part_count"))),
                        name="registers_within_parts",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="RegisterPart",
            fields=[
                (
                    "pk",
                    models.CompositePrimaryKey(
                        "register_id",
                        "number",
                        blank=True,
                        editable=False,
                        primary_key=True,
                        serialize=False,
                    ),
                ),
                ("number", models.PositiveIntegerField()),
                (
                    "rows",
                    models.BinaryField(help_text="Lines, cells and problems: JSON, compressed."),
                ),
                (
                    "written",
                    models.BinaryField(help_text="Digests of the references that it would write."),
                ),
                (
                    "rejects",
                    models.TextField(blank=True, help_text="What was not loaded: JSON Lines."),
                ),
                ("loaded_at", models.DateTimeField(null=True)),
                (
                    "register",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="parts",
                        to="cases.uploadedregister",
                    ),
                ),
            ],
            options={
                "db_table": "uploaded_register_parts",
                "default_permissions": (),
            },
        ),
    ]
