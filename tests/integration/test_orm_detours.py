"""Ways round the services in a shell: the ORM refuses, and where it does not, the database does."""

from __future__ import annotations

from datetime import UTC, datetime
from uuid import uuid4

import pytest
from django.db import IntegrityError, connection, models
from django.db.transaction import atomic

from audit.checks import GUARDS, check_guards
from audit.models import AuditEvent
from cases import services, storage
from cases.models import Case, Note
from tests.cast import REVIEWER, WRITER
from tests.factories import CaseFactory

pytestmark = pytest.mark.usefixtures("committed")

NOW = datetime(2026, 11, 20, 9, tzinfo=UTC)
COMPLETE = {
    "title": "x", "received_at": NOW, "created_by": "mallory", "created_at": NOW, "updated_at": NOW,
}  # fmt: skip


def plain(model: type[models.Model]) -> models.QuerySet:
    """Return a queryset as Django makes it, without our refusals."""
    return models.QuerySet(model)


def save_plain(row: models.Model) -> None:
    models.Model.save(row)


def transition_alone(case: Case) -> None:
    case.submit(actor=WRITER, at=NOW)
    storage.store_next_version(case)


REFUSED_BY_THE_ORM = {
    "case-update": lambda case: Case.objects.update(title="y"),
    "case-bulk_update": lambda case: Case.objects.bulk_update([case], ["title"]),
    "case-save": lambda case: case.save(),
    "case-delete": lambda case: case.delete(),
    "cases-delete": lambda case: Case.objects.all().delete(),
    "note-delete": lambda case: Note.objects.get().delete(),
    "notes-update": lambda case: case.notes.update(body="y"),
    "audit-update": lambda case: AuditEvent.objects.update(actor_id="mallory"),
    "audit-delete": lambda case: AuditEvent.objects.all().delete(),
}
REFUSED_BY_THE_DATABASE = {
    "plain-update": lambda case: plain(Case).update(title="y"),
    "plain-update-of-status": lambda case: plain(Case).update(status="CLOSED", closed_at=NOW),
    "plain-update-with-version": lambda case: plain(Case).filter(pk=case.pk).update(version=2),
    "plain-bulk_update": lambda case: plain(Case).bulk_update([case], ["description"]),
    "plain-save": save_plain,
    "plain-delete": lambda case: plain(Case).filter(pk=case.pk).delete(),
    "_raw_delete": lambda case: Case.objects.all()._raw_delete("default"),
    "base-manager": lambda case: Case._base_manager.filter(pk=case.pk).update(title="y"),
    "create-in-a-shell": lambda case: Case.objects.create(**COMPLETE),
    "bulk_create-in-a-shell": lambda case: Case.objects.bulk_create(
        [Case(id="CASE-900000", **COMPLETE)]
    ),
    "get_or_create": lambda case: Case.objects.get_or_create(title="new", defaults=COMPLETE),
    "bulk_create-over-a-stored-case": lambda case: Case.objects.bulk_create(
        [case], update_conflicts=True, unique_fields=["id"], update_fields=["title"]
    ),
    "a-transition-stored-but-not-told": transition_alone,
    "a-copy-with-another-key": lambda case: Case(id="CASE-900001", **COMPLETE).save(),
    "note-in-a-shell": lambda case: Note.objects.create(
        case=case, sequence=case.version, author="m", body="x", created_at=NOW
    ),
    "note-of-the-future": lambda case: Note.objects.create(
        case=case, sequence=99, author="m", body="x", created_at=NOW
    ),
    "note-save": lambda case: Note.objects.get().save(),
    "notes-_raw_delete": lambda case: Note.objects.all()._raw_delete("default"),
    "audit-save": lambda case: AuditEvent.objects.all()[0].save(),
    "audit-delete-one": lambda case: AuditEvent.objects.all()[0].delete(),
    "audit-_raw_delete": lambda case: AuditEvent.objects.all()._raw_delete("default"),
    "audit-bulk_update": lambda case: plain(AuditEvent).bulk_update(
        list(AuditEvent.objects.all()), ["actor_id"]
    ),
    "audit-create": lambda case: AuditEvent.objects.create(
        id=uuid4(), case_id=case.id, sequence=case.version + 1, actor_id="m", event_type="CASE_X",
        occurred_at=NOW, recorded_at=NOW, details={}, content_hash=b"x", previous_hash=b"y",
        hash=b"z",
    ),
}  # fmt: skip


@pytest.fixture
def case() -> Case:
    made = CaseFactory()
    services.add_note(case_id=made.id, body="Called", actor=WRITER)
    return Case.objects.get(pk=made.id)


@pytest.mark.parametrize("detour", REFUSED_BY_THE_ORM.values(), ids=REFUSED_BY_THE_ORM.keys())
def test_the_orm_refuses_a_detour_in_words(detour, case, everything) -> None:
    before = everything()

    with pytest.raises(TypeError, match=r"services|append-only"):
        detour(case)

    assert everything() == before


@pytest.mark.parametrize(
    "detour", REFUSED_BY_THE_DATABASE.values(), ids=REFUSED_BY_THE_DATABASE.keys()
)
def test_the_database_refuses_what_the_orm_lets_through(detour, case, everything) -> None:
    before = everything()

    with pytest.raises(IntegrityError):
        detour(case)

    assert everything() == before


def test_deferred_refusals_take_the_whole_transaction_down(case, everything) -> None:
    other = CaseFactory()
    before = everything()

    with pytest.raises(IntegrityError, match="no audit event"), atomic():
        services.submit_case(case_id=other.id, actor=WRITER)
        transition_alone(case)

    assert everything() == before


def test_a_service_still_works_after_a_refusal(case) -> None:
    with pytest.raises(IntegrityError):
        plain(Case).update(title="y")

    services.submit_case(case_id=case.id, actor=WRITER)
    services.start_review(case_id=case.id, reviewer_id=REVIEWER.id, actor=REVIEWER)

    assert Case.objects.get(pk=case.id).status == "UNDER_REVIEW"


@pytest.mark.parametrize(("table", "trigger"), GUARDS, ids=[name for _, name in GUARDS])
def test_a_guard_that_is_switched_off_is_reported(table: str, trigger: str) -> None:
    class Undo(Exception):
        pass

    with pytest.raises(Undo), atomic(), connection.cursor() as cursor:
        for name, guard in GUARDS:
            cursor.execute(f"ALTER TABLE {name} ENABLE ALWAYS TRIGGER {guard}")
        assert check_guards(databases=["default"]) == []

        cursor.execute(f"ALTER TABLE {table} DISABLE TRIGGER {trigger}")

        [warning] = check_guards(databases=["default"])
        assert warning.id == "audit.W001"
        assert (trigger in warning.msg, table in warning.hint) == (True, True)
        raise Undo


def test_no_guard_of_the_database_is_missing_in_the_check() -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT tgrelid::regclass::text, tgname FROM pg_trigger WHERE NOT tgisinternal"
            " AND tgfoid IN (SELECT oid FROM pg_proc WHERE pronamespace ="
            " current_schema()::regnamespace)"
        )
        assert sorted(cursor.fetchall()) == sorted(GUARDS)
