"""The trail is append-only, chained and complete, and the database sees to it.

* No UPDATE, DELETE or TRUNCATE, for whichever role.
* A row comes in only as the next of its case, linked to the one before.
* ONLY keeps rows of inheriting tables, temporary ones say, from standing in for ours.
* At commit, a changed case without its audit event is refused, a note without its event too,
  and an event without its change as well.
"""

from django.db import migrations

FORWARDS = """
CREATE FUNCTION audit_events_chain() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    head record;
BEGIN
    SELECT sequence, hash INTO head FROM ONLY audit_events
     WHERE case_id = NEW.case_id ORDER BY sequence DESC LIMIT 1;
    IF NEW.sequence <> coalesce(head.sequence + 1, 0) THEN
        RAISE EXCEPTION 'case %: the next audit event is number %, not %',
            NEW.case_id, coalesce(head.sequence + 1, 0), NEW.sequence
            USING ERRCODE = 'restrict_violation';
    END IF;
    NEW.previous_hash := coalesce(head.hash, decode(repeat('00', 32), 'hex'));
    NEW.hash := sha256(NEW.previous_hash || NEW.content_hash);
    RETURN NEW;
END $$;
CREATE TRIGGER audit_events_chain BEFORE INSERT ON audit_events
    FOR EACH ROW EXECUTE FUNCTION audit_events_chain();

CREATE TRIGGER audit_events_append_only BEFORE UPDATE OR DELETE ON audit_events
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
-- By row as well: statement triggers do not fire where a parent by inheritance is addressed.
CREATE TRIGGER audit_events_rows_stay BEFORE UPDATE OR DELETE ON audit_events
    FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER audit_events_never_truncated BEFORE TRUNCATE ON audit_events
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

CREATE FUNCTION cases_has_audit_event() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    told boolean;
BEGIN
    -- The event of a new case is its creation; that of a change of status names the new one.
    IF TG_OP = 'INSERT' THEN
        told := EXISTS (SELECT FROM ONLY audit_events
                         WHERE case_id = NEW.id AND sequence = NEW.version
                           AND event_type = 'CASE_CREATED');
    ELSE
        told := EXISTS (SELECT FROM ONLY audit_events
                         WHERE case_id = NEW.id AND sequence = NEW.version
                           AND details ->> 'to_status' IS NOT DISTINCT FROM
                               CASE WHEN NEW.status <> OLD.status THEN NEW.status END);
    END IF;
    IF NOT told THEN
        RAISE EXCEPTION 'case %: version % has no audit event that tells of it',
            NEW.id, NEW.version
            USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN NULL;
END $$;
CREATE CONSTRAINT TRIGGER cases_has_audit_event AFTER INSERT OR UPDATE ON cases
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION cases_has_audit_event();

CREATE FUNCTION case_notes_has_audit_event() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NOT EXISTS (SELECT FROM ONLY audit_events
                    WHERE case_id = NEW.case_id AND sequence = NEW.sequence
                      AND event_type = 'CASE_NOTE_ADDED'
                      AND details ->> 'note_id' = NEW.id::text) THEN
        RAISE EXCEPTION 'case %: note % has no audit event', NEW.case_id, NEW.id
            USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN NULL;
END $$;
CREATE CONSTRAINT TRIGGER case_notes_has_audit_event AFTER INSERT ON case_notes
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION case_notes_has_audit_event();

CREATE FUNCTION audit_events_has_case() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NOT EXISTS (SELECT FROM ONLY cases WHERE id = NEW.case_id AND version >= NEW.sequence) THEN
        RAISE EXCEPTION 'audit event % of case %: the case was not changed',
            NEW.sequence, NEW.case_id USING ERRCODE = 'restrict_violation';
    END IF;
    IF NEW.event_type = 'CASE_NOTE_ADDED'
       AND NOT EXISTS (SELECT FROM ONLY case_notes
                        WHERE case_id = NEW.case_id AND sequence = NEW.sequence
                          AND id::text = NEW.details ->> 'note_id') THEN
        RAISE EXCEPTION 'audit event % of case %: there is no such note',
            NEW.sequence, NEW.case_id USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN NULL;
END $$;
CREATE CONSTRAINT TRIGGER audit_events_has_case AFTER INSERT ON audit_events
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION audit_events_has_case();

-- For a superuser's session with session_replication_role = replica as well.
ALTER TABLE audit_events ENABLE ALWAYS TRIGGER audit_events_chain;
ALTER TABLE audit_events ENABLE ALWAYS TRIGGER audit_events_append_only;
ALTER TABLE audit_events ENABLE ALWAYS TRIGGER audit_events_rows_stay;
ALTER TABLE audit_events ENABLE ALWAYS TRIGGER audit_events_never_truncated;
ALTER TABLE cases ENABLE ALWAYS TRIGGER cases_has_audit_event;
ALTER TABLE case_notes ENABLE ALWAYS TRIGGER case_notes_has_audit_event;
ALTER TABLE audit_events ENABLE ALWAYS TRIGGER audit_events_has_case;

-- Nobody's temporary table may stand in for one of ours while a guard looks.
DO $$
DECLARE guard text;
BEGIN
    FOREACH guard IN ARRAY ARRAY['audit_events_chain', 'cases_has_audit_event',
                                 'case_notes_has_audit_event', 'audit_events_has_case'] LOOP
        EXECUTE format('ALTER FUNCTION %I() SET search_path = %I, pg_temp', guard,
                       current_schema());
    END LOOP;
END $$;
"""

BACKWARDS = """
DROP TRIGGER audit_events_has_case ON audit_events;
DROP TRIGGER case_notes_has_audit_event ON case_notes;
DROP TRIGGER cases_has_audit_event ON cases;
DROP TRIGGER audit_events_never_truncated ON audit_events;
DROP TRIGGER audit_events_rows_stay ON audit_events;
DROP TRIGGER audit_events_append_only ON audit_events;
DROP TRIGGER audit_events_chain ON audit_events;
DROP FUNCTION audit_events_has_case();
DROP FUNCTION case_notes_has_audit_event();
DROP FUNCTION cases_has_audit_event();
DROP FUNCTION audit_events_chain();
"""


class Migration(migrations.Migration):
    dependencies = [("audit", "0001_initial"), ("cases", "0003_roles")]

    operations = [migrations.RunSQL(FORWARDS, BACKWARDS)]
