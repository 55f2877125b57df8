"""Several writers at one moment, each with a connection of its own and real commits."""

from __future__ import annotations

from collections import Counter
from functools import partial
from threading import Barrier

import pytest
from django.db.transaction import atomic

from audit.models import AuditEvent
from cases import services, storage
from cases.errors import CaseConflict, DuplicateCase, InvalidCaseTransition, PreconditionFailed
from cases.models import Case, Note
from outbox.models import OutboxEvent
from tests.cast import ALMIGHTY, OTHER_REVIEWER, REVIEWER, WRITER
from tests.factories import CaseFactory

pytestmark = pytest.mark.usefixtures("committed")


def sequences(case: Case) -> list[int]:
    rows = AuditEvent.objects.filter(case_id=case.id).order_by("sequence")
    return list(rows.values_list("sequence", flat=True))


@pytest.mark.parametrize("round_", range(3))
def test_of_two_transitions_at_once_exactly_one_wins(at_once, round_: int) -> None:
    case = CaseFactory(status="UNDER_REVIEW")
    start = Barrier(2)

    def race(service) -> Case:
        start.wait()
        return service(case_id=case.id, reason="Now", actor=REVIEWER)

    # Both lead away from UNDER_REVIEW; to close after the escalation is fine, so close races close.
    outcomes = at_once(partial(race, services.close_case), partial(race, services.close_case))

    assert Counter(type(outcome) for outcome in outcomes) in (
        {Case: 1, InvalidCaseTransition: 1},
        {Case: 1, CaseConflict: 1},
    )
    stored = Case.objects.get(pk=case.id)
    assert (stored.status, stored.version) == ("CLOSED", case.version + 1)
    assert sequences(case) == list(range(stored.version + 1))
    assert OutboxEvent.objects.filter(case_id=case.id).count() == stored.version + 1


def test_two_reviewers_who_start_at_once_do_not_both_get_the_case(at_once) -> None:
    case = CaseFactory(status="SUBMITTED")
    start = Barrier(2)

    def race(reviewer) -> str:
        start.wait()
        services.start_review(case_id=case.id, reviewer_id=reviewer.id, actor=reviewer)
        return reviewer.id

    outcomes = at_once(partial(race, REVIEWER), partial(race, OTHER_REVIEWER))

    winners = [outcome for outcome in outcomes if isinstance(outcome, str)]
    assert winners == [Case.objects.get(pk=case.id).assigned_reviewer_id]
    assert sequences(case) == [0, 1, 2]


def test_eight_writers_of_notes_all_get_their_turn(at_once) -> None:
    case = CaseFactory()
    start = Barrier(8)

    def write(n: int) -> list[Note]:
        start.wait()
        return [services.add_note(case_id=case.id, body=f"{n}/{m}", actor=WRITER) for m in range(5)]

    outcomes = at_once(*(partial(write, n) for n in range(8)))

    assert not [o for o in outcomes if isinstance(o, Exception)]
    assert Case.objects.get(pk=case.id).version == 40
    assert sequences(case) == list(range(41))
    assert {note.body for note in Note.objects.all()} == {
        f"{n}/{m}" for n in range(8) for m in range(5)
    }


def test_who_waited_sees_the_version_of_who_was_faster(at_once) -> None:
    case = CaseFactory()
    start = Barrier(2)

    def submit() -> Case:
        start.wait()
        return services.submit_case(case_id=case.id, actor=WRITER, expected_version=0)

    outcomes = at_once(submit, submit)

    assert Counter(type(outcome) for outcome in outcomes) == {Case: 1, PreconditionFailed: 1}


def test_the_same_reference_delivered_twice_at_once_makes_one_case(at_once) -> None:
    start = Barrier(2)

    def deliver() -> Case:
        start.wait()
        fields = {"title": "x", "source": "portal", "external_reference": "17"}
        return services.create_case(fields=fields, actor=WRITER)

    outcomes = at_once(deliver, deliver)

    assert Counter(type(outcome) for outcome in outcomes) == {Case: 1, DuplicateCase: 1}
    assert Case.objects.count() == AuditEvent.objects.count() == 1


def test_a_case_read_without_its_lock_is_not_written_over_a_newer_one(everything) -> None:
    case = CaseFactory()
    stale = Case.objects.get(pk=case.id)
    services.add_note(case_id=case.id, body="Faster", actor=WRITER)
    before = everything()

    stale.submit(actor=ALMIGHTY, at=stale.updated_at)
    with pytest.raises(CaseConflict), atomic():
        storage.store_next_version(stale)

    assert everything() == before


def test_of_a_batch_with_one_stale_case_none_is_written(everything) -> None:
    fresh, stale = (Case.objects.get(pk=CaseFactory().id) for _ in range(2))
    services.add_note(case_id=stale.id, body="Faster", actor=WRITER)
    before = everything()

    for case in (fresh, stale):
        case.submit(actor=ALMIGHTY, at=case.updated_at)
    with pytest.raises(CaseConflict), atomic():
        storage.store_next_version(fresh, stale)

    assert everything() == before


def test_ids_taken_at_once_are_all_different(at_once) -> None:
    rows = [{"title": f"Row {n}"} for n in range(25)]

    outcomes = at_once(*[partial(services.create_cases, rows=rows, actor=WRITER)] * 4)

    ids = [case.id for batch in outcomes for case in batch]
    assert len(set(ids)) == 100 == Case.objects.count()
