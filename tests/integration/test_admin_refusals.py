"""What the back office says when a rule forbids an action; each refusal ends its transaction."""

from __future__ import annotations

import pytest

from cases import services
from cases.models import Case
from tests.cast import SUPERVISOR
from tests.factories import CaseFactory
from tests.integration.pages import page, text

pytestmark = pytest.mark.usefixtures("committed")


def test_a_wrong_status_is_said_in_words_and_what_was_typed_stays(log_in):
    case = CaseFactory(status="SUBMITTED")

    answer = log_in("rob", "reviewer").post(
        page(case, "escalate"), {"reason": "Beyond our remit", "expected_version": case.version}
    )

    assert "not possible on a case that is SUBMITTED" in text(answer)
    assert "Beyond our remit" in text(answer)
    assert Case.objects.get(pk=case.id).status == "SUBMITTED"


def test_who_decides_on_an_old_page_is_told_and_can_decide_again(log_in):
    case = CaseFactory(status="UNDER_REVIEW")
    browser = log_in("rob", "reviewer")
    services.add_note(case_id=case.id, body="New evidence", actor=SUPERVISOR)

    first = browser.post(
        page(case, "close"), {"reason": "Settled", "expected_version": case.version}
    )
    second = browser.post(
        page(case, "close"), {"reason": "Settled", "expected_version": case.version + 1}
    )

    assert "The case has changed since you read it" in text(first)
    assert "What changed meanwhile" in text(first)
    assert "sue</strong> added a note" in text(first)
    assert "started the review" not in text(first)
    assert ">Settled</textarea>" in text(first).replace("\n", "")
    assert f'value="{case.version + 1}"' in text(first)
    assert second.status_code == 302
    assert Case.objects.get(pk=case.id).status == "CLOSED"
