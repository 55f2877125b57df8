"""What a repository of cases must do, whoever keeps it: here the manager and its queryset."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from django.db import connection
from django.db.transaction import atomic

from cases import selectors, services
from cases.errors import CaseNotFound, DuplicateCase
from cases.filters import CaseFilter
from cases.lifecycle import CaseStatus
from cases.models import Case, Note
from tests.cast import ADMIN, AUDITOR, NOBODY, WRITER
from tests.factories import CaseFactory

pytestmark = pytest.mark.django_db


def test_what_was_added_is_got_back_field_by_field() -> None:
    fields = {
        "title": "Überfällige Meldung 🐢",
        "description": "Two\nlines",
        "received_at": "2026-01-31T10:30:00.000001+01:00",
        "category": "reporting",
        "subject": "ACME Ltd.",
        "external_reference": "2026/17",
        "source": "portal",
        "priority": "URGENT",
        "due_at": "2026-12-01T12:00:00Z",
    }

    added = services.create_case(fields=fields, actor=WRITER)

    got = selectors.get_case(added.id, WRITER)
    for field in Case._meta.concrete_fields:
        assert getattr(got, field.attname) == getattr(added, field.attname), field.attname
    assert (got.title, got.created_by, got.version) == ("Überfällige Meldung 🐢", "wanda", 0)


@pytest.mark.parametrize(
    "case_id",
    [
        "CASE-999999",
        "CASE-9999999999999999999999",
        "CASE-999999999999999",
        "CASE-1",
        "CASE-0000001 ",
        "case-000001",
        "CASE-00000१",
        "CASE-000001\n",
        "CASE-000001\0",
        "\x00",
        "",
        "' OR 1=1 --",
        "\ud800",
        "x" * 100_000,
    ],
    ids=lambda value: ascii(value)[:30],
)
@pytest.mark.parametrize("for_update", [False, True], ids=["to-read", "to-change"])
def test_what_was_never_added_is_not_found(case_id: str, for_update: bool) -> None:
    with pytest.raises(CaseNotFound):
        selectors.get_case(case_id, ADMIN, for_update=for_update)


@pytest.mark.parametrize("case_id", ["", "\0", "CASE-9999999999999999999999", "CASE-999999"])
def test_nobody_was_granted_anything_on_what_does_not_exist(case_id: str) -> None:
    assert selectors.granted_on(case_id, NOBODY) == frozenset()


def test_the_list_holds_every_case_once() -> None:
    made = {CaseFactory().id for _ in range(5)}

    listed = [case.id for case in selectors.visible_cases(AUDITOR)]

    assert sorted(listed) == sorted(made)


@pytest.mark.parametrize(
    ("statuses", "expected"),
    [
        ([], ["DRAFT", "SUBMITTED", "UNDER_REVIEW", "ESCALATED", "CLOSED"]),
        (["DRAFT"], ["DRAFT"]),
        (["CLOSED", "SUBMITTED"], ["SUBMITTED", "CLOSED"]),
        (["ESCALATED", "ESCALATED"], ["ESCALATED"]),
    ],
    ids=["all", "one", "two", "one-twice"],
)
def test_the_list_is_filtered_by_status(statuses: list[str], expected: list[str]) -> None:
    for status in ("DRAFT", "SUBMITTED", "UNDER_REVIEW", "ESCALATED", "CLOSED"):
        CaseFactory(status=status)

    wanted = CaseFilter(statuses=frozenset(map(CaseStatus, statuses)))
    found = [case.status for case in selectors.visible_cases(AUDITOR, wanted)]

    assert sorted(found) == sorted(expected)


@pytest.fixture
def count_from() -> Iterator[Callable[[int], None]]:
    """Return what sets the last number given out; a sequence is not rolled back: put it back."""

    def set_to(number: int) -> None:
        with connection.cursor() as cursor:
            cursor.execute("SELECT setval('case_number', %s)", [number])

    with connection.cursor() as cursor:
        cursor.execute("SELECT nextval('case_number')")
        before = cursor.fetchone()[0]
    yield set_to
    set_to(before)


def test_ids_are_unique_and_grow_past_six_digits(count_from) -> None:
    count_from(999_997)

    singles = [CaseFactory().id for _ in range(3)]
    batch = services.create_cases(rows=[{"title": f"Row {n}"} for n in range(3)], actor=WRITER)

    assert singles == ["CASE-999998", "CASE-999999", "CASE-1000000"]
    assert [case.id for case in batch] == ["CASE-1000001", "CASE-1000002", "CASE-1000003"]
    assert selectors.get_case("CASE-1000003", WRITER).title == "Row 2"


def test_the_last_number_that_an_id_can_hold_is_still_found(count_from) -> None:
    count_from(999_999_999_999_998)

    last = CaseFactory()

    assert selectors.get_case(last.id, WRITER).id == "CASE-999999999999999"


@pytest.mark.parametrize("batch", [False, True], ids=["single", "batch"])
def test_source_and_reference_name_one_case(batch: bool) -> None:
    row = {"title": "x", "source": "portal", "external_reference": "2026/17"}
    services.create_case(fields=row, actor=WRITER)

    with pytest.raises(DuplicateCase), atomic():
        if batch:
            services.create_cases(rows=[{"title": "y"}, row], actor=WRITER)
        else:
            services.create_case(fields=row, actor=WRITER)

    assert Case.objects.count() == 1


def test_the_same_reference_at_another_source_and_no_reference_at_all_are_fine() -> None:
    for source in ("portal", "letter", ""):
        services.create_case(
            fields={"title": "x", "source": source, "external_reference": "17"}, actor=WRITER
        )
    for _ in range(2):
        services.create_case(fields={"title": "x", "source": "portal"}, actor=WRITER)

    assert Case.objects.count() == 5


def test_an_update_cannot_take_anothers_reference() -> None:
    CaseFactory(source="portal", external_reference="17")
    other = CaseFactory(source="portal", external_reference="18")

    with pytest.raises(DuplicateCase), atomic():
        services.update_case(case_id=other.id, fields={"external_reference": "17"}, actor=WRITER)

    assert Case.objects.get(pk=other.id).external_reference == "18"


@pytest.mark.parametrize(
    "write",
    [
        pytest.param(lambda case: Case.objects.update(title="y"), id="update"),
        pytest.param(lambda case: Case.objects.filter(pk=case.pk).update(version=9), id="filtered"),
        pytest.param(lambda case: Case.objects.bulk_update([case], ["title"]), id="bulk_update"),
        pytest.param(lambda case: Case.objects.all().delete(), id="queryset-delete"),
        pytest.param(lambda case: case.delete(), id="delete"),
        pytest.param(lambda case: case.save(), id="save"),
        pytest.param(lambda case: case.save(update_fields=["title"]), id="save-a-field"),
        pytest.param(lambda case: case.save(force_update=True), id="forced-update"),
        pytest.param(
            lambda case: Case.objects.update_or_create(pk=case.pk, defaults={"title": "y"}),
            id="update_or_create",
        ),
        pytest.param(lambda case: Note.objects.update(body="y"), id="notes-update"),
        pytest.param(lambda case: Note.objects.all().delete(), id="notes-delete"),
        pytest.param(lambda case: case.notes.all().delete(), id="related-notes-delete"),
        pytest.param(lambda case: case.notes.get().delete(), id="note-delete"),
    ],
)
def test_a_stored_case_is_not_written_around_the_services(write) -> None:
    case = CaseFactory(title="x")
    services.add_note(case_id=case.id, body="Called", actor=WRITER)
    case = Case.objects.get(pk=case.id)

    with pytest.raises(TypeError, match=r"cases\.services"), atomic():
        write(case)

    stored = Case.objects.get(pk=case.id)
    assert (stored.title, stored.version, stored.notes.get().body) == ("x", 1, "Called")


def test_notes_are_read_oldest_first_and_those_of_the_case_alone() -> None:
    case, other = CaseFactory(), CaseFactory()
    for body in ("one", "two", "three"):
        services.add_note(case_id=case.id, body=body, actor=WRITER)
    services.add_note(case_id=other.id, body="other", actor=WRITER)

    assert [note.body for note in selectors.notes_of(case)] == ["one", "two", "three"]
