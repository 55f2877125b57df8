"""System checks: the trail is written, and the database guards it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Error, Tags, Warning, register  # noqa: A004 (Django's name)
from django.db import connections

from audit.signed_note import NoteError, SigningKey
from cases.signals import case_event

# Each of these makes remembered rights end with a change of what they rest on.
RIGHTS = (
    ("api_tokens", "rights_changed"),
    ("auth_group", "rights_changed"),
    ("auth_group", "rights_gone"),
    ("auth_group_permissions", "rights_changed"),
    ("auth_permission", "rights_changed"),
    ("auth_permission", "rights_gone"),
    ("auth_user", "rights_changed"),
    ("auth_user", "rights_gone"),
    ("auth_user_groups", "rights_changed"),
    ("auth_user_user_permissions", "rights_changed"),
    ("case_user_permissions", "rights_changed"),
    ("django_content_type", "rights_changed"),
    ("django_content_type", "rights_gone"),
)
# Table, trigger: all of them must be there and on, or a change could pass by its trail (or, with
# cases_words_*, by the search).
GUARDS = (
    ("cases", "cases_guard_insert"),
    ("cases", "cases_guard_update"),
    ("cases", "cases_never_deleted"),
    ("cases", "cases_rows_stay"),
    ("cases", "cases_never_truncated"),
    ("cases", "cases_has_audit_event"),
    ("cases", "cases_words_of_new"),
    ("cases", "cases_words_of_changed"),
    ("case_notes", "case_notes_append_only"),
    ("case_notes", "case_notes_rows_stay"),
    ("case_notes", "case_notes_never_truncated"),
    ("case_notes", "case_notes_has_audit_event"),
    ("audit_events", "audit_events_chain"),
    ("audit_events", "audit_events_append_only"),
    ("audit_events", "audit_events_rows_stay"),
    ("audit_events", "audit_events_never_truncated"),
    ("audit_events", "audit_events_has_case"),
    ("audit_events", "audit_events_has_grant"),
    ("audit_anchors", "audit_anchors_next"),
    ("audit_anchors", "audit_anchors_append_only"),
    ("audit_anchors", "audit_anchors_rows_stay"),
    ("audit_anchors", "audit_anchors_never_truncated"),
    ("audit_anchor_heads", "audit_anchor_heads_append_only"),
    ("audit_anchor_heads", "audit_anchor_heads_rows_stay"),
    ("audit_anchor_heads", "audit_anchor_heads_never_truncated"),
    ("case_user_permissions", "case_user_permissions_has_audit_event"),
    ("case_user_permissions", "case_user_permissions_never_truncated"),
    ("case_group_permissions", "case_group_permissions_stays_empty"),
    ("auth_user", "auth_user_keeps_name"),
    ("auth_permission", "auth_permission_keeps_name"),
    *RIGHTS,
)


@register
def check_receiver(**kwargs: Any) -> list[CheckMessage]:
    """Refuse to start when the audit receiver is not plugged in."""
    del kwargs
    connected = {receiver[0][0] for receiver in case_event.receivers}
    if "audit.record_events" in connected:
        return []
    return [
        Error(
            "The audit trail does not listen to case events.",
            hint="AuditConfig.ready() connects it: keep audit in INSTALLED_APPS.",
            id="audit.E001",
        )
    ]


@register
def check_anchor_key(**kwargs: Any) -> list[CheckMessage]:
    """Check that the key that signs anchors is one; without it no anchors are made."""
    del kwargs
    if not settings.AUDIT_ANCHOR_KEY:
        return []
    try:
        SigningKey.parse(settings.AUDIT_ANCHOR_KEY)
    except NoteError as error:
        return [
            Error(
                f"AUDIT_ANCHOR_KEY cannot be read: {error}",
                hint="anchor_audit --generate-key NAME makes one; it begins with PRIVATE+KEY+.",
                id="audit.E002",
            )
        ]
    return []


@register(Tags.database)
def check_guards(*, databases: Sequence[str] | None = None, **kwargs: Any) -> list[CheckMessage]:
    """Check in the database that every guard is there and on for every kind of session."""
    del kwargs
    found: list[CheckMessage] = []
    for alias in databases or ():
        with connections[alias].cursor() as cursor:
            cursor.execute("SELECT to_regclass('audit_events') IS NOT NULL")
            if cursor.fetchone() != (True,):
                continue  # before the first migration there is nothing to guard
            cursor.execute(
                "SELECT tgrelid::regclass::text, tgname FROM pg_trigger WHERE tgenabled = 'A'"
            )
            active = {(table, name) for table, name in cursor.fetchall()}
        found += [
            Warning(
                f"The guard {name} on {table} is missing or switched off in {alias!r}.",
                hint="Run migrate; if it is switched off, "
                f"ALTER TABLE {table} ENABLE ALWAYS TRIGGER {name}, and find out who did that.",
                id="audit.W001",
            )
            for table, name in GUARDS
            if (table, name) not in active
        ]
    return found
