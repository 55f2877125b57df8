"""Times in the back office are those of the office's clock, shown and typed."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from django.utils import timezone

from cases.models import Case
from tests.factories import CaseFactory
from tests.integration.pages import page, text

pytestmark = pytest.mark.django_db

DUE = datetime(2199, 6, 30, 22, 30, tzinfo=UTC)  # half past midnight of July in Berlin


@pytest.fixture(autouse=True)
def berlin(settings) -> None:
    settings.SLA_TIME_ZONE = "Europe/Berlin"


def test_a_due_date_is_shown_by_the_office_s_clock_on_the_page_in_the_list_and_in_the_trail(log_in):
    case = CaseFactory(status="SUBMITTED", due_at=DUE.isoformat())
    browser = log_in("sue", "supervisor", "auditor")

    shown = text(browser.get(page(case)))

    assert "Monday, 1 July 2199, 00:30 CEST" in shown
    assert "Times are those of Europe/Berlin." in shown
    assert "2199-07-01 00:30 CEST" in shown  # in the trail
    assert "1 Jul 2199" in text(browser.get("/admin/cases/case/?queue=all"))


def test_a_due_date_is_typed_by_the_office_s_clock(log_in):
    case = CaseFactory(status="SUBMITTED", due_at=DUE.isoformat())
    browser = log_in("sue", "supervisor")
    form = text(browser.get(page(case, "set_due_date")))
    assert 'value="2199-07-01T00:30"' in form
    assert "By the clock of Europe/Berlin." in form

    browser.post(
        page(case, "set_due_date"),
        {"due_at": "2199-01-15T12:00", "reason": "Agreed", "expected_version": case.version},
    )

    assert Case.objects.get(pk=case.pk).due_at == datetime(2199, 1, 15, 11, tzinfo=UTC)


def test_the_clock_of_a_page_is_not_kept_for_what_comes_after_it(log_in):
    case = CaseFactory(status="SUBMITTED")

    log_in("sue", "supervisor").get(page(case))

    assert timezone.get_current_timezone_name() == "UTC"
