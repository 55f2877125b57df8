import pytest

from audit.models import AuditEvent
from tests.api import expect
from tests.cast import ADMIN, ALLROUNDER, WRITER
from tests.factories import CaseFactory

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("title", "Very late reporting"),
        ("description", "With\nlines"),
        ("category", "Reporting"),
        ("subject", "Müller & Söhne"),
        ("external_reference", "R-9"),
        ("source", "letter"),
        ("priority", "HIGH"),
        ("received_at", "2026-01-31T09:30:00.000000Z"),
        ("due_at", "2027-01-31T09:30:00.000000Z"),
    ],
)
def test_one_field_is_changed_and_no_other(as_actor, field, value):
    case = CaseFactory()
    wanda = as_actor(WRITER)
    before = wanda.get(f"/cases/{case.id}").json()

    answer = wanda.patch(f"/cases/{case.id}", {field: value})

    after = expect.the_case(answer)
    expect.one_step(case, after)
    assert {name for name in after if after[name] != before[name]} == {
        field,
        "version",
        "updated_at",
    }
    assert after[field] == value
    assert wanda.get(f"/cases/{case.id}").json() == after


@pytest.mark.parametrize("actor", [ALLROUNDER, ADMIN], ids=lambda a: a.id)
def test_any_writer_may_change_a_draft(as_actor, actor):
    case = CaseFactory()

    answer = as_actor(actor).patch(f"/cases/{case.id}", {"title": "Very late reporting"})

    expect.one_step(case, expect.the_case(answer))


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"title": "Late reporting"},
        {"title": " Late reporting "},
        {"priority": "NORMAL", "description": ""},
        {"due_at": None},
        {"received_at": "2026-01-31T10:30:00+01:00"},
    ],
    ids=expect.name,
)
def test_a_change_of_nothing_makes_no_new_version(as_actor, body):
    case = CaseFactory(title="Late reporting", received_at="2026-01-31T09:30:00Z")

    answer = as_actor(WRITER).patch(f"/cases/{case.id}", body)

    assert expect.the_case(answer)["version"] == 0
    expect.unchanged(case)
    assert AuditEvent.objects.filter(case_id=case.id).count() == 1


def test_null_clears_the_due_date(as_actor):
    case = CaseFactory(due_at="2027-01-31T09:30:00Z")

    answer = as_actor(WRITER).patch(f"/cases/{case.id}", {"due_at": None})

    assert expect.the_case(answer)["due_at"] is None


def test_a_cleared_time_of_receipt_is_the_time_of_creation(as_actor):
    case = CaseFactory(received_at="2026-01-31T09:30:00Z")

    answer = as_actor(WRITER).patch(f"/cases/{case.id}", {"received_at": None})

    after = expect.the_case(answer)
    assert after["received_at"] == after["created_at"]


def test_a_text_can_be_emptied(as_actor):
    case = CaseFactory(description="Too much", category="Reporting")

    answer = as_actor(WRITER).patch(f"/cases/{case.id}", {"description": "", "category": ""})

    after = expect.the_case(answer)
    assert (after["description"], after["category"]) == ("", "")


@pytest.mark.parametrize(
    ("body", "fields"),
    [
        ({"title": ""}, {"title"}),
        ({"title": None}, {"title"}),
        ({"title": 5}, {"title"}),
        ({"title": "x" * 201}, {"title"}),
        ({"category": None}, {"category"}),
        ({"priority": "HOT"}, {"priority"}),
        ({"status": "SUBMITTED"}, {"status"}),
        ({"assigned_reviewer_id": "rob"}, {"assigned_reviewer_id"}),
        ({"version": 5}, {"version"}),
        ({"overdue_at": None}, {"overdue_at"}),
        ({"title": "fine", "restricted": False}, {"restricted"}),
    ],
    ids=expect.name,
)
def test_one_wrong_field_keeps_all_others_back(as_actor, body, fields):
    case = CaseFactory()

    answer = as_actor(WRITER).patch(f"/cases/{case.id}", body)

    expect.refusal(answer, 422, "validation_error", fields)
    expect.unchanged(case)


@pytest.mark.parametrize("body", [[], "title", 5, None], ids=expect.name)
def test_a_change_that_is_no_object_is_refused(as_actor, body):
    case = CaseFactory()

    answer = as_actor(WRITER).patch(f"/cases/{case.id}", body, format="json")

    # The client sends nothing at all for None: nothing is changed then.
    if body is None:
        assert expect.the_case(answer)["version"] == 0
    else:
        expect.refusal(answer, 422, "validation_error")
    expect.unchanged(case)


def test_a_reference_that_another_case_has_is_refused(as_actor):
    CaseFactory(source="portal", external_reference="R-1")
    case = CaseFactory(source="portal", external_reference="R-2")

    answer = as_actor(WRITER).patch(f"/cases/{case.id}", {"external_reference": "R-1"})

    expect.refusal(answer, 409, "duplicate_case")
    expect.unchanged(case)


def test_put_is_not_offered(as_actor):
    case = CaseFactory()

    answer = as_actor(WRITER).put(f"/cases/{case.id}", {"title": "x"})

    expect.refusal(answer, 405, "method_not_allowed")
    expect.unchanged(case)
