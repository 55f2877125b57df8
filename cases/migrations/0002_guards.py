"""What must never happen to a case or a note is refused by the database too.

No role of the application is exempt: it is the table that refuses, not the user who is. The
status table here is a copy of cases.lifecycle.LIFECYCLE, as a migration must be; a test compares
the two.
"""

from django.db import migrations

FORWARDS = """
ALTER TABLE cases ADD CONSTRAINT cases_id_form CHECK (id ~ '^CASE-[0-9]{6,15}$');

CREATE FUNCTION cases_guard_insert() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.status <> 'DRAFT' OR NEW.version <> 0 OR NEW.restricted
       OR NEW.assigned_reviewer_id IS NOT NULL
       OR NEW.overdue_at IS NOT NULL OR NEW.paused_at IS NOT NULL THEN
        RAISE EXCEPTION 'a case starts as an unassigned DRAFT with version 0'
            USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER cases_guard_insert BEFORE INSERT ON cases
    FOR EACH ROW EXECUTE FUNCTION cases_guard_insert();

CREATE FUNCTION cases_guard_update() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF (NEW.id, NEW.created_by, NEW.created_at)
       IS DISTINCT FROM (OLD.id, OLD.created_by, OLD.created_at) THEN
        RAISE EXCEPTION 'case %: id, created_by and created_at never change', OLD.id
            USING ERRCODE = 'restrict_violation';
    END IF;
    IF NEW.version <> OLD.version + 1 THEN
        RAISE EXCEPTION 'case %: the version rises by one with every change, not from % to %',
            OLD.id, OLD.version, NEW.version USING ERRCODE = 'restrict_violation';
    END IF;
    IF NEW.status <> OLD.status AND (OLD.status, NEW.status) NOT IN (
        ('DRAFT', 'SUBMITTED'), ('SUBMITTED', 'UNDER_REVIEW'), ('UNDER_REVIEW', 'ESCALATED'),
        ('UNDER_REVIEW', 'CLOSED'), ('ESCALATED', 'CLOSED')) THEN
        RAISE EXCEPTION 'case %: no transition leads from % to %', OLD.id, OLD.status, NEW.status
            USING ERRCODE = 'restrict_violation';
    END IF;
    IF OLD.status <> 'DRAFT'
       AND (NEW.title, NEW.description, NEW.received_at, NEW.category, NEW.subject,
            NEW.external_reference, NEW.source, NEW.priority, NEW.submitted_at, NEW.submitted_by)
       IS DISTINCT FROM
           (OLD.title, OLD.description, OLD.received_at, OLD.category, OLD.subject,
            OLD.external_reference, OLD.source, OLD.priority, OLD.submitted_at, OLD.submitted_by)
    THEN
        RAISE EXCEPTION 'case %: what was submitted does not change any more', OLD.id
            USING ERRCODE = 'restrict_violation';
    END IF;
    IF OLD.status = 'CLOSED'
       AND (NEW.assigned_reviewer_id, NEW.restricted, NEW.closed_at, NEW.due_at, NEW.overdue_at,
            NEW.paused_at)
       IS DISTINCT FROM
           (OLD.assigned_reviewer_id, OLD.restricted, OLD.closed_at, OLD.due_at, OLD.overdue_at,
            OLD.paused_at) THEN
        RAISE EXCEPTION 'case %: a closed case does not change any more', OLD.id
            USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER cases_guard_update BEFORE UPDATE ON cases
    FOR EACH ROW EXECUTE FUNCTION cases_guard_update();

CREATE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '% on % is refused: what is recorded there stays', TG_OP, TG_TABLE_NAME
        USING ERRCODE = 'restrict_violation';
END $$;
CREATE TRIGGER cases_never_deleted BEFORE DELETE ON cases
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
-- By row as well: statement triggers do not fire where a parent by inheritance is addressed.
CREATE TRIGGER cases_rows_stay BEFORE DELETE ON cases
    FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER cases_never_truncated BEFORE TRUNCATE ON cases
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
CREATE TRIGGER case_notes_append_only BEFORE UPDATE OR DELETE ON case_notes
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
CREATE TRIGGER case_notes_rows_stay BEFORE UPDATE OR DELETE ON case_notes
    FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER case_notes_never_truncated BEFORE TRUNCATE ON case_notes
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

-- For a superuser's session with session_replication_role = replica as well.
ALTER TABLE cases ENABLE ALWAYS TRIGGER cases_guard_insert;
ALTER TABLE cases ENABLE ALWAYS TRIGGER cases_guard_update;
ALTER TABLE cases ENABLE ALWAYS TRIGGER cases_never_deleted;
ALTER TABLE cases ENABLE ALWAYS TRIGGER cases_rows_stay;
ALTER TABLE cases ENABLE ALWAYS TRIGGER cases_never_truncated;
ALTER TABLE case_notes ENABLE ALWAYS TRIGGER case_notes_append_only;
ALTER TABLE case_notes ENABLE ALWAYS TRIGGER case_notes_rows_stay;
ALTER TABLE case_notes ENABLE ALWAYS TRIGGER case_notes_never_truncated;

-- Nobody's temporary table may stand in for one of ours while a guard looks.
DO $$
DECLARE guard text;
BEGIN
    FOREACH guard IN ARRAY ARRAY['cases_guard_insert', 'cases_guard_update', 'refuse_change',
                                 'next_case_id'] LOOP
        EXECUTE format('ALTER FUNCTION %I() SET search_path = %I, pg_temp', guard,
                       current_schema());
    END LOOP;
END $$;
"""

BACKWARDS = """
DROP TRIGGER case_notes_never_truncated ON case_notes;
DROP TRIGGER case_notes_rows_stay ON case_notes;
DROP TRIGGER case_notes_append_only ON case_notes;
DROP TRIGGER cases_never_truncated ON cases;
DROP TRIGGER cases_rows_stay ON cases;
DROP TRIGGER cases_never_deleted ON cases;
DROP TRIGGER cases_guard_update ON cases;
DROP TRIGGER cases_guard_insert ON cases;
DROP FUNCTION refuse_change();
DROP FUNCTION cases_guard_update();
DROP FUNCTION cases_guard_insert();
ALTER TABLE cases DROP CONSTRAINT cases_id_form;
"""


class Migration(migrations.Migration):
    dependencies = [("cases", "0001_initial")]

    operations = [migrations.RunSQL(FORWARDS, BACKWARDS)]
