"""What the service's own role cannot do to its database, refused by right and not by trigger."""

from __future__ import annotations

from collections.abc import Iterator

import psycopg
import pytest
from psycopg.errors import InsufficientPrivilege, ReadOnlySqlTransaction, RestrictViolation

from audit.checks import GUARDS
from cases import services
from config.database_role import STAYS, check_role
from tests.cast import WRITER
from tests.factories import UserFactory
from tests.security.roles import Roles, database_with_roles, transactional_db  # noqa: F401 (a fixture)

NOWHERE = ("TRUNCATE", "TRIGGER", "REFERENCES")
EVERYWHERE = ("SELECT", "INSERT", "UPDATE", "DELETE")


@pytest.fixture(scope="module")
def roles(transactional_db, django_db_blocker) -> Iterator[Roles]:  # noqa: F811
    with django_db_blocker.unblock(), database_with_roles("roles", empty=False) as made:
        with made.django_as(made.app):
            UserFactory(username="grace")
            case = services.create_case(fields={"title": "Late"}, actor=WRITER)
            services.add_note(case_id=case.id, body="Called.", actor=WRITER)
        yield made


def tables(roles: Roles) -> list[str]:
    with psycopg.connect(roles.url) as session:
        return [
            name
            for (name,) in session.execute(
                "SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace"
                " AND relkind IN ('r', 'p') ORDER BY 1"
            )
        ]


ATTEMPTS = [
    # Guards
    "ALTER TABLE audit_events DISABLE TRIGGER ALL",
    "ALTER TABLE audit_events DISABLE TRIGGER audit_events_append_only",
    "DROP TRIGGER audit_events_append_only ON audit_events",
    "CREATE TRIGGER mine BEFORE INSERT ON cases FOR EACH ROW EXECUTE FUNCTION refuse_change()",
    "CREATE RULE mine AS ON INSERT TO audit_events DO INSTEAD NOTHING",
    "UPDATE pg_trigger SET tgenabled = 'D'",
    "SET session_replication_role = replica",
    "SELECT set_config('session_replication_role', 'replica', false)",
    (
        "CREATE OR REPLACE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS"
        " $$BEGIN RETURN NEW; END$$"
    ),
    "ALTER FUNCTION refuse_change() RESET ALL",
    "DROP FUNCTION refuse_change() CASCADE",
    # Tables
    "ALTER TABLE cases ADD COLUMN mine text",
    "ALTER TABLE cases DROP CONSTRAINT cases_status_known",
    "ALTER TABLE audit_events RENAME TO gone",
    "ALTER TABLE audit_events INHERIT cases",
    "DROP TABLE audit_events CASCADE",
    "DROP INDEX case_words_document",
    "ALTER SEQUENCE case_number RESTART",
    "SELECT setval('case_number', 1)",
    "BEGIN; LOCK TABLE audit_events IN ACCESS EXCLUSIVE MODE",
    "INSERT INTO django_migrations (app, name, applied) VALUES ('cases', 'mine', now())",
    # What could stand in for something
    "CREATE TABLE mine ()",
    "CREATE TEMPORARY TABLE audit_events (case_id text)",
    "CREATE TEMPORARY TABLE heir () INHERITS (audit_events)",
    "CREATE FUNCTION mine() RETURNS int LANGUAGE sql AS 'SELECT 1'",
    "CREATE FUNCTION pg_temp.sha256(bytea) RETURNS bytea LANGUAGE sql AS 'SELECT $1'",
    "CREATE VIEW mine AS SELECT 1",
    "CREATE SCHEMA mine",
    # Whom it could become, and what lies beside the database
    'SET ROLE "{owner}"',
    'SET SESSION AUTHORIZATION "{owner}"',
    'ALTER ROLE "{app}" SUPERUSER',
    "CREATE ROLE mine",
    'GRANT "{owner}" TO "{app}"',
    "ALTER DATABASE {database} SET session_replication_role = replica",
    "COPY cases FROM '/etc/passwd'",
    "COPY cases TO PROGRAM 'cat'",
    "SELECT pg_read_file('postgresql.conf')",
]


@pytest.mark.parametrize("statement", ATTEMPTS)
def test_the_service_has_no_right_to(roles, statement):
    database = roles.url.split("/")[-1].split("?")[0]
    sent = statement.format(owner=roles.owner, app=roles.app, database=f'"{database}"')

    with roles.session(roles.app) as session, pytest.raises(InsufficientPrivilege):
        session.execute(sent)


CHANGES = {
    "UPDATE": "UPDATE {table} SET {column} = {column}",
    "DELETE": "DELETE FROM {table}",
    "TRUNCATE": "TRUNCATE {table} CASCADE",
}


@pytest.mark.parametrize(
    ("table", "verb"),
    [
        (table, verb)
        for table, verbs in STAYS.items()
        for verb in (*verbs, "TRUNCATE")
        if verb in CHANGES
    ],
)
def test_the_service_has_no_right_to_change_what_stays(roles, table, verb):
    with psycopg.connect(roles.url) as session:
        (column,) = session.execute(
            "SELECT attname FROM pg_attribute WHERE attrelid = %s::regclass AND attnum = 1",
            [table],
        ).fetchone()
    statement = CHANGES[verb].format(table=table, column=column)

    with roles.session(roles.app) as session, pytest.raises(InsufficientPrivilege):
        session.execute(statement)


def test_the_service_has_exactly_the_rights_that_it_needs_on_each_table(roles):
    with roles.session(roles.app) as session:
        given = {
            table: {
                right
                for right in (*EVERYWHERE, *NOWHERE)
                if session.execute("SELECT has_table_privilege(%s, %s)", [table, right]).fetchone()
                == (True,)
            }
            for table in tables(roles)
        }

    assert given == {table: {*EVERYWHERE} - {*STAYS.get(table, ())} for table in given}
    assert {*STAYS} <= {*given}


def test_each_table_that_triggers_keep_is_kept_by_right_too():
    kept = {table for table, guard in GUARDS if guard.endswith("_append_only")}
    undeletable = {table for table, guard in GUARDS if guard.endswith("_never_deleted")}

    assert kept
    assert kept == {table for table, verbs in STAYS.items() if verbs == ("UPDATE", "DELETE")}
    assert all("DELETE" in STAYS[table] for table in undeletable)


def test_even_the_owner_meets_the_guards(roles):
    with roles.session(roles.owner) as session, pytest.raises(RestrictViolation):
        session.execute("DELETE FROM audit_events")


def test_what_the_next_migration_makes_is_the_services_at_once(roles):
    with roles.session(roles.owner) as session:
        session.execute("CREATE TABLE newer (id bigserial PRIMARY KEY)")
    try:
        with roles.session(roles.app) as session:
            session.execute("INSERT INTO newer DEFAULT VALUES")
            session.execute("DELETE FROM newer")
        with roles.session(roles.reader) as session, pytest.raises(InsufficientPrivilege):
            session.execute("SELECT FROM newer")
    finally:
        with roles.session(roles.owner) as session:
            session.execute("DROP TABLE newer")


@pytest.mark.parametrize(
    "table",
    ["cases", "case_notes", "case_words", "audit_events", "audit_anchors", "outbox_events",
     "case_user_permissions", "auth_group", "sla_targets", "django_migrations"],
)  # fmt: skip
def test_reports_read_what_the_office_works_with(roles, table):
    with roles.session(roles.reader) as session:
        session.execute(f"SELECT * FROM {table}")
        session.execute("SELECT id, username, is_active FROM auth_user")


@pytest.mark.parametrize(
    "secret",
    ["SELECT password FROM auth_user", "SELECT * FROM api_tokens", "SELECT * FROM django_session",
     "SELECT * FROM idempotency_keys", "SELECT * FROM uploaded_register_parts",
     "SELECT * FROM linked_identities", "SELECT * FROM axes_accessattempt"],
)  # fmt: skip
def test_reports_read_no_secret(roles, secret):
    with roles.session(roles.reader) as session, pytest.raises(InsufficientPrivilege):
        session.execute(secret)


def test_reports_write_nothing_whatever_they_set(roles):
    with roles.session(roles.reader) as session:
        with pytest.raises(ReadOnlySqlTransaction):
            session.execute("DELETE FROM outbox_events")
        session.execute("SET default_transaction_read_only = off")
        for statement in ("DELETE FROM outbox_events", "SELECT nextval('case_number')"):
            with pytest.raises(InsufficientPrivilege):
                session.execute(statement)


# --- The check ------------------------------------------------------------------------------------


def excesses(roles: Roles, role: str) -> list[str]:
    with roles.django_as(role):
        found = check_role(databases=["default"])
    assert {message.id for message in found} <= {"config.W002"}
    return [message.msg.removeprefix("The database role of 'default' ") for message in found]


@pytest.fixture
def loosened(roles, django_db_blocker) -> Iterator[Roles]:
    """The same, and afterwards as strict as before."""
    with django_db_blocker.unblock():
        yield roles
    roles.apply()


def test_the_check_has_nothing_to_say_of_the_services_role(loosened):
    assert excesses(loosened, loosened.app) == []


def test_the_check_warns_of_an_owner_and_of_who_can_become_one(loosened):
    sentence = "owns tables, account_notices among them: it can switch their guards off."

    assert excesses(loosened, loosened.owner) == [sentence]
    with psycopg.connect(loosened.url, autocommit=True) as session:
        session.execute(f'GRANT "{loosened.owner}" TO "{loosened.app}"')
        assert excesses(loosened, loosened.app) == [sentence]
        session.execute(f'REVOKE "{loosened.owner}" FROM "{loosened.app}"')


@pytest.mark.parametrize(
    ("change", "back", "sentence"),
    [
        ("ALTER ROLE {app} SUPERUSER", "ALTER ROLE {app} NOSUPERUSER",
         "is a superuser: no guard holds against it."),
        ("ALTER ROLE {app} CREATEROLE", "ALTER ROLE {app} NOCREATEROLE",
         "has BYPASSRLS, CREATEROLE, CREATEDB or REPLICATION."),
        ("GRANT SET ON PARAMETER session_replication_role TO {app}",
         "REVOKE SET ON PARAMETER session_replication_role FROM {app}",
         "may set session_replication_role."),
        ("GRANT UPDATE, TRUNCATE ON audit_events TO {app}", "",
         "may TRUNCATE, UPDATE on audit_events."),
        ("GRANT ALL ON case_notes TO PUBLIC", "",
         "may DELETE, REFERENCES, TRIGGER, TRUNCATE, UPDATE on case_notes."),
        ("GRANT TEMPORARY ON DATABASE {database} TO PUBLIC", "",
         "may create tables, temporary ones or schemas."),
        ("GRANT CREATE ON SCHEMA public TO PUBLIC", "",
         "may create tables, temporary ones or schemas."),
    ],
)  # fmt: skip
def test_the_check_names_what_the_role_may_too_much(loosened, change, back, sentence):
    database = '"' + loosened.url.split("/")[-1].split("?")[0] + '"'
    names = {"app": f'"{loosened.app}"', "database": database}
    with psycopg.connect(loosened.url, autocommit=True) as session:
        session.execute(change.format(**names))
        try:
            assert excesses(loosened, loosened.app) == [sentence]
        finally:
            if back:
                session.execute(back.format(**names))

    loosened.apply()
    assert excesses(loosened, loosened.app) == []
