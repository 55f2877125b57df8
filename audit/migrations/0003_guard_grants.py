"""Who was let into a case stands in the trail, and the database sees to it.

* A row of ``case_user_permissions`` is there exactly if the latest access event of that case,
  user and permission is a grant: compared at commit, whichever of the two was written.
* Access events take turns: a grant of what is granted already, or a revocation of what is not,
  tells of something that did not happen.
* Events name users and permissions by their names, so neither is renamed while it is in a grant.
* Nothing is granted to groups: their table is there because django-guardian asks for it.
"""

from django.db import migrations

FORWARDS = """
-- What waits for the end of the transaction would keep the tables from being altered.
SET CONSTRAINTS ALL IMMEDIATE;
SET CONSTRAINTS ALL DEFERRED;

CREATE FUNCTION check_access(of_case text, of_user text, of_permission text)
RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    held integer;
    told text;
BEGIN
    -- By name, not by id: a second permission of the same name would open the case as well.
    SELECT count(*) INTO held
      FROM ONLY case_user_permissions AS access
      JOIN ONLY auth_user AS account ON account.id = access.user_id
      JOIN ONLY auth_permission AS permission ON permission.id = access.permission_id
     WHERE access.case_id = of_case AND account.username = of_user
       AND permission.codename = of_permission;
    SELECT event_type INTO told FROM ONLY audit_events
     WHERE case_id = of_case
       AND event_type IN ('CASE_ACCESS_GRANTED', 'CASE_ACCESS_REVOKED')
       AND details ->> 'user' = of_user AND details ->> 'permission' = of_permission
     ORDER BY sequence DESC LIMIT 1;
    IF held <> (told IS NOT DISTINCT FROM 'CASE_ACCESS_GRANTED')::integer THEN
        RAISE EXCEPTION 'case %: % holds % % times, but the last word of the trail is %',
            of_case, of_user, of_permission, held, coalesce(told, 'nothing')
            USING ERRCODE = 'restrict_violation';
    END IF;
END $$;

CREATE FUNCTION case_user_permissions_has_audit_event() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP <> 'DELETE' THEN
        PERFORM check_access(
            NEW.case_id,
            (SELECT username FROM ONLY auth_user WHERE id = NEW.user_id),
            (SELECT codename FROM ONLY auth_permission WHERE id = NEW.permission_id));
    END IF;
    IF TG_OP <> 'INSERT' THEN
        PERFORM check_access(
            OLD.case_id,
            (SELECT username FROM ONLY auth_user WHERE id = OLD.user_id),
            (SELECT codename FROM ONLY auth_permission WHERE id = OLD.permission_id));
    END IF;
    RETURN NULL;
END $$;
CREATE CONSTRAINT TRIGGER case_user_permissions_has_audit_event
    AFTER INSERT OR UPDATE OR DELETE ON case_user_permissions
    DEFERRABLE INITIALLY DEFERRED
    FOR EACH ROW EXECUTE FUNCTION case_user_permissions_has_audit_event();
CREATE TRIGGER case_user_permissions_never_truncated BEFORE TRUNCATE ON case_user_permissions
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

CREATE FUNCTION audit_events_has_grant() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    before text;
BEGIN
    IF NEW.details ->> 'user' IS NULL OR NEW.details ->> 'permission' IS NULL THEN
        RAISE EXCEPTION 'audit event % of case %: whose access, and to do what?',
            NEW.sequence, NEW.case_id USING ERRCODE = 'restrict_violation';
    END IF;
    SELECT event_type INTO before FROM ONLY audit_events
     WHERE case_id = NEW.case_id AND sequence < NEW.sequence
       AND event_type IN ('CASE_ACCESS_GRANTED', 'CASE_ACCESS_REVOKED')
       AND details ->> 'user' = NEW.details ->> 'user'
       AND details ->> 'permission' = NEW.details ->> 'permission'
     ORDER BY sequence DESC LIMIT 1;
    IF coalesce(before, 'CASE_ACCESS_REVOKED') = NEW.event_type THEN
        RAISE EXCEPTION 'audit event % of case %: % has not changed what % may do',
            NEW.sequence, NEW.case_id, NEW.event_type, NEW.details ->> 'user'
            USING ERRCODE = 'restrict_violation';
    END IF;
    PERFORM check_access(NEW.case_id, NEW.details ->> 'user', NEW.details ->> 'permission');
    RETURN NULL;
END $$;
-- The condition is looked at as the row comes in: for every other event nothing is queued.
CREATE CONSTRAINT TRIGGER audit_events_has_grant AFTER INSERT ON audit_events
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW
    WHEN (NEW.event_type IN ('CASE_ACCESS_GRANTED', 'CASE_ACCESS_REVOKED'))
    EXECUTE FUNCTION audit_events_has_grant();

CREATE FUNCTION refuse_group_grant() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'a case is opened to users, never to groups'
        USING ERRCODE = 'restrict_violation';
END $$;
CREATE TRIGGER case_group_permissions_stays_empty
    BEFORE INSERT OR UPDATE ON case_group_permissions
    FOR EACH ROW EXECUTE FUNCTION refuse_group_grant();

CREATE FUNCTION refuse_rename() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    granted boolean;
BEGIN
    -- Grants reference the row, and a change of its unique name waits for them and they for it.
    IF TG_TABLE_NAME = 'auth_user' THEN
        granted := EXISTS (SELECT FROM ONLY case_user_permissions WHERE user_id = OLD.id);
    ELSE
        granted := EXISTS (SELECT FROM ONLY case_user_permissions WHERE permission_id = OLD.id);
    END IF;
    IF granted THEN
        RAISE EXCEPTION '% %: the trail says that access was granted under this name',
            TG_TABLE_NAME, OLD.id USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER auth_user_keeps_name BEFORE UPDATE ON auth_user FOR EACH ROW
    WHEN (OLD.id <> NEW.id OR OLD.username <> NEW.username) EXECUTE FUNCTION refuse_rename();
CREATE TRIGGER auth_permission_keeps_name BEFORE UPDATE ON auth_permission FOR EACH ROW
    WHEN (OLD.id <> NEW.id OR OLD.codename <> NEW.codename) EXECUTE FUNCTION refuse_rename();

-- For a superuser's session with session_replication_role = replica as well.
ALTER TABLE case_user_permissions ENABLE ALWAYS TRIGGER case_user_permissions_has_audit_event;
ALTER TABLE case_user_permissions ENABLE ALWAYS TRIGGER case_user_permissions_never_truncated;
ALTER TABLE audit_events ENABLE ALWAYS TRIGGER audit_events_has_grant;
ALTER TABLE case_group_permissions ENABLE ALWAYS TRIGGER case_group_permissions_stays_empty;
ALTER TABLE auth_user ENABLE ALWAYS TRIGGER auth_user_keeps_name;
ALTER TABLE auth_permission ENABLE ALWAYS TRIGGER auth_permission_keeps_name;

-- Nobody's temporary table may stand in for one of ours while a guard looks.
DO $$
DECLARE guard text;
BEGIN
    FOREACH guard IN ARRAY ARRAY['check_access(text, text, text)',
                                 'case_user_permissions_has_audit_event()',
                                 'audit_events_has_grant()', 'refuse_rename()',
                                 'refuse_group_grant()'] LOOP
        EXECUTE format('ALTER FUNCTION %s SET search_path = %I, pg_temp', guard,
                       current_schema());
    END LOOP;
END $$;

-- What the trail does not know could not be revoked any more: it is told now, not then.
DO $$
DECLARE held record;
BEGIN
    IF EXISTS (SELECT FROM ONLY case_group_permissions) THEN
        RAISE EXCEPTION 'case_group_permissions holds rows, which open cases past the trail';
    END IF;
    FOR held IN SELECT access.case_id, account.username, permission.codename
                  FROM ONLY case_user_permissions AS access
                  JOIN ONLY auth_user AS account ON account.id = access.user_id
                  JOIN ONLY auth_permission AS permission
                    ON permission.id = access.permission_id LOOP
        PERFORM check_access(held.case_id, held.username, held.codename);
    END LOOP;
END $$;
"""

BACKWARDS = """
-- What waits for the end of the transaction would keep the tables from being altered.
SET CONSTRAINTS ALL IMMEDIATE;
DROP TRIGGER auth_permission_keeps_name ON auth_permission;
DROP TRIGGER auth_user_keeps_name ON auth_user;
DROP TRIGGER case_group_permissions_stays_empty ON case_group_permissions;
DROP TRIGGER audit_events_has_grant ON audit_events;
DROP TRIGGER case_user_permissions_never_truncated ON case_user_permissions;
DROP TRIGGER case_user_permissions_has_audit_event ON case_user_permissions;
DROP FUNCTION refuse_rename();
DROP FUNCTION refuse_group_grant();
DROP FUNCTION audit_events_has_grant();
DROP FUNCTION case_user_permissions_has_audit_event();
DROP FUNCTION check_access(text, text, text);
"""


class Migration(migrations.Migration):
    dependencies = [
        ("audit", "0002_guards"),
        ("auth", "0012_alter_user_first_name_max_length"),
    ]

    operations = [migrations.RunSQL(FORWARDS, BACKWARDS)]
