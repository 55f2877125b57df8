"""Two clicks at the same moment in the back office."""

from __future__ import annotations

from uuid import uuid4

import pytest
from django.test import Client

from audit.models import AuditEvent
from cases.models import Case
from tests.cast import REVIEWER
from tests.factories import CaseFactory, UserFactory
from tests.integration.pages import page

pytestmark = pytest.mark.usefixtures("committed")


def test_a_double_click_at_the_same_moment_closes_once_and_says_so(at_once):
    account = UserFactory(username="rob", roles=["reviewer"])
    case = CaseFactory(status="UNDER_REVIEW")
    sent = {"form_key": str(uuid4()), "reason": "Settled", "expected_version": case.version}

    def click():
        browser = Client()
        browser.force_login(account)
        return browser.post(page(case, "close"), sent)

    answers = at_once(click, click)

    assert [(a.status_code, a["Location"]) for a in answers] == [(302, page(case))] * 2
    assert Case.objects.get(pk=case.id).version == case.version + 1
    assert REVIEWER.id == AuditEvent.objects.get(case_id=case.id, event_type="CASE_CLOSED").actor_id


def test_a_double_click_at_the_same_moment_assigns_many_cases_once_and_shows_one_result(at_once):
    account = UserFactory(username="sue", roles=["supervisor"])
    UserFactory(username="rosa", roles=["reviewer"])
    cases = [CaseFactory(status="SUBMITTED") for _ in range(5)]
    sent = {
        "form_key": str(uuid4()), "do": "assign", "reviewer_id": "rosa",
        "chosen": [f"{case.id}:{case.version}" for case in cases],
    }  # fmt: skip

    def click():
        browser = Client()
        browser.force_login(account)
        return browser, browser.post("/admin/cases/case/", sent)

    (browser, first), (_, second) = at_once(click, click)

    assert first["Location"] == second["Location"]
    results = browser.get(first["Location"]).context["results"]
    assert [(one["of"].case_id, one["of"].done) for one in results] == [(c.id, True) for c in cases]
    events = AuditEvent.objects.filter(event_type="CASE_REVIEWER_ASSIGNED")
    assert sorted(events.values_list("case_id", flat=True)) == [case.id for case in cases]
