-- Three roles instead of one: who owns the tables, who works with them, who only reads.
--
--   psql -d cases -f config/postgresql/roles.sql
--   psql -d cases -v owner=cases_owner -v app=cases_app -v reader=cases_reader -f …
--
-- Run it as a superuser (or as who may create roles and owns what is there): before the first
-- migration, and again after each upgrade. It says nothing new where nothing is. How to use it:
-- docs/how-to/separate-database-roles.md. Passwords are yours to set.

\set ON_ERROR_STOP on
\set QUIET on
\if :{?owner} \else \set owner cases_owner \endif
\if :{?app} \else \set app cases_app \endif
\if :{?reader} \else \set reader cases_reader \endif

BEGIN;
SET LOCAL client_min_messages = warning;
-- Whoever waits for a table lets all others wait behind it.
SET LOCAL lock_timeout = '5s';

SELECT format('CREATE ROLE %I LOGIN', name)
  FROM unnest(ARRAY[:'owner', :'app', :'reader']) AS name
 WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = name) \gexec

-- --- The database and its schema: nobody has anything that is not given here -----------------------
-- Who owns them can drop what is in them, and give itself what is taken below.
SELECT format('ALTER DATABASE %I OWNER TO %I', datname, :'owner')
  FROM pg_database
 WHERE datname = :'DBNAME' AND pg_get_userbyid(datdba) IN (:'app', :'reader') \gexec
SELECT format('ALTER SCHEMA public OWNER TO %I', :'owner')
  FROM pg_namespace
 WHERE nspname = 'public' AND pg_get_userbyid(nspowner) IN (:'app', :'reader') \gexec
REVOKE ALL ON DATABASE :"DBNAME" FROM PUBLIC, :"owner", :"app", :"reader";
GRANT CONNECT ON DATABASE :"DBNAME" TO :"owner", :"app", :"reader";
REVOKE ALL ON SCHEMA public FROM PUBLIC, :"app", :"reader";
GRANT USAGE, CREATE ON SCHEMA public TO :"owner";
GRANT USAGE ON SCHEMA public TO :"app", :"reader";

-- --- What is there belongs to the owner, whoever has made it; extensions keep what is theirs -------
SELECT format('ALTER %s %s OWNER TO %I',
              CASE relkind WHEN 'S' THEN 'SEQUENCE' WHEN 'v' THEN 'VIEW'
                           WHEN 'm' THEN 'MATERIALIZED VIEW' ELSE 'TABLE' END,
              c.oid::regclass, :'owner')
  FROM pg_class c
 WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p', 'v', 'm', 'S')
   AND pg_get_userbyid(relowner) <> :'owner'
   -- The sequence of a column goes along with its table.
   AND NOT (relkind = 'S' AND EXISTS (SELECT FROM pg_depend d WHERE d.objid = c.oid
                                         AND d.classid = 'pg_class'::regclass
                                         AND d.deptype IN ('a', 'i')))
   AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.objid = c.oid
                      AND d.classid = 'pg_class'::regclass AND d.deptype = 'e') \gexec
SELECT format('ALTER ROUTINE %s OWNER TO %I', oid::regprocedure, :'owner')
  FROM pg_proc p
 WHERE pronamespace = 'public'::regnamespace AND pg_get_userbyid(proowner) <> :'owner'
   AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.objid = p.oid
                      AND d.classid = 'pg_proc'::regclass AND d.deptype = 'e') \gexec

-- --- The service: reads and writes rows, and nothing else ------------------------------------------
REVOKE ALL ON ALL TABLES IN SCHEMA public FROM PUBLIC, :"app", :"reader";
REVOKE ALL ON ALL SEQUENCES IN SCHEMA public FROM PUBLIC, :"app", :"reader";
GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO :"app";
GRANT USAGE ON ALL SEQUENCES IN SCHEMA public TO :"app";
-- What later migrations make is the service's at once; what of it must stay is told below, by then.
ALTER DEFAULT PRIVILEGES FOR ROLE :"owner" IN SCHEMA public
    GRANT SELECT, INSERT, UPDATE, DELETE ON TABLES TO :"app";
ALTER DEFAULT PRIVILEGES FOR ROLE :"owner" IN SCHEMA public GRANT USAGE ON SEQUENCES TO :"app";

-- What stays as it was written; the triggers say so to the owner too. This table is compared with
-- config.database_role.STAYS, by which the service finds out what it may too much.
SELECT format('REVOKE %s ON %I FROM %I', taken, name, :'app')
  FROM (VALUES
            ('audit_events', 'UPDATE, DELETE'),
            ('audit_anchors', 'UPDATE, DELETE'),
            ('audit_anchor_heads', 'UPDATE, DELETE'),
            ('case_notes', 'UPDATE, DELETE'),
            ('cases', 'DELETE'),
            ('case_words', 'DELETE'),
            ('rights_version', 'INSERT, DELETE'),
            ('django_migrations', 'INSERT, UPDATE, DELETE')
       ) AS stays (name, taken)
 WHERE to_regclass(format('public.%I', name)) IS NOT NULL \gexec

-- --- Reports: what the office works with, and no secret of an account ------------------------------
SELECT format('GRANT SELECT %s ON %I TO %I', columns, name, :'reader')
  FROM (VALUES
            ('cases', ''), ('case_notes', ''), ('case_words', ''), ('sla_targets', ''),
            ('audit_events', ''), ('audit_anchors', ''), ('audit_anchor_heads', ''),
            ('outbox_events', ''), ('case_user_permissions', ''), ('rights_version', ''),
            ('auth_group', ''), ('auth_group_permissions', ''), ('auth_permission', ''),
            ('auth_user_groups', ''), ('auth_user_user_permissions', ''),
            ('django_content_type', ''), ('django_migrations', ''),
            ('auth_user', '(id, username, first_name, last_name, email, is_staff, is_superuser,
                            is_active, last_login, date_joined)')
       ) AS shown (name, columns)
 WHERE to_regclass(format('public.%I', name)) IS NOT NULL \gexec
ALTER ROLE :"reader" IN DATABASE :"DBNAME" SET default_transaction_read_only = on;

-- --- What PostgreSQL lets everybody do who is connected: only a superuser can take it --------------
-- Large objects are written past all rights on tables, and advisory locks fill a table of locks that
-- all share. Nothing here makes the first; the service takes turns by the second.
SELECT format('REVOKE EXECUTE ON FUNCTION %s FROM PUBLIC', oid::regprocedure)
  FROM pg_proc
 WHERE pronamespace = 'pg_catalog'::regnamespace
   AND (proname IN ('lo_creat', 'lo_create', 'lo_from_bytea')
        OR proname ~ '^pg_(try_)?advisory_(xact_)?lock')
   AND (SELECT rolsuper FROM pg_roles WHERE rolname = current_user) \gexec
SELECT format('GRANT EXECUTE ON FUNCTION %s TO %I, %I', oid::regprocedure, :'owner', :'app')
  FROM pg_proc
 WHERE pronamespace = 'pg_catalog'::regnamespace AND proname ~ '^pg_(try_)?advisory_(xact_)?lock'
   AND (SELECT rolsuper FROM pg_roles WHERE rolname = current_user) \gexec

COMMIT;
