"""Loaded cases are what the services would have left behind."""

from __future__ import annotations

import psycopg
import pytest
from django.db import IntegrityError, connection, transaction

from audit import chain
from audit.models import AuditEvent
from cases import services
from cases.models import Case
from tests.bench.databases import load_cases
from tests.cast import REVIEWER, WRITER

pytestmark = pytest.mark.django_db
CASES = 300
GUARDS = "SELECT tgname, tgenabled FROM pg_trigger WHERE NOT tgisinternal ORDER BY tgname"


def guards() -> list[tuple[str, str]]:
    with connection.cursor() as cursor:
        cursor.execute(GUARDS)
        return cursor.fetchall()


@pytest.fixture
def loaded() -> None:
    with connection.cursor() as cursor:
        # No rollback takes a sequence back: an earlier test must not stand in for this load.
        cursor.execute("SELECT setval('case_number', 1)")
    assert isinstance(connection.connection, psycopg.Connection)
    load_cases(connection.connection, CASES, lambda _: None)


def test_every_trail_is_chained_as_the_audit_format_says(loaded) -> None:
    previous: dict[str, bytes] = {}
    for event in AuditEvent.objects.order_by("case_id", "sequence"):
        content = chain.content_hash(
            chain.canonical(
                event_id=event.id,
                case_id=event.case_id,
                sequence=event.sequence,
                actor_id=event.actor_id,
                event_type=event.event_type,
                occurred_at=event.occurred_at,
                recorded_at=event.recorded_at,
                request_id=event.request_id,
                details=event.details,
            )
        )
        before = previous.get(event.case_id, chain.GENESIS)
        assert bytes(event.content_hash) == content
        assert bytes(event.previous_hash) == before
        assert bytes(event.hash) == chain.link(before, content)
        previous[event.case_id] = bytes(event.hash)

    assert len(previous) == CASES


def test_every_trail_ends_at_the_version_and_the_status_of_its_case(loaded) -> None:
    for case in Case.objects.all():
        trail = AuditEvent.objects.filter(case_id=case.id).order_by("sequence")
        statuses = [e.details["to_status"] for e in trail if "to_status" in e.details]

        assert [event.sequence for event in trail] == list(range(case.version + 1))
        assert statuses[-1] == case.status
        assert case.updated_at == max(event.occurred_at for event in trail)


def test_there_is_something_of_everything(loaded) -> None:
    assert set(Case.objects.values_list("status", flat=True)) == {
        "DRAFT", "SUBMITTED", "UNDER_REVIEW", "ESCALATED", "CLOSED",
    }  # fmt: skip
    assert Case.objects.filter(restricted=True).exists()
    assert Case.objects.exclude(description="").exists()
    assert Case.objects.values("assigned_reviewer_id").distinct().count() > 50


def test_the_guards_come_back_as_they_were() -> None:
    before = guards()
    connection.ensure_connection()

    load_cases(connection.connection, 10, lambda _: None)

    assert guards() == before
    assert "A" in {state for _, state in before}


def test_loaded_cases_go_on_through_the_services_and_past_the_guards(loaded) -> None:
    case = Case.objects.filter(status="SUBMITTED", restricted=False)[0]

    services.start_review(case_id=case.id, reviewer_id=REVIEWER.id, actor=REVIEWER)
    closed = services.close_case(case_id=case.id, reason="Done", actor=REVIEWER)
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")  # as a commit would

    assert closed.version == case.version + 2


def test_a_new_case_gets_the_next_number(loaded) -> None:
    case = services.create_case(fields={"title": "One more"}, actor=WRITER)

    assert case.id == f"CASE-{CASES + 1:06}"


def test_the_guards_refuse_after_the_load_what_they_refused_before(loaded) -> None:
    case = Case.objects.filter(status="CLOSED")[0]

    with pytest.raises(IntegrityError), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(
            "UPDATE cases SET status = 'DRAFT', version = version + 1 WHERE id = %s", [case.id]
        )
