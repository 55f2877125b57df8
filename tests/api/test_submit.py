import pytest

from tests.cast import WRITER
from tests.factories import CaseFactory

pytestmark = pytest.mark.django_db


def test_a_draft_that_is_submitted_waits_for_review(as_actor):
    case = CaseFactory()

    answer = as_actor(WRITER).post(f"/cases/{case.id}/submit")

    assert answer.status_code == 200
    assert answer.json()["status"] == "SUBMITTED"
    assert answer.json()["version"] == 1
