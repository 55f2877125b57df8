"""Cheating with SQL, as the owner of the tables: each attempt is refused and changes nothing."""

from __future__ import annotations

import pytest
from django.db import IntegrityError, connection
from django.db.transaction import atomic

from cases import services
from tests.cast import WRITER
from tests.factories import CaseFactory

STATUSES = ("DRAFT", "SUBMITTED", "UNDER_REVIEW", "ESCALATED", "CLOSED")
NOBODYS = "00000000-0000-7000-8000-000000000000"
NEXT = "version = version + 1"
# An audit row as raw SQL would forge it; {…} are the sequence, the type and the details.
FORGED = (
    "INSERT INTO audit_events SELECT gen_random_uuid(), '{id}', {sequence}, 'mallory', '{type}',"
    " now(), now(), '', '{details}', sha256('x'), sha256('made'), sha256('up')"
)
NOTE = "INSERT INTO case_notes VALUES (gen_random_uuid(), {sequence}, 'm', 'x', now(), '{id}')"


def forged(sequence: int, kind: str = "CASE_UPDATED", details: str = "{{}}", case: str = "") -> str:
    return FORGED.replace("{sequence}", str(sequence)).replace("{type}", kind).replace(
        "{details}", details
    ).replace("{id}", case or "{DRAFT}")  # fmt: skip


def on(status: str, change: str) -> str:
    return f"UPDATE cases SET {NEXT}, {change} WHERE id = '{{{status}}}'"


FROZEN = ["title = 'y'", "description = 'y'", "received_at = now()", "category = 'y'",
          "subject = 'y'", "external_reference = 'y'", "source = 'y'", "priority = 'LOW'",
          "submitted_at = now()", "submitted_by = 'mallory'"]  # fmt: skip
CLOSED = ["assigned_reviewer_id = 'm'", "restricted = true", "closed_at = now()",
          "due_at = now()", "overdue_at = now()", "paused_at = now()"]  # fmt: skip
NEW = (
    "INSERT INTO cases (title, description, received_at, category, subject, external_reference,"
    " source, priority, restricted, status, version, created_by, created_at, updated_at,"
    " {columns}due_at) VALUES ('x', '', now(), '', '', '', '', 'NORMAL', {restricted},"
    " '{status}', {version}, 'mallory', now(), now(), {values}NULL)"
)


def new(status="DRAFT", version=0, restricted="false", columns="", values="") -> str:
    return NEW.format(status=status, version=version, restricted=restricted, columns=columns,
                      values=values)  # fmt: skip


UPSERT = "INSERT INTO # SELECT * FROM # LIMIT 1 ON CONFLICT (id)"

ATTEMPTS = {
    "an-heir-stands-in-for-the-trail": [
        "CREATE TEMP TABLE heir () INHERITS (audit_events) ON COMMIT DROP",
        ("INSERT INTO heir SELECT gen_random_uuid(), case_id, sequence + 1, actor_id, event_type,"
        " occurred_at, recorded_at, request_id, '{{}}', content_hash, previous_hash, hash"
        " FROM ONLY audit_events WHERE case_id = '{DRAFT}' ORDER BY sequence DESC LIMIT 1"),
        on("DRAFT", "due_at = now()"),
    ],
    "an-heir-stands-in-for-the-case": [
        "CREATE TEMP TABLE heir () INHERITS (cases) ON COMMIT DROP",
        "INSERT INTO heir SELECT * FROM ONLY cases WHERE id = '{DRAFT}'",
        "UPDATE heir SET version = version + 1",
        forged(1),
    ],
    "a-parent-deletes-the-trail": [
        "CREATE TABLE parent (LIKE audit_events)",
        "ALTER TABLE audit_events INHERIT parent",
        "DELETE FROM parent",
    ],
    "a-parent-rewrites-the-notes": [
        "CREATE TABLE parent (LIKE case_notes)",
        "ALTER TABLE case_notes INHERIT parent",
        "UPDATE parent SET body = 'x'",
    ],
    "a-parent-deletes-cases": [
        "CREATE TABLE parent (LIKE cases)",
        "ALTER TABLE cases INHERIT parent",
        "DELETE FROM parent",
    ],
    "an-event-that-tells-of-another-change": [
        on("SUBMITTED", "status = 'UNDER_REVIEW', assigned_reviewer_id = 'm'"),
        forged(2, "CASE_UPDATED", case="{SUBMITTED}"),
    ],
    "as-a-replica": ["SET LOCAL session_replication_role = replica",
                     "UPDATE audit_events SET actor_id = 'mallory'"],
    "as-a-replica-without-audit": ["SET LOCAL session_replication_role = replica",
                                   on("DRAFT", "title = 'y'")],
    "status-jumps": [on("DRAFT", "status = 'CLOSED', closed_at = now()"), forged(1)],
    "status-goes-back": [on("UNDER_REVIEW", "status = 'SUBMITTED'")],
    "status-unknown": [on("SUBMITTED", "status = 'ARCHIVED'")],
    "closed-is-reopened": [on("CLOSED", "status = 'UNDER_REVIEW', closed_at = NULL")],
    "version-unchanged": ["UPDATE cases SET title = 'y' WHERE id = '{DRAFT}'"],
    "version-skips": ["UPDATE cases SET version = version + 2 WHERE id = '{DRAFT}'"],
    "version-falls": ["UPDATE cases SET version = version - 1 WHERE id = '{SUBMITTED}'"],
    "nothing-is-a-change-too": ["UPDATE cases SET id = id WHERE id = '{DRAFT}'"],
    "changed-without-audit-row": [on("DRAFT", "title = 'y'")],
    "changed-twice-with-one-audit-row": [on("DRAFT", "title = 'y'"), on("DRAFT", "title = 'z'"),
                                         forged(1)],
    "audit-row-of-another-case": [on("DRAFT", "title = 'y'"),
                                  forged(2, case="{SUBMITTED}")],
    "id-changes": [on("DRAFT", "id = 'CASE-900000'")],
    "author-changes": [on("DRAFT", "created_by = 'mallory'")],
    "birthday-changes": [on("DRAFT", "created_at = now()")],
    "upsert": [UPSERT.replace("#", "cases") + " DO UPDATE SET title = 'y'"],
    "inserted-without-audit-row": [new()],
    "inserted-as-submitted": [new("SUBMITTED", 0, "false", "submitted_at, submitted_by, ",
                                  "now(), 'mallory', ")],
    "inserted-as-closed": [new("CLOSED", 0, "false", "closed_at, ", "now(), ")],
    "inserted-with-a-version": [new(version=3)],
    "inserted-restricted": [new(restricted="true")],
    "inserted-assigned": [new(columns="assigned_reviewer_id, ", values="'mallory', ")],
    "inserted-overdue": [new(columns="overdue_at, ", values="now(), ")],
    "inserted-paused": [new(columns="paused_at, ", values="now(), ")],
    "inserted-with-an-odd-id": [new(columns="id, ", values="'CASE-1', ")],
    "case-deleted": ["DELETE FROM cases WHERE id = '{DRAFT}'"],
    "no-case-deleted": ["DELETE FROM cases WHERE false"],
    "audit-updated": ["UPDATE audit_events SET actor_id = 'mallory'"],
    "audit-deleted": ["DELETE FROM audit_events WHERE case_id = '{DRAFT}'"],
    "audit-upserted": [UPSERT.replace("#", "audit_events") + " DO UPDATE SET actor_id = 'm'"],
    "notes-upserted": [UPSERT.replace("#", "case_notes") + " DO UPDATE SET body = 'y'"],
    "notes-updated": ["UPDATE case_notes SET body = 'y'"],
    "notes-deleted": ["DELETE FROM case_notes"],
    "note-without-audit-row": [on("DRAFT", "updated_at = now()"),
                               NOTE.format(sequence=1, id="{DRAFT}"), forged(1)],
    "note-on-an-event-that-is-none-of-its-own": [NOTE.format(sequence=1, id="{SUBMITTED}")],
    "note-event-without-note": [on("DRAFT", "updated_at = now()"), forged(1, "CASE_NOTE_ADDED")],
    "note-event-with-another-note-s-id": [on("DRAFT", "updated_at = now()"), forged(
        1, "CASE_NOTE_ADDED", '{{"note_id": "' + NOBODYS + '"}}')],
    "audit-row-without-a-change": [forged(1)],
    "audit-row-with-a-gap": [on("DRAFT", "title = 'y'"), forged(2)],
    "audit-row-twice": [on("DRAFT", "title = 'y'"), forged(0)],
    "audit-row-of-no-case": [forged(0, case="CASE-999999999")],
    "audit-row-of-no-case-with-a-gap": [forged(5, case="CASE-999999999")],
    "priority-unknown": [on("DRAFT", "priority = 'SOON'"), forged(1)],
    "submitted-by-nobody": [on("DRAFT", "status = 'SUBMITTED'"), forged(1)],
    "reviewed-by-nobody": [on("SUBMITTED", "status = 'UNDER_REVIEW'"), forged(2)],
    "reviewer-taken-away": [on("UNDER_REVIEW", "assigned_reviewer_id = NULL"), forged(3)],
    "closed-at-no-time": [on("UNDER_REVIEW", "status = 'CLOSED'"), forged(3)],
    "open-with-a-closing-time": [on("UNDER_REVIEW", "closed_at = now()"), forged(3)],
    **{f"submitted-is-frozen-{change.split()[0]}": [on("SUBMITTED", change), forged(
        2, case="{SUBMITTED}")] for change in FROZEN},
    **{f"closed-is-frozen-{change.split()[0]}": [on("CLOSED", change), forged(
        4, case="{CLOSED}")] for change in CLOSED},
}  # fmt: skip


@pytest.fixture
def names(committed: None) -> dict[str, str]:
    """Return the ids of a case in each status; a further case has a note."""
    cases = {status: CaseFactory(status=status).id for status in STATUSES}
    noted = CaseFactory()
    services.add_note(case_id=noted.id, body="Called", actor=WRITER)
    return cases


def run(statements: list[str], names: dict[str, str]) -> None:
    """Run the statements as one transaction and commit."""
    with atomic(), connection.cursor() as cursor:
        for statement in statements:
            cursor.execute(statement.format(**names))


@pytest.mark.parametrize("statements", ATTEMPTS.values(), ids=ATTEMPTS.keys())
def test_sql_cannot_get_round_the_lifecycle_or_the_trail(statements, names, everything) -> None:
    before = everything()

    with pytest.raises(IntegrityError):
        run(statements, names)

    assert everything() == before


def test_the_same_statements_pass_when_they_tell_the_truth(names, everything) -> None:
    """The forgeries above fail for what they lie about, not for how they are written."""
    before = everything()

    run([on("DRAFT", "title = 'y'"), forged(1)], names)

    after = everything()
    assert len(after["audit_events"]) == len(before["audit_events"]) + 1
    assert after["cases"] != before["cases"]


def test_a_made_up_hash_is_overwritten_and_the_chain_links(names) -> None:
    run([on("DRAFT", "title = 'y'"), forged(1)], names)

    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT a.previous_hash = b.hash, a.hash = sha256(b.hash || a.content_hash),"
            " b.previous_hash = decode(repeat('00', 32), 'hex')"
            " FROM audit_events a JOIN audit_events b USING (case_id)"
            " WHERE case_id = %s AND a.sequence = 1 AND b.sequence = 0",
            [names["DRAFT"]],
        )
        assert cursor.fetchall() == [(True, True, True)]


@pytest.mark.parametrize("table", ["cases", "case_notes", "audit_events"])
def test_no_table_of_record_is_emptied(table: str, names, everything) -> None:
    before = everything()

    with pytest.raises(IntegrityError, match="TRUNCATE"), atomic(), connection.cursor() as cursor:
        # The test session sleeps this one guard to sweep up; here it stands as in production.
        cursor.execute(f"ALTER TABLE {table} ENABLE ALWAYS TRIGGER {table}_never_truncated")
        cursor.execute(f"TRUNCATE {table} CASCADE")

    assert everything() == before


@pytest.mark.parametrize("stand_in", ["audit_events", "cases", "case_notes"])
def test_a_temporary_table_cannot_stand_in_for_ours(stand_in: str, names, everything) -> None:
    before = everything()
    impostor = f"CREATE TEMP TABLE {stand_in} ON COMMIT DROP AS TABLE public.{stand_in}"
    lie = {
        "audit_events": ["UPDATE public.cases SET version = 1 WHERE id = '{DRAFT}'", forged(1)],
        "cases": ["UPDATE cases SET version = 1 WHERE id = '{DRAFT}'", forged(1)],
        "case_notes": [
            on("DRAFT", "updated_at = now()"),
            "INSERT INTO case_notes (id, sequence, case_id) VALUES ('"
            + NOBODYS
            + "', 1, '{DRAFT}')",
            forged(1, "CASE_NOTE_ADDED", '{{"note_id": "' + NOBODYS + '"}}'),
        ],
    }[stand_in]

    with pytest.raises(IntegrityError):
        run([impostor, *lie], names)

    assert everything() == before


def test_asking_for_the_checks_early_makes_them_come_early_and_no_weaker(names, everything) -> None:
    before = everything()

    with pytest.raises(IntegrityError, match="no audit event"):
        run(["SET CONSTRAINTS ALL IMMEDIATE", on("DRAFT", "title = 'y'"), forged(1)], names)

    assert everything() == before
