"""Dates, wherever one can be given: with an offset in, in UTC out, and nothing else."""

import pytest

from tests.api import expect
from tests.cast import SUPERVISOR, WRITER
from tests.factories import CaseFactory

pytestmark = pytest.mark.django_db

GOOD = {
    "2026-01-31T09:30:00Z": "2026-01-31T09:30:00.000000Z",
    "2026-01-31T09:30:00.25Z": "2026-01-31T09:30:00.250000Z",
    "2026-01-31T00:30:00+01:00": "2026-01-30T23:30:00.000000Z",
    "2026-12-31T23:30:00-05:30": "2027-01-01T05:00:00.000000Z",
}
BAD = [
    "",
    " ",
    "tomorrow",
    "2026-01-31",
    "2026-01-31T09:30:00",
    "2026-01-31T09:30Z",
    "2026-01-31 09:30:00Z",
    "2026-13-01T00:00:00Z",
    "2026-02-29T00:00:00Z",
    "2026-01-31T25:00:00Z",
    "2026-01-31T09:30:00+25:00",
    "0001-01-01T00:00:00+14:00",
    "9999-12-31T23:59:59-14:00",
    "1850-01-01T00:00:00Z",
    "2300-01-01T00:00:00Z",
    "10000-01-01T00:00:00Z",
    "2026-01-31T09:30:00Z\x00",
    "٢٠٢٦-01-31T09:30:00Z",
    1769851800,
    1.5,
    True,
    [],
    ["2026-01-31T09:30:00Z"],
    {},
]


@pytest.mark.parametrize(("given", "kept"), GOOD.items())
@pytest.mark.parametrize("field", ["received_at", "due_at"])
def test_a_moment_is_answered_in_utc(as_actor, field, given, kept):
    answer = as_actor(WRITER).post("/cases", {"title": "Late reporting", field: given})

    assert expect.the_case(answer, 201)[field] == kept


@pytest.mark.parametrize("given", BAD, ids=expect.name)
@pytest.mark.parametrize("field", ["received_at", "due_at"])
def test_what_is_no_moment_opens_no_case(as_actor, field, given):
    answer = as_actor(WRITER).post("/cases", {"title": "Late reporting", field: given})

    expect.refusal(answer, 422, "validation_error", {field})


@pytest.mark.parametrize("given", BAD, ids=expect.name)
def test_what_is_no_moment_changes_no_draft(as_actor, given):
    case = CaseFactory()

    answer = as_actor(WRITER).patch(f"/cases/{case.id}", {"due_at": given})

    expect.refusal(answer, 422, "validation_error", {"due_at"})
    expect.unchanged(case)


@pytest.mark.parametrize("given", [*BAD, None], ids=expect.name)
def test_what_is_no_moment_is_no_due_date(as_actor, given):
    case = CaseFactory(status="SUBMITTED")

    answer = as_actor(SUPERVISOR).post(
        f"/cases/{case.id}/due-date", {"due_at": given, "reason": "More time"}
    )

    expect.refusal(answer, 422, "validation_error", {"due_at"})
    expect.unchanged(case)


@pytest.mark.parametrize("field", ["received_at", "due_at"])
def test_null_counts_as_not_given(as_actor, field):
    case = expect.the_case(
        as_actor(WRITER).post("/cases", {"title": "Late reporting", field: None}), 201
    )

    assert case["due_at"] is None
    assert case["received_at"] == case["created_at"]
