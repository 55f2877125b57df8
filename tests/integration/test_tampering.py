"""The drill: a superuser with all triggers off changes one thing, hundreds of times. Each is found.

What is changed is drawn from a seed that a failure shows; TAMPERING_SEED tries another one.
"""

from __future__ import annotations

import json
import os
import random
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Any, NamedTuple
from uuid import uuid4

import pytest
from django.db import connection, transaction

from audit import chain, merkle
from audit.anchors.heads import COVERED
from audit.anchors.making import make_anchor
from audit.anchors.statement import Head, Statement, read_anchor
from audit.models import AuditEvent
from audit.signed_note import SigningKey
from audit.verify.anchored import check_anchor
from audit.verify.findings import Report
from audit.verify.rows import check_rows
from cases import services
from cases.models import Case
from cases.replay import COLUMNS
from tests.cast import REVIEWER, SUPERVISOR
from tests.factories import CaseFactory
from tests.integration.test_replay import long_story  # noqa: F401 (a fixture)

SEED = int(os.environ.get("TAMPERING_SEED", "2026"))
MUTATIONS = 260
TABLES = ("cases", "case_notes", "audit_events", "case_user_permissions", "auth_user",
          "audit_anchors", "audit_anchor_heads")  # fmt: skip
EVENT_COLUMNS = ("id", "case_id", "sequence", "actor_id", "event_type", "occurred_at",
                 "recorded_at", "request_id", "details", "content_hash", "previous_hash",
                 "hash")  # fmt: skip
NOTE_COLUMNS = ("id", "case_id", "sequence", "author", "body", "created_at")


class Mutation(NamedTuple):
    what: str
    cases: frozenset[str]


@pytest.fixture
def office(committed: None, long_story: list[Case]) -> Statement:  # noqa: F811
    """Return the anchor of a small office: cases in all states, with notes and grants."""
    for status in ("DRAFT", "SUBMITTED", "UNDER_REVIEW", "ESCALATED", "CLOSED"):
        for restricted in (False, True):
            case = CaseFactory(status=status, restricted=restricted, description="Long ago")
            if status != "CLOSED":
                services.add_note(case_id=case.id, body=f"Note on {status}", actor=SUPERVISOR)
            for permission in ("view_case", "add_note"):
                services.grant_access(
                    case_id=case.id, user="henry", permission=permission, actor=SUPERVISOR
                )
    key = SigningKey.generate("office.example/audit")
    return read_anchor(make_anchor(key).note, key.public)


@contextmanager
def all_powerful() -> Iterator[Any]:
    """Switch every guard off for a transaction that is undone in the end; yield a cursor."""
    with transaction.atomic(), connection.cursor() as cursor:
        for table in TABLES:
            cursor.execute(f"ALTER TABLE {table} DISABLE TRIGGER ALL")
        cursor.execute("ALTER TABLE audit_events DROP CONSTRAINT audit_events_sequence")
        cursor.execute("ALTER TABLE case_notes DROP CONSTRAINT case_notes_case_sequence")
        cursor.execute(
            "SELECT conname FROM pg_constraint WHERE conrelid = 'cases'::regclass AND contype = 'c'"
        )
        for (name,) in cursor.fetchall():
            cursor.execute(f"ALTER TABLE cases DROP CONSTRAINT {name}")
        yield cursor
        transaction.set_rollback(True)


def verified() -> Report:
    return check_rows(connection.connection, "{key} >= ''", {})


def rows_of(cursor: Any, table: str, order: str) -> list[dict[str, Any]]:
    cursor.execute(f"SELECT t.ctid::text AS place, t.* FROM {table} t ORDER BY {order}")
    names = [column.name for column in cursor.description]
    return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]


def other(chance: random.Random, value: Any) -> Any:
    """Return a value of the same type that is another one, often only just."""
    if value is None:
        return "mallory"
    match value:
        case bool() | int():
            return not value if isinstance(value, bool) else value + chance.choice((1, 2, 100))
        case bytes() | memoryview():
            changed = bytearray(value)
            changed[chance.randrange(len(changed))] ^= 1 << chance.randrange(8)
            return bytes(changed)
        case str():
            return chance.choice((value + " ", value + "x", value.swapcase() + "X", f"é{value}"))
        case datetime():
            return value + chance.choice((timedelta(microseconds=1), timedelta(days=-1)))
    return uuid4()


class Attacker:
    """Makes one change a call; each method says what it did and to which cases."""

    def __init__(self, cursor: Any, chance: random.Random) -> None:
        self.cursor, self.chance = cursor, chance
        self.events = rows_of(cursor, "audit_events", "case_id, sequence")
        self.notes = rows_of(cursor, "case_notes", "case_id, sequence")
        self.cases = rows_of(cursor, "cases", "id")
        self.grants = rows_of(cursor, "case_user_permissions", "case_id, permission_id")

    def set(self, table: str, row: dict[str, Any], column: str, value: Any) -> None:
        self.cursor.execute(
            f"UPDATE {table} SET {column} = %s WHERE ctid = %s::tid", [value, row["place"]]
        )
        assert self.cursor.rowcount == 1

    def other_case(self, case_id: str) -> str:
        ids = [case["id"] for case in self.cases if case["id"] != case_id]
        return self.chance.choice([*ids, "CASE-999999"])

    def event_column(self) -> Mutation:
        row, column = self.chance.choice(self.events), self.chance.choice(EVENT_COLUMNS)
        touched = {row["case_id"]}
        if column == "details":
            new: Any = json.dumps(self.other_details(row["details"]))
        elif column == "case_id":
            new = self.other_case(row["case_id"])
            touched.add(new)
        elif column == "event_type":
            types = {event["event_type"] for event in self.events} - {row["event_type"]}
            new = self.chance.choice(sorted(types))
        else:
            new = other(self.chance, row[column])
        self.set("audit_events", row, column, new)
        return Mutation(f"{column} of an event: {row[column]!r} -> {new!r}", frozenset(touched))

    def other_details(self, details: Any) -> Any:
        changed = json.loads(details) if isinstance(details, str) else dict(details)
        name = self.chance.choice(sorted(changed))
        match self.chance.randrange(4):
            case 0:
                del changed[name]
            case 1:
                changed["added"] = None
            case 2:
                changed[name] = [changed[name]]
            case _:
                old = changed[name]
                changed[name] = "mallory" if isinstance(old, dict) else other(self.chance, old)
        return changed

    def event_emptied(self) -> Mutation:
        row = self.chance.choice(self.events)
        column = self.chance.choice([name for name in EVENT_COLUMNS if name != "id"])
        self.cursor.execute(f"ALTER TABLE audit_events ALTER {column} DROP NOT NULL")
        self.set("audit_events", row, column, None)
        return Mutation(f"{column} of an event emptied", frozenset({row["case_id"]}))

    def event_deleted(self) -> Mutation:
        row = self.chance.choice(self.events)
        self.cursor.execute("DELETE FROM audit_events WHERE ctid = %s::tid", [row["place"]])
        return Mutation(f"event {row['sequence']} deleted", frozenset({row["case_id"]}))

    def event_inserted(self) -> Mutation:
        row = self.chance.choice(self.events)
        number = self.chance.choice((row["sequence"], row["sequence"] + 1, 10_000))
        self.cursor.execute(
            "INSERT INTO audit_events SELECT gen_random_uuid(), case_id, %s, actor_id, event_type,"
            " occurred_at, recorded_at, request_id, details, content_hash, previous_hash, hash"
            " FROM audit_events WHERE ctid = %s::tid",
            [number, row["place"]],
        )
        return Mutation(f"event inserted as {number}", frozenset({row["case_id"]}))

    def events_swapped(self) -> Mutation:
        one = self.chance.choice([event for event in self.events if event["sequence"]])
        two = self.chance.choice([
            event for event in self.events
            if event["case_id"] == one["case_id"] and event["sequence"] != one["sequence"]
        ])  # fmt: skip
        self.set("audit_events", one, "sequence", two["sequence"])
        self.cursor.execute(
            "UPDATE audit_events SET sequence = %s WHERE id = %s", [one["sequence"], two["id"]]
        )
        return Mutation("two events swapped", frozenset({one["case_id"]}))

    def event_moved(self) -> Mutation:
        row = self.chance.choice(self.events)
        new = self.other_case(row["case_id"])
        self.cursor.execute(
            "UPDATE audit_events SET case_id = %s, sequence = (SELECT coalesce(max(sequence) + 1,"
            " 0) FROM audit_events WHERE case_id = %s) WHERE ctid = %s::tid",
            [new, new, row["place"]],
        )
        return Mutation("event moved to another case", frozenset({row["case_id"], new}))

    def case_column(self) -> Mutation:
        row, column = self.chance.choice(self.cases), self.chance.choice((*COLUMNS, "id"))
        new = self.other_case(row["id"]) if column == "id" else other(self.chance, row[column])
        if column == "id":
            new = "CASE-888888"
        elif column.endswith("_at") and row[column] is None:
            new = row["created_at"]
        elif column in ("status", "priority"):
            values = {case[column] for case in self.cases} - {row[column]}
            new = self.chance.choice(sorted(values)) if values else "LOW"
        self.set("cases", row, column, new)
        return Mutation(f"{column} of a case: {row[column]!r} -> {new!r}", frozenset({row["id"]}))

    def case_deleted(self) -> Mutation:
        row = self.chance.choice(self.cases)
        self.cursor.execute("DELETE FROM cases WHERE ctid = %s::tid", [row["place"]])
        return Mutation("a case deleted", frozenset({row["id"]}))

    def trail_deleted(self) -> Mutation:
        row = self.chance.choice(self.cases)
        self.cursor.execute("DELETE FROM audit_events WHERE case_id = %s", [row["id"]])
        return Mutation("a whole trail deleted", frozenset({row["id"]}))

    def note_column(self) -> Mutation:
        row, column = self.chance.choice(self.notes), self.chance.choice(NOTE_COLUMNS)
        new = self.other_case(row["case_id"]) if column == "case_id" else other(
            self.chance, row[column])  # fmt: skip
        self.set("case_notes", row, column, new)
        return Mutation(f"{column} of a note: {row[column]!r} -> {new!r}", frozenset(
            {row["case_id"]}))  # fmt: skip

    def note_deleted(self) -> Mutation:
        row = self.chance.choice(self.notes)
        self.cursor.execute("DELETE FROM case_notes WHERE ctid = %s::tid", [row["place"]])
        return Mutation("a note deleted", frozenset({row["case_id"]}))

    def note_inserted(self) -> Mutation:
        row = self.chance.choice(self.events)
        self.cursor.execute(
            "INSERT INTO case_notes (id, case_id, sequence, author, body, created_at)"
            " VALUES (gen_random_uuid(), %s, %s, 'mallory', 'It was like this', now())",
            [row["case_id"], row["sequence"]],
        )
        return Mutation("a note inserted", frozenset({row["case_id"]}))

    def grant_deleted(self) -> Mutation:
        row = self.chance.choice(self.grants)
        self.cursor.execute("DELETE FROM case_user_permissions WHERE id = %s", [row["id"]])
        return Mutation("a grant deleted", frozenset({row["case_id"]}))

    def grant_changed(self) -> Mutation:
        row = self.chance.choice(self.grants)
        column, new = self.chance.choice((
            ("user_id", row["user_id"] + 1_000), ("permission_id", row["permission_id"] + 1_000),
            ("case_id", self.other_case(row["case_id"])),
        ))  # fmt: skip
        if column == "case_id":
            held = {(g["case_id"], g["user_id"], g["permission_id"]) for g in self.grants}
            while (new, row["user_id"], row["permission_id"]) in held:
                new = f"CASE-{self.chance.randrange(700_000, 800_000)}"
        self.set("case_user_permissions", row, column, new)
        return Mutation(f"{column} of a grant", frozenset({row["case_id"]}))

    def grantee_renamed(self) -> Mutation:
        row = self.chance.choice(self.grants)
        self.cursor.execute(
            "UPDATE auth_user SET username = 'mallory' WHERE id = %s", [row["user_id"]]
        )
        return Mutation("a grantee renamed", frozenset({row["case_id"]}))


MOVES: tuple[tuple[int, Callable[[Attacker], Mutation]], ...] = (
    (10, Attacker.event_column),
    (1, Attacker.event_emptied),
    (2, Attacker.event_deleted),
    (2, Attacker.event_inserted),
    (2, Attacker.events_swapped),
    (2, Attacker.event_moved),
    (8, Attacker.case_column),
    (1, Attacker.case_deleted),
    (1, Attacker.trail_deleted),
    (4, Attacker.note_column),
    (1, Attacker.note_deleted),
    (1, Attacker.note_inserted),
    (1, Attacker.grant_deleted),
    (2, Attacker.grant_changed),
    (1, Attacker.grantee_renamed),
)


def test_every_single_change_is_found_and_nothing_else(office: Statement) -> None:
    chance = random.Random(SEED)
    moves = [move for weight, move in MOVES for _ in range(weight)]
    done: set[str] = set()
    missed: list[str] = []

    with all_powerful() as cursor:
        assert verified().findings == []
        attacker = Attacker(cursor, chance)
        for number in range(MUTATIONS):
            move = moves[number % len(moves)] if number < len(moves) else chance.choice(moves)
            with transaction.atomic():
                made = move(attacker)
                found = {finding.case_id for finding in verified().findings}
                transaction.set_rollback(True)
            done.add(move.__name__)
            if not found & made.cases:
                missed.append(f"seed {SEED}, number {number}: {made.what}")
        assert verified().findings == []

    assert missed == []
    assert done == {move.__name__ for _, move in MOVES}


def recomputed(cursor: Any, case_id: str) -> None:
    """Link a whole chain anew, by what is in its rows now, as the documentation says."""
    previous = chain.GENESIS
    for event in AuditEvent.objects.filter(case_id=case_id).order_by("sequence"):
        content = chain.content_hash(
            chain.canonical(
                event_id=event.id,
                case_id=case_id,
                sequence=event.sequence,
                actor_id=event.actor_id,
                event_type=event.event_type,
                occurred_at=event.occurred_at,
                recorded_at=event.recorded_at,
                request_id=event.request_id,
                details=event.details,
            )
        )
        linked = chain.link(previous, content)
        cursor.execute(
            "UPDATE audit_events SET content_hash = %s, previous_hash = %s, hash = %s"
            " WHERE id = %s",
            [content, previous, linked, event.id],
        )
        previous = linked


def rewritten(cursor: Any, case_id: str) -> None:
    """Put another reason into a case's last event that has one, and link all of it anew."""
    cursor.execute(
        "UPDATE audit_events SET details = jsonb_set(details, '{reason}', '\"Nothing to see\"')"
        " WHERE id = (SELECT id FROM audit_events WHERE case_id = %s AND details ? 'reason'"
        "              ORDER BY sequence DESC LIMIT 1)",
        [case_id],
    )
    assert cursor.rowcount == 1
    recomputed(cursor, case_id)


def closed_case() -> str:
    return Case.objects.filter(status="CLOSED").order_by("id").last().id  # type: ignore[union-attr]


def heads_rewritten(cursor: Any, number: int) -> None:
    """Bring the stored anchor in line with the trail, all but what cannot be signed."""
    cursor.execute(
        "UPDATE audit_anchor_heads h SET hash = e.hash FROM audit_events e"
        " WHERE e.case_id = h.case_id AND e.sequence = h.sequence"
    )
    cursor.execute(COVERED, {"number": number})
    heads = [Head(case_id, sequence, bytes(hash_)) for case_id, sequence, hash_ in cursor]
    root = merkle.root(head.leaf_hash() for head in heads)
    cursor.execute("UPDATE audit_anchors SET root = %s, chains = %s", [root, len(heads)])


def test_a_whole_chain_rewritten_by_the_rules_is_found_against_the_anchor(office) -> None:
    case_id = closed_case()
    with all_powerful() as cursor:
        rewritten(cursor, case_id)

        assert verified().findings == []
        [finding] = check_anchor(connection.connection, office).findings

    assert (finding.case_id, finding.kind) == (case_id, "anchor")
    assert "rewritten" in finding.message


def test_a_chain_rewritten_along_with_the_stored_anchor_is_found_too(office) -> None:
    with all_powerful() as cursor:
        rewritten(cursor, closed_case())
        heads_rewritten(cursor, office.number)

        assert verified().findings == []
        messages = [one.message for one in check_anchor(connection.connection, office).findings]

    assert any("another root" in message for message in messages)
    assert any("do not give the root" in message for message in messages)


@pytest.mark.parametrize("heads_too", [False, True])
def test_a_case_dropped_without_a_trace_is_found_against_the_anchor(office, heads_too) -> None:
    case_id = closed_case()
    with all_powerful() as cursor:
        for table in ("case_notes", "case_user_permissions", "audit_events"):
            cursor.execute(f"DELETE FROM {table} WHERE case_id = %s", [case_id])
        cursor.execute("DELETE FROM cases WHERE id = %s", [case_id])
        if heads_too:
            cursor.execute("DELETE FROM audit_anchor_heads WHERE case_id = %s", [case_id])
            heads_rewritten(cursor, office.number)

        assert verified().findings == []
        findings = check_anchor(connection.connection, office).findings

    assert findings
    if heads_too:
        assert any("covers 11 cases, now 10" in one.message for one in findings)
    else:
        assert [one.case_id for one in findings] == [case_id]


def test_a_case_taken_back_to_an_earlier_state_is_found_against_the_anchor(office) -> None:
    case = CaseFactory(status="SUBMITTED")
    before = Case.objects.get(pk=case.id)
    key = SigningKey.generate("office.example/audit")
    services.start_review(case_id=case.id, reviewer_id=REVIEWER.id, actor=REVIEWER)
    later = read_anchor(make_anchor(key).note, key.public)

    with all_powerful() as cursor:
        cursor.execute(
            "UPDATE cases SET version = %s, status = %s, updated_at = %s,"
            " assigned_reviewer_id = NULL WHERE id = %s",
            [before.version, before.status, before.updated_at, case.id],
        )
        cursor.execute(
            "DELETE FROM audit_events WHERE case_id = %s AND sequence > %s",
            [case.id, before.version],
        )
        assert verified().findings == []
        [finding] = check_anchor(connection.connection, later).findings
        assert check_anchor(connection.connection, office).findings == []

    assert (finding.case_id, finding.sequence) == (case.id, before.version + 1)
    assert "gone" in finding.message


def test_a_database_from_before_the_anchor_is_found(office) -> None:
    with all_powerful() as cursor:
        cursor.execute("DELETE FROM audit_anchors")
        cursor.execute("DELETE FROM audit_anchor_heads")

        [finding] = check_anchor(connection.connection, office).findings

    assert "does not know anchor 1" in finding.message


def test_what_goes_on_after_an_anchor_is_no_finding(office) -> None:
    for case in Case.objects.exclude(status="CLOSED"):
        services.add_note(case_id=case.id, body="Later", actor=SUPERVISOR)
    CaseFactory()

    with transaction.atomic():
        assert verified().findings == []
        assert check_anchor(connection.connection, office).findings == []
