"""Opening a case by SQL, past the trail: refused at commit; and a trail that lies of grants too."""

from __future__ import annotations

import json
import threading

import pytest
from django.contrib.auth.models import User
from django.db import IntegrityError, connection
from django.db.transaction import atomic
from psycopg import errors

from audit.models import AuditEvent
from cases import services
from cases.models import CaseUserPermission
from tests.cast import SUPERVISOR
from tests.factories import CaseFactory, UserFactory
from tests.integration.waiting import until_somebody_waits

# Norman was let in to {case} by the service; wanda was not, and {other} is open to nobody.
ROW = (
    "INSERT INTO case_user_permissions (case_id, user_id, permission_id)"
    " SELECT '{{{case}}}', u.id, p.id FROM auth_user u, auth_permission p"
    " WHERE u.username = '{user}' AND p.codename = '{permission}'"
)
EVENT = (
    "INSERT INTO audit_events SELECT gen_random_uuid(), id, version, 'mallory',"
    " 'CASE_ACCESS_{kind}', now(), now(), '', '{details}', sha256('x'), '', ''"
    " FROM cases WHERE id = '{{{case}}}'"
)
STEP = "UPDATE cases SET version = version + 1, updated_at = now() WHERE id = '{{{case}}}'"
GONE = "DELETE FROM case_user_permissions"


def row(user: str = "wanda", permission: str = "view_case", case: str = "case") -> str:
    return ROW.format(user=user, permission=permission, case=case)


def event(kind: str, user: str = "wanda", permission: str = "view_case", case: str = "case"):
    """Return the statements that raise the version and tell of it."""
    details = json.dumps({"user": user, "permission": permission})
    return told(kind, details, case)


def told(kind: str, details: str, case: str = "case") -> list[str]:
    escaped = details.replace("{", "{{").replace("}", "}}")
    return [STEP.format(case=case), EVENT.format(kind=kind, details=escaped, case=case)]


NAMESAKE = [
    "INSERT INTO django_content_type (app_label, model) VALUES ('mallory', 'made')",
    (
        "INSERT INTO auth_permission (name, codename, content_type_id) SELECT 'x', 'view_case', id"
        " FROM django_content_type WHERE app_label = 'mallory'"
    ),
]
ATTEMPTS = {
    "let-in-without-an-event": [row()],
    "let-in-with-an-event-for-another": [row(), *event("GRANTED", user="xaver")],
    "let-in-with-an-event-of-another-permission": [
        row(), *event("GRANTED", permission="add_note"),
    ],
    "let-in-with-an-event-of-another-case": [row(), *event("GRANTED", case="other")],
    "let-in-with-an-event-of-a-revocation": [row(), *event("REVOKED")],
    "let-in-as-a-replica": ["SET LOCAL session_replication_role = replica", row()],
    "let-in-by-a-permission-of-the-same-name": [
        *NAMESAKE, row("norman") + " AND p.name = 'x'",
    ],
    "put-out-without-an-event": [GONE],
    "put-out-as-a-replica": ["SET LOCAL session_replication_role = replica", GONE],
    "put-out-through-a-parent": [
        "CREATE TABLE parent (LIKE case_user_permissions)",
        "ALTER TABLE case_user_permissions INHERIT parent",
        "DELETE FROM parent",
    ],
    "handed-to-another-user": [
        ("UPDATE case_user_permissions SET user_id ="
        " (SELECT id FROM auth_user WHERE username = 'wanda')")
    ],
    "handed-to-another-user-and-told-of-one-half": [
        ("UPDATE case_user_permissions SET user_id ="
        " (SELECT id FROM auth_user WHERE username = 'wanda')"),
        *event("GRANTED"),
    ],
    "turned-into-another-permission": [
        ("UPDATE case_user_permissions SET permission_id ="
        " (SELECT id FROM auth_permission WHERE codename = 'close_case')")
    ],
    "moved-to-another-case": ["UPDATE case_user_permissions SET case_id = '{other}'"],
    "upserted": [
        row("norman") + " ON CONFLICT (user_id, permission_id, case_id)"
        " DO UPDATE SET case_id = '{other}'"
    ],
    "told-but-not-let-in": event("GRANTED"),
    "told-of-nobody": event("GRANTED", user="nobody-of-this-name"),
    "told-but-not-put-out": event("REVOKED", user="norman"),
    "told-of-a-second-grant": event("GRANTED", user="norman"),
    "told-of-a-revocation-of-nothing": event("REVOKED"),
    "told-twice-in-one-go": [row(), *event("GRANTED"), *event("GRANTED")],
    "told-of-no-user": told("GRANTED", '{"permission": "view_case"}'),
    "told-of-no-permission": told("REVOKED", '{"user": "norman"}'),
    "told-as-a-replica": [
        "SET LOCAL session_replication_role = replica",
        *event("GRANTED"),
    ],
    "an-heir-stands-in-for-the-trail": [
        "CREATE TEMP TABLE heir () INHERITS (audit_events) ON COMMIT DROP",
        row(),
        event("GRANTED")[1].replace("INTO audit_events", "INTO heir"),
    ],
    "an-heir-stands-in-for-the-grant": [
        "CREATE TEMP TABLE heir () INHERITS (case_user_permissions) ON COMMIT DROP",
        row().replace("INTO case_user_permissions (", "INTO heir (id, ").replace(
            "SELECT ", "SELECT 1, "),
        *event("GRANTED"),
    ],
    "a-temporary-table-stands-in-for-the-trail": [
        "CREATE TEMP TABLE audit_events ON COMMIT DROP AS TABLE public.audit_events",
        row(),
        event("GRANTED")[1],
    ],
    "a-temporary-table-stands-in-for-the-grants": [
        ("CREATE TEMP TABLE case_user_permissions ON COMMIT DROP AS"
        " TABLE public.case_user_permissions"),
        *(s.replace("INTO audit_events", "INTO public.audit_events") for s in event("GRANTED")),
        row().replace("(case_id", "(id, case_id").replace("SELECT ", "SELECT 1, "),
    ],
    "the-account-renamed": ["UPDATE auth_user SET username = 'norma' WHERE username = 'norman'"],
    "the-account-renamed-as-a-replica": [
        "SET LOCAL session_replication_role = replica",
        "UPDATE auth_user SET username = 'norma' WHERE username = 'norman'",
    ],
    "the-account-deleted": ["DELETE FROM auth_user WHERE username = 'norman'"],
    "the-permission-renamed": [
        "UPDATE auth_permission SET codename = 'peek' WHERE codename = 'view_case'"
    ],
    "a-group-let-in": [
        ("INSERT INTO case_group_permissions (case_id, group_id, permission_id)"
        " SELECT '{case}', g.id, p.id FROM auth_group g, auth_permission p LIMIT 1")
    ],
    "a-group-let-in-as-a-replica": [
        "SET LOCAL session_replication_role = replica",
        ("INSERT INTO case_group_permissions (case_id, group_id, permission_id)"
        " SELECT '{case}', g.id, p.id FROM auth_group g, auth_permission p LIMIT 1"),
    ],
}  # fmt: skip


@pytest.fixture
def names(committed: None) -> dict[str, str]:
    """Return the ids of a case that Norman was let in to, and of another one."""
    for username in ("norman", "wanda"):
        UserFactory(username=username, password="")
    case, other = CaseFactory(restricted=True), CaseFactory(restricted=True)
    let_in(case.id)
    return {"case": case.id, "other": other.id}


def let_in(case_id: str, user: str = "norman") -> None:
    services.grant_access(case_id=case_id, user=user, permission="view_case", actor=SUPERVISOR)


def put_out(case_id: str, user: str = "norman") -> None:
    services.revoke_access(case_id=case_id, user=user, permission="view_case", actor=SUPERVISOR)


def run(statements: list[str], names: dict[str, str]) -> None:
    """Run the statements as one transaction and commit."""
    with atomic(), connection.cursor() as cursor:
        for statement in statements:
            cursor.execute(statement.format(**names))


@pytest.mark.parametrize("statements", ATTEMPTS.values(), ids=ATTEMPTS.keys())
def test_sql_cannot_open_or_close_a_case_past_its_trail(statements, names, everything) -> None:
    before = everything()

    with pytest.raises(IntegrityError) as refusal:
        run(statements, names)

    assert type(refusal.value.__cause__) in (errors.RestrictViolation, errors.ForeignKeyViolation)
    assert everything() == before
    assert list(User.objects.order_by("username").values_list("username", flat=True)) == [
        "norman",
        "wanda",
    ]


def test_the_same_statements_pass_when_they_tell_the_truth(names) -> None:
    """What is refused above is refused for what it lies about, not for how it is written."""
    run([row(), *event("GRANTED")], names)
    run([*event("REVOKED", user="norman"), GONE + " WHERE user_id ="
         " (SELECT id FROM auth_user WHERE username = 'norman')"], names)  # fmt: skip

    assert [r.user.username for r in CaseUserPermission.objects.all()] == ["wanda"]


def test_access_is_granted_revoked_and_granted_again_in_one_transaction_or_in_many(names) -> None:
    with atomic():
        put_out(names["case"])
        let_in(names["case"])
        let_in(names["other"])
    put_out(names["other"])
    let_in(names["other"])

    assert CaseUserPermission.objects.count() == 2
    told = AuditEvent.objects.filter(event_type__startswith="CASE_ACCESS").count()
    assert told == 6


def test_the_grants_are_not_emptied(names, everything) -> None:
    before = everything()

    with pytest.raises(IntegrityError, match="TRUNCATE"), atomic(), connection.cursor() as cursor:
        # The test session sleeps this one guard to sweep up; here it stands as in production.
        cursor.execute(
            "ALTER TABLE case_user_permissions"
            " ENABLE ALWAYS TRIGGER case_user_permissions_never_truncated"
        )
        cursor.execute("TRUNCATE case_user_permissions")

    assert everything() == before


def test_an_account_with_a_grant_changes_in_everything_but_its_name(names) -> None:
    account = User.objects.get(username="norman")

    account.is_active, account.last_name, account.email = False, "Norton", "n@example.org"
    account.save()

    assert User.objects.get(username="norman").last_name == "Norton"


def test_an_account_without_a_grant_is_renamed_like_any_other(names) -> None:
    put_out(names["case"])

    User.objects.filter(username="norman").update(username="norma")
    let_in(names["case"], "norma")

    assert CaseUserPermission.objects.get().user.username == "norma"


def test_a_grant_and_a_new_name_at_the_same_moment_do_not_both_happen(names) -> None:
    renamed = threading.Event()

    def rename() -> None:
        try:
            with atomic():
                User.objects.filter(username="wanda").update(username="wilma")
                renamed.set()
                until_somebody_waits()
        finally:
            connection.close()

    other = threading.Thread(target=rename)
    other.start()
    assert renamed.wait(10)
    # It waits for the new name to be committed, and then finds that it told of the old one.
    with pytest.raises(IntegrityError, match=r"wilma|wanda"):
        let_in(names["case"], "wanda")
    other.join()

    assert CaseUserPermission.objects.count() == 1


def test_an_event_that_is_no_grant_does_not_pay_for_this_guard(names) -> None:
    """The guard's condition is looked at when the row comes in: nothing is queued for commit."""
    queued = {}
    for kind in ("ACCESS_GRANTED", "UPDATED"):
        step, insert = told(kind.removeprefix("ACCESS_"), '{"user": "x", "permission": "y"}')
        insert = insert.replace("CASE_ACCESS_UPDATED", "CASE_UPDATED")
        with pytest.raises(ZeroDivisionError), atomic(), connection.cursor() as cursor:
            cursor.execute("SET CONSTRAINTS ALL DEFERRED")
            cursor.execute(step.format(**names))
            cursor.execute(insert.format(**names))
            try:
                with atomic():  # runs now what waits for the commit
                    cursor.execute("SET CONSTRAINTS audit_events_has_grant IMMEDIATE")
                queued[kind] = "nothing"
            except IntegrityError:
                queued[kind] = "refused"
            raise ZeroDivisionError

    assert queued == {"ACCESS_GRANTED": "refused", "UPDATED": "nothing"}
