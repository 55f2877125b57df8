"""One working day in the back office, in a browser: from a register to an audited closure."""

from __future__ import annotations

import re
from pathlib import Path

from playwright.sync_api import Page, expect

from tests.e2e.browser import Office

REGISTER = """external_reference,title,subject,category,priority
2026/101,Fees charged twice,Northwind Bank,Payments,HIGH
2026/102,Late annual report,Northwind Bank,Insurance,NORMAL
2026/103,Claim refused without reasons,Northwind Bank,Insurance,URGENT
2026/104,,Northwind Bank,Insurance,NORMAL
"""


def open_case(page: Page, title: str) -> str:
    """Open a case from the list in front of the reader; return its id."""
    page.click(f"table.rows a:has-text('{title}')")
    page.wait_for_url("**/change/")
    return re.search(r"CASE-\d+", page.url)[0]


def status(page: Page, words: str) -> None:
    expect(page.locator(".case-head .chip").first).to_have_text(words)


def take_in(office: Office, folder: Path) -> None:
    """The writer uploads the register of the day, mends what is missing, looks and imports."""
    register = folder / "register.csv"
    register.write_text(REGISTER)
    writer = office.desk("writer-1")
    writer.goto("/admin/cases/case/")
    writer.click("a:has-text('Import')")
    writer.set_input_files("#id_file", str(register))
    writer.click("button:has-text('Upload')")
    expect(writer.locator("#id_title")).to_have_value("1")  # as it is called
    writer.click("button:has-text('Check all rows')")
    expect(writer.locator("[role=alert]").first).to_contain_text("Nothing was checked yet")
    writer.fill("#id_source", "day")
    writer.check("#id_submit")
    writer.click("button:has-text('Check all rows')")
    expect(writer.locator("#refused-heading")).to_be_visible()
    expect(writer.locator("[aria-labelledby=refused-heading] tbody tr")).to_have_count(1)
    expect(writer.locator(".why")).to_have_text("title: This field may not be blank.")
    writer.dblclick("button:has-text('Import 3 rows')")
    expect(writer.locator("#outcome-heading")).to_have_text("4 rows done")
    with writer.expect_download() as download:
        writer.click("text=Download what did not go in")
    assert Path(download.value.path()).read_text().startswith('{"line": 5, "reason": "title:')
    writer.click("text=See the cases")
    expect(writer.locator("table.rows tbody tr")).to_have_count(3)


def hand_out(office: Office) -> None:
    """The supervisor finds what came in, forgets to name a reviewer, and gives it to one."""
    supervisor = office.desk("supervisor-1")
    supervisor.goto("/admin/cases/case/?queue=unassigned&source=day")
    expect(supervisor.locator("table.rows tbody tr")).to_have_count(3)
    supervisor.check("text=All on this page")
    expect(supervisor.locator("#chosen-said")).to_have_text("3 chosen")
    supervisor.click("button:has-text('Assign')")
    expect(supervisor.locator("[role=alert]")).to_contain_text("Choose a reviewer")
    expect(supervisor.locator("#chosen-said")).to_have_text("3 chosen")
    supervisor.select_option("#reviewer_id", "reviewer-1")
    supervisor.dblclick("button:has-text('Assign')")
    expect(supervisor.locator("h1")).to_have_text("3 of 3 assigned to reviewer-1")
    supervisor.reload()
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
    mine = reviewer.locator(".suggestion", has_text="you,")
    expect(mine.locator("input")).to_be_checked()
    reviewer.fill("#id_reviewer_id", "reviewer-")
    expect(reviewer.locator("#somebody-else")).to_be_checked()
    mine.click()
    expect(reviewer.locator("#id_reviewer_id")).to_have_value("")
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
    auditor.locator("tbody input[name=chosen]").first.check()
    auditor.click(".bulk button:has-text('Export')")
    expect(auditor.locator("h1")).to_have_text("1 of 1 in the file")
    with auditor.expect_download() as download:
        auditor.click("text=Download the file")
    assert Path(download.value.path()).read_text("utf-8-sig").count("\n") == 2


def test_a_day_in_the_office(office: Office, tmp_path: Path) -> None:
    take_in(office, tmp_path)
    hand_out(office)
    reviewer, urgent = review(office)
    decide(office, reviewer, urgent)
    audit(office, urgent)

    assert office.complaints == []
