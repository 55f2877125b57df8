"""Anchors: what was stated about all chains at a moment, append-only and numbered without gaps."""

from django.db import migrations, models

FORWARDS = """
CREATE FUNCTION audit_anchors_next() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    next_number integer := (SELECT coalesce(max(number), 0) + 1 FROM ONLY audit_anchors);
BEGIN
    IF NEW.number <> next_number THEN
        RAISE EXCEPTION 'the next anchor is number %, not %', next_number, NEW.number
            USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER audit_anchors_next BEFORE INSERT ON audit_anchors
    FOR EACH ROW EXECUTE FUNCTION audit_anchors_next();

DO $$
DECLARE of_table text;
BEGIN
    EXECUTE format('ALTER FUNCTION audit_anchors_next() SET search_path = %I, pg_temp',
                   current_schema());
    ALTER TABLE audit_anchors ENABLE ALWAYS TRIGGER audit_anchors_next;
    FOREACH of_table IN ARRAY ARRAY['audit_anchors', 'audit_anchor_heads'] LOOP
        EXECUTE format('CREATE TRIGGER %1$s_append_only BEFORE UPDATE OR DELETE ON %1$s
                        FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()', of_table);
        EXECUTE format('CREATE TRIGGER %1$s_rows_stay BEFORE UPDATE OR DELETE ON %1$s
                        FOR EACH ROW EXECUTE FUNCTION refuse_change()', of_table);
        EXECUTE format('CREATE TRIGGER %1$s_never_truncated BEFORE TRUNCATE ON %1$s
                        FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()', of_table);
        EXECUTE format('ALTER TABLE %1$s ENABLE ALWAYS TRIGGER %1$s_append_only,
                        ENABLE ALWAYS TRIGGER %1$s_rows_stay,
                        ENABLE ALWAYS TRIGGER %1$s_never_truncated', of_table);
    END LOOP;
END $$;
"""

BACKWARDS = """
DROP TRIGGER audit_anchors_append_only ON audit_anchors;
DROP TRIGGER audit_anchors_rows_stay ON audit_anchors;
DROP TRIGGER audit_anchors_never_truncated ON audit_anchors;
DROP TRIGGER audit_anchor_heads_append_only ON audit_anchor_heads;
DROP TRIGGER audit_anchor_heads_rows_stay ON audit_anchor_heads;
DROP TRIGGER audit_anchor_heads_never_truncated ON audit_anchor_heads;
DROP TRIGGER audit_anchors_next ON audit_anchors;
DROP FUNCTION audit_anchors_next();
"""


class Migration(migrations.Migration):
    dependencies = [
        ("audit", "0003_guard_grants"),
    ]

    operations = [
        migrations.CreateModel(
            name="AuditAnchor",
            fields=[
                ("number", models.PositiveIntegerField(primary_key=True, serialize=False)),
                ("taken_at", models.DateTimeField()),
                ("chains", models.PositiveIntegerField(help_text="How many cases had a trail.")),
                (
                    "events",
                    models.PositiveBigIntegerField(help_text="How many events these trails had."),
                ),
                ("root", models.BinaryField(max_length=32)),
                (
                    "note",
                    models.TextField(help_text="The statement as it was signed and given out."),
                ),
            ],
            options={
                "db_table": "audit_anchors",
                "default_permissions": (),
            },
        ),
        migrations.CreateModel(
            name="AuditAnchorHead",
            fields=[
                (
                    "pk",
                    models.CompositePrimaryKey(
                        "case_id",
                        "anchor",
                        blank=True,
                        editable=False,
                        primary_key=True,
                        serialize=False,
                    ),
                ),
                ("case_id", models.CharField(db_collation="C", max_length=20)),
                ("anchor", models.PositiveIntegerField()),
                ("sequence", models.PositiveIntegerField()),
                ("hash", models.BinaryField(max_length=32)),
            ],
            options={
                "db_table": "audit_anchor_heads",
                "default_permissions": (),
            },
        ),
        migrations.RunSQL(FORWARDS, BACKWARDS),
    ]
