"""One case, verified: silence on what the services wrote, words on what somebody changed."""

from __future__ import annotations

import pytest

from audit.verify.single import verify_case
from cases.models import Case
from tests.integration.test_replay import long_story  # noqa: F401 (a fixture)

pytestmark = pytest.mark.django_db


def test_a_case_with_every_kind_of_event_is_found_right(long_story: list[Case]) -> None:  # noqa: F811 (pytest's way to ask for it)
    report = verify_case(long_story[-1].id)

    assert report.findings == []
    assert report.ok
    assert (report.tally.cases, report.tally.events) == (1, long_story[-1].version + 1)
    assert report.tally.notes == 11
    assert report.tally.grants == 2
