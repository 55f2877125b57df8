"""A value that changes with everything that decides what an account may do.

Who remembers the rights of a caller names the value that they were read with; a statement that
compares it finds nothing once they are outdated (docs/decisions/0015-rights-remembered.md).

* Every change of an account's name and state, of groups, of permissions and of grants gives a new
  value, in the transaction of the change: both are seen at once, and by the same snapshot.
* Values are random: one that a lost or restored database had given away never comes again.
* Columns that are no right leave it alone: a log-in would otherwise end what is remembered of all.
"""

from django.db import migrations

FORWARDS = """
-- What waits for the end of the transaction would keep the tables from being altered.
SET CONSTRAINTS ALL IMMEDIATE;
SET CONSTRAINTS ALL DEFERRED;

CREATE TABLE rights_version (
    only_row boolean PRIMARY KEY DEFAULT true CHECK (only_row),
    value uuid NOT NULL DEFAULT gen_random_uuid()
);
INSERT INTO rights_version DEFAULT VALUES;

CREATE FUNCTION rights_changed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    UPDATE rights_version SET value = gen_random_uuid();
    RETURN NULL;
END $$;

DO $$
DECLARE
    changed text;
    facts text[];
BEGIN
    -- Of these every row is a right, whatever becomes of it.
    FOREACH changed IN ARRAY ARRAY['auth_user_groups', 'auth_group_permissions',
                                   'auth_user_user_permissions', 'case_user_permissions'] LOOP
        EXECUTE format('CREATE TRIGGER rights_changed
                        AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON %I
                        FOR EACH STATEMENT EXECUTE FUNCTION rights_changed()', changed);
        EXECUTE format('ALTER TABLE %I ENABLE ALWAYS TRIGGER rights_changed', changed);
    END LOOP;
    -- Of these some columns say who is meant or what is allowed; a new row says nothing yet.
    FOREACH facts SLICE 1 IN ARRAY ARRAY[
        ['auth_user', 'ROW(OLD.id, OLD.username, OLD.is_active, OLD.is_superuser)'],
        ['auth_group', 'ROW(OLD.id, OLD.name)'],
        ['auth_permission', 'ROW(OLD.id, OLD.codename, OLD.content_type_id)'],
        ['django_content_type', 'ROW(OLD.id, OLD.app_label)']] LOOP
        EXECUTE format('CREATE TRIGGER rights_changed AFTER UPDATE ON %I
                        FOR EACH ROW WHEN (%s IS DISTINCT FROM %s)
                        EXECUTE FUNCTION rights_changed()',
                       facts[1], facts[2], replace(facts[2], 'OLD.', 'NEW.'));
        EXECUTE format('CREATE TRIGGER rights_gone AFTER DELETE OR TRUNCATE ON %I
                        FOR EACH STATEMENT EXECUTE FUNCTION rights_changed()', facts[1]);
        EXECUTE format('ALTER TABLE %I ENABLE ALWAYS TRIGGER rights_changed', facts[1]);
        EXECUTE format('ALTER TABLE %I ENABLE ALWAYS TRIGGER rights_gone', facts[1]);
    END LOOP;
    -- Nobody's temporary table may stand in for it.
    EXECUTE format('ALTER FUNCTION rights_changed() SET search_path = %I, pg_temp',
                   current_schema());
END $$;
"""

BACKWARDS = """
DROP FUNCTION rights_changed() CASCADE;
DROP TABLE rights_version;
"""


class Migration(migrations.Migration):
    dependencies = [
        ("cases", "0007_idempotency_keys"),
        ("auth", "0012_alter_user_first_name_max_length"),
        ("contenttypes", "0002_remove_content_type_name"),
    ]

    operations = [migrations.RunSQL(FORWARDS, BACKWARDS)]
