"""All tables before and after a request: whatever changed must have its reason."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from django.db import connection

Rows = Mapping[str, Mapping[str, Any]]

# Which action each type of event comes from, as the contract has it.
ACTION_OF = {
    "CASE_CREATED": "create", "CASE_UPDATED": "update", "CASE_SUBMITTED": "submit",
    "CASE_REVIEW_STARTED": "start_review", "CASE_REVIEWER_ASSIGNED": "assign",
    "CASE_ESCALATED": "escalate", "CASE_CLOSED": "close", "CASE_NOTE_ADDED": "add_note",
    "CASE_DUE_DATE_CHANGED": "set_due_date", "CASE_CLOCK_PAUSED": "pause",
    "CASE_CLOCK_RESUMED": "resume", "CASE_RESTRICTED": "restrict",
    "CASE_UNRESTRICTED": "unrestrict", "CASE_ACCESS_GRANTED": "grant_access",
    "CASE_ACCESS_REVOKED": "revoke_access", "CASE_OVERDUE": "mark_overdue",
}  # fmt: skip
GUARDED = {
    "cases", "case_notes", "case_words", "case_user_permissions", "audit_events", "outbox_events",
}  # fmt: skip
# What is nobody's to change by a page: not even with every permission there is.
NEVER = {
    "case_group_permissions", "guardian_userobjectpermission", "guardian_groupobjectpermission",
    "audit_anchors", "audit_anchor_heads", "audit_anchor_turn", "auth_permission",
    "django_content_type",
    "axes_accessattemptexpiration",
}  # fmt: skip
# Kept by the back office itself, with the permission that it takes.
KEPT_WITH = {
    "auth_user": "auth.change_user",
    "auth_user_groups": "auth.change_user",
    "auth_user_user_permissions": "auth.change_user",
    "auth_group": "auth.change_group",
    "auth_group_permissions": "auth.change_group",
    "api_tokens": "config.add_apitoken",
    "linked_identities": "config.add_linkedidentity",
    "sla_targets": "cases.change_sla_targets",
    "axes_accessfailurelog": "axes.delete_accessfailurelog",
    "axes_accesslog": "axes.delete_accesslog",
    "otp_totp_totpdevice": "otp_totp.delete_totpdevice",
    "otp_static_staticdevice": "otp_totp.delete_totpdevice",
}
# Rows of one person: whose they are.
OWN = {"uploaded_registers": "actor_id", "idempotency_keys": "actor_id", "preferences": "user_id"}
# The same, but for who holds what it takes to see those of others.
OWN_UNLESS = {
    "account_sessions": ("user_id", "config.delete_accountsession"),
    "axes_accessattempt": ("username", "axes.delete_accessattempt"),  # an old password was wrong
}
FOLLOWS = {
    "uploaded_register_parts", "rights_version", "django_session", "django_admin_log",
    "account_notices",
}  # fmt: skip


@dataclass(frozen=True)
class Change:
    """What became of one table."""

    added: list[dict[str, Any]]
    removed: list[dict[str, Any]]
    altered: list[tuple[dict[str, Any], dict[str, Any]]]


class Ledger:
    """Knows the rows of every table, and reads again what is no longer as it was."""

    def __init__(self) -> None:
        with connection.cursor() as cursor:
            self.tables = sorted(
                set(connection.introspection.table_names(cursor)) - {"django_migrations"}
            )
            self._keys = {
                table: connection.introspection.get_primary_key_columns(cursor, table) or []
                for table in self.tables
            }
        # A row that is written bears the number of the transaction that wrote it.
        self._newest = " UNION ALL ".join(
            f"SELECT '{table}', count(*), max(xmin::text::bigint) FROM {table}"
            for table in self.tables
        )
        self._written = self._writes()
        self._seen = self._state()
        self._rows = {table: self._read(table) for table in self.tables}

    def changes(self) -> dict[str, Change]:
        """Return what has changed since the last time, by table."""
        before, self._written = self._written, self._writes()
        if before == self._written:
            return {}
        now = self._state()
        found = {}
        for table in self.tables:
            if now[table] != self._seen[table]:
                rows, self._rows[table] = self._rows[table], self._read(table)
                if self._rows[table] != rows:  # it may have been written as it was
                    found[table] = _compared(rows, self._rows[table])
        self._seen = now
        return found

    def _writes(self) -> str:
        """Return the number of the next transaction that writes, here or anywhere on the server.

        As long as it stays, no table can have changed, and none needs to be read.
        """
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_snapshot_xmax(pg_current_snapshot())::text")
            (number,) = cursor.fetchone()
            return str(number)

    def _state(self) -> dict[str, tuple[int, int | None]]:
        """Return of each table how many rows it has, and which transaction wrote the newest."""
        with connection.cursor() as cursor:
            cursor.execute(self._newest)
            return {table: (rows, newest) for table, rows, newest in cursor.fetchall()}

    def _read(self, table: str) -> Rows:
        with connection.cursor() as cursor:
            cursor.execute(f"SELECT to_jsonb(t)::text FROM {table} t")
            rows = [json.loads(text) for (text,) in cursor.fetchall()]
        return {"/".join(str(row[name]) for name in self._keys[table]): row for row in rows}


def _compared(before: Rows, after: Rows) -> Change:
    return Change(
        added=[dict(after[key]) for key in after.keys() - before.keys()],
        removed=[dict(before[key]) for key in before.keys() - after.keys()],
        altered=[
            (dict(before[key]), dict(after[key]))
            for key in before.keys() & after.keys()
            if before[key] != after[key]
        ],
    )


@dataclass(frozen=True)
class Walker:
    """Who walks: the account, and what the contract gives to it."""

    name: str
    pk: int
    may: frozenset[str]
    holds: Callable[[str], bool]


def unexplained(changes: Mapping[str, Change], walker: Walker) -> list[str]:
    """Return what has changed without a reason, a sentence each."""
    wrong = list(_around_the_trail(changes, walker))
    for table, change in changes.items():
        touched = [*change.added, *change.removed, *(row for _, row in change.altered)]
        if table in KEPT_WITH and not walker.holds(KEPT_WITH[table]):
            wrong.append(f"{table} changed without {KEPT_WITH[table]}")
        elif table in OWN:
            mine = {walker.name, walker.pk}
            wrong += [f"{table}: {row}" for row in touched if row[OWN[table]] not in mine]
        elif table in OWN_UNLESS:
            column, permission = OWN_UNLESS[table]
            strange = [row for row in touched if row[column] not in (walker.pk, walker.name)]
            wrong += [f"{table}: {row}" for row in strange if not walker.holds(permission)]
        elif table in NEVER or table not in GUARDED | FOLLOWS | OWN.keys() | KEPT_WITH.keys():
            wrong.append(f"{table} changed")
    return wrong


def _around_the_trail(changes: Mapping[str, Change], walker: Walker) -> Iterator[str]:
    none = Change([], [], [])
    of = {table: changes.get(table, none) for table in GUARDED}
    events = of["audit_events"].added
    for event in events:
        if event["actor_id"] != walker.name:
            yield f"{event['event_type']} by {event['actor_id']}"
        if ACTION_OF[event["event_type"]] not in walker.may:
            yield f"{event['event_type']} is not for {walker.name}"
    for table in ("audit_events", "case_notes"):
        if of[table].removed or of[table].altered:
            yield f"{table} holds other rows than before"
    if of["cases"].removed:
        yield "a case is gone"
    steps = Counter(event["case_id"] for event in events)
    risen = {new["id"]: new["version"] - old["version"] for old, new in of["cases"].altered}
    risen |= {row["id"]: row["version"] + 1 for row in of["cases"].added}
    if risen != dict(steps):
        yield f"cases changed as {risen}, and their trails as {dict(steps)}"
    yield from _beside_the_case(of, events, walker)


def _beside_the_case(
    of: Mapping[str, Change], events: list[dict[str, Any]], walker: Walker
) -> Iterator[str]:
    def told(kind: str) -> list[dict[str, Any]]:
        return [event for event in events if event["event_type"] == kind]

    noted = {event["details"]["note_id"] for event in told("CASE_NOTE_ADDED")}
    if noted != {row["id"] for row in of["case_notes"].added}:
        yield "notes and their events differ"
    texts = {e["case_id"] for e in told("CASE_CREATED") + told("CASE_UPDATED")}
    words = of["case_words"]
    changed = {row["case_id"] for row in words.added + [new for _, new in words.altered]}
    if words.removed or not changed <= texts:
        yield f"case_words changed for {changed}"
    grants = of["case_user_permissions"]
    opened = sorted(row["case_id"] for row in grants.added)
    shut = sorted(row["case_id"] for row in grants.removed)
    if (
        grants.altered
        or opened != sorted(event["case_id"] for event in told("CASE_ACCESS_GRANTED"))
        or shut != sorted(event["case_id"] for event in told("CASE_ACCESS_REVOKED"))
    ):
        yield "grants and their events differ"
    owed = of["outbox_events"]
    if {row["event_id"] for row in owed.added} - {event["id"] for event in events} or owed.removed:
        yield "the outbox owes what never happened, or no longer what did"
    if owed.altered and not walker.holds("outbox.requeue_outboxevent"):
        yield "the outbox was decided on without permission"


def done_by(changes: Mapping[str, Change]) -> set[str]:
    """Return the actions that the new events tell of."""
    added = changes["audit_events"].added if "audit_events" in changes else []
    return {ACTION_OF[event["event_type"]] for event in added}
