"""One working day in the back office, in a browser: from a register to an audited closure."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.e2e.browser import Office, manage, open_office

REGISTER = """external_reference,title,subject,category,priority
2026/101,Fees charged twice,Northwind Bank,Payments,HIGH
2026/102,Late annual report,Northwind Bank,Insurance,NORMAL
2026/103,Claim refused without reasons,Northwind Bank,Insurance,URGENT
"""


@pytest.fixture(scope="module")
def office(transactional_db, django_db_blocker) -> Iterator[Office]:
    with django_db_blocker.unblock(), open_office("day") as opened:
        yield opened


def open_case(page: Page, title: str) -> str:
    """Open a case from the list in front of the reader; return its id."""
    page.click(f"table.rows a:has-text('{title}')")
    page.wait_for_url("**/change/")
    return re.search(r"CASE-\d+", page.url)[0]


def status(page: Page, words: str) -> None:
    expect(page.locator(".case-head .chip").first).to_have_text(words)


def take_in(office: Office, folder: Path) -> None:
    """The register of the day is imported by command."""
    register = folder / "register.csv"
    register.write_text(REGISTER)
    said = manage(
        office.database, "import_cases", str(register), "--source", "day", "--submit",
        "--actor", "writer-1", "--rejects", str(folder / "rejects.jsonl"),
    )  # fmt: skip
    assert "3 created" in said


def hand_out(office: Office) -> None:
    """The supervisor finds what came in and gives it to a reviewer."""
    supervisor = office.desk("supervisor-1")
    supervisor.goto("/admin/cases/case/?queue=unassigned&source=day")
    expect(supervisor.locator("table.rows tbody tr")).to_have_count(3)
    supervisor.check("text=All on this page")
    expect(supervisor.locator("#chosen-said")).to_have_text("3 chosen")
    supervisor.select_option("#reviewer_id", "reviewer-1")
    supervisor.click("button:has-text('Assign')")
    expect(supervisor.locator("h1")).to_have_text("3 of 3 assigned to reviewer-1")
    expect(supervisor.locator("td .chip", has_text="Done")).to_have_count(3)


def review(office: Office) -> tuple[Page, str]:
    """The reviewer takes one up from the own queue, writes a note and escalates it."""
    reviewer = office.desk("reviewer-1")
    reviewer.goto("/admin/")
    reviewer.click("nav[aria-label=Main] >> text=Cases")
    expect(reviewer.locator("h1")).to_have_text("My cases")
    reviewer.goto("/admin/cases/case/?queue=mine&source=day")
    urgent = open_case(reviewer, "Claim refused")
    status(reviewer, "Submitted")
    reviewer.click("text=Start review")
    reviewer.click("text=Assign to me")
    expect(reviewer.locator("#id_reviewer_id")).to_have_value("reviewer-1")
    reviewer.dblclick(".ask button.button:has-text('Start review')")
    reviewer.wait_for_url("**/change/")
    status(reviewer, "Under review")
    reviewer.fill("#note-body", "The firm promised an answer by Friday.")
    reviewer.click("button:has-text('Add note')")
    expect(reviewer.locator(".note")).to_contain_text("The firm promised an answer by Friday.")
    reviewer.click("a:has-text('Escalate')")
    reviewer.click("button:has-text('Escalate')")
    expect(reviewer.locator(".errorlist")).to_be_visible()
    reviewer.fill("#id_reason", "Beyond our remit")
    reviewer.click("button:has-text('Escalate')")
    status(reviewer, "Escalated")
    return reviewer, urgent


def decide(office: Office, reviewer: Page, urgent: str) -> None:
    """In two windows: while one writes the reason to close, the other stops the clock."""
    reviewer.click("a:has-text('Close')")
    reviewer.fill("#id_reason", "Settled: the firm pays in full")
    other = office.desk("supervisor-1")
    other.goto(f"/admin/cases/case/{urgent}/pause/")
    other.fill("#id_reason", "Waiting for the ombudsman")
    other.click("button:has-text('Pause clock')")
    other.wait_for_url("**/change/")
    reviewer.click("button:has-text('Close')")
    expect(reviewer.locator("[role=alert]").first).to_contain_text("has changed since you read it")
    expect(reviewer.locator("#since-heading")).to_have_text("What changed meanwhile")
    expect(reviewer.locator(".since")).to_contain_text("Waiting for the ombudsman")
    expect(reviewer.locator("#id_reason")).to_have_value("Settled: the firm pays in full")
    reviewer.click("button:has-text('Close all the same')")
    reviewer.wait_for_url("**/change/")
    status(reviewer, "Closed")
    expect(reviewer.locator(".actions-panel")).to_contain_text("its status is final")


def audit(office: Office, urgent: str) -> None:
    """The auditor finds the case by its number, reads its trail and takes the list along."""
    auditor = office.desk("auditor-1")
    auditor.goto("/admin/")
    auditor.fill("#find", urgent)
    auditor.press("#find", "Enter")
    auditor.wait_for_url(f"**/{urgent}/change/")
    trail = auditor.locator("[aria-labelledby=trail-heading]")
    for fact in ("CASE_CREATED", "CASE_REVIEWER_ASSIGNED", "CASE_NOTE_ADDED", "CASE_CLOSED"):
        expect(trail.get_by_text(fact, exact=True)).to_have_count(1)
    expect(auditor.locator(".case-actions")).to_have_count(0)
    expect(auditor.locator("[aria-labelledby=deliveries-heading] .chip")).to_have_count(8)
    auditor.goto("/admin/cases/case/?queue=all&source=day")
    with auditor.expect_download() as download:
        auditor.click("text=Export list")
    assert Path(download.value.path()).read_text("utf-8-sig").count("\n") == 4


def test_a_day_in_the_office(office: Office, tmp_path: Path) -> None:
    take_in(office, tmp_path)
    hand_out(office)
    reviewer, urgent = review(office)
    decide(office, reviewer, urgent)
    audit(office, urgent)

    assert office.complaints == []
