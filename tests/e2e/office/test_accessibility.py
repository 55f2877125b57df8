"""Every kind of page, looked at by axe-core, in light and dark, wide and narrow."""

from __future__ import annotations

import re
import time
from base64 import b32decode
from typing import Any

import pytest
from axe_playwright_python.base import AXE_SCRIPT
from django_otp.oath import TOTP
from playwright.sync_api import Page

from cases.demo.accounts import DEMO_PASSWORD
from tests.e2e.browser import NARROW, WIDE, Office

# What WCAG 2.2 AA asks for, as far as a machine can tell.
RULES = {
    "runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"],
    "resultTypes": ["violations"],
    "preload": False,  # it would put styles into the page, which the policy forbids
}
# What can differ in the dark.
COLOURS = {**RULES, "runOnly": {"type": "rule", "values": ["color-contrast"]}}
CASE = "/admin/cases/case/CASE-000236"
CASES = "/admin/cases/case/"

PAGES = {
    "log-in": ("", "/admin/login/"),
    "start": ("supervisor-1", "/admin/"),
    "start of a reviewer": ("reviewer-1", "/admin/"),
    "start of a writer": ("writer-1", "/admin/"),
    "start of an auditor": ("auditor-1", "/admin/"),
    "start of an admin": ("admin-1", "/admin/"),
    "dashboard": ("supervisor-1", "/admin/dashboard/"),
    "queue": ("supervisor-1", f"{CASES}?queue=overdue"),
    "filters": ("supervisor-1", f"{CASES}?queue=all&priority=HIGH&due_from=someday"),
    "empty queue": ("supervisor-1", f"{CASES}?queue=mine"),
    "case": ("supervisor-1", f"{CASE}/change/"),
    "form": ("supervisor-1", f"{CASE}/set-due-date/"),
    "refused form": ("supervisor-1", f"{CASE}/close/"),
    "suggested reviewers": ("supervisor-1", f"{CASE}/assign/"),
    "new case": ("writer-1", f"{CASES}add/"),
    "administration": ("admin-1", "/admin/tables/"),
    "accounts": ("admin-1", "/admin/auth/user/"),
    "account": ("admin-1", "/admin/auth/user/"),  # the first one there
    "tokens": ("admin-1", "/admin/config/apitoken/add/"),
    "trail": ("auditor-1", "/admin/audit/auditevent/?q=CASE-000236"),
    "outbox": ("auditor-1", "/admin/outbox/outboxevent/"),
    "nothing there": ("admin-1", f"{CASES}CASE-999999/change/"),
    "password": ("admin-1", "/admin/password_change/"),
    "sessions": ("admin-1", "/admin/sessions/"),
    "case in the API": ("supervisor-1", "/v1/cases/CASE-000236"),
    "list in the API": ("supervisor-1", "/v1/cases"),
}


def look(page: Page, rules: dict[str, Any]) -> list[str]:
    """Return what axe-core finds that keeps people from using a page, or makes it hard."""
    if not page.evaluate("'axe' in window"):
        page.evaluate(AXE_SCRIPT)
    found: list[dict[str, Any]] = page.evaluate(
        "async rules => (await axe.run(rules)).violations", rules
    )
    return [
        f"{one['impact']} {one['id']}: {node['target']} {node['html'][:200]}"
        for one in found
        if one["impact"] in ("serious", "critical", "moderate")
        for node in one["nodes"]
    ]


def darken(page: Page) -> None:
    """Turn to the dark, at once: colours on their way would be measured in between."""
    page.emulate_media(color_scheme="dark")
    page.evaluate("() => new Promise(done => requestAnimationFrame(() => setTimeout(done)))")
    page.evaluate("document.getAnimations().forEach(one => one.finish())")
    assert page.evaluate("document.getAnimations().length") == 0


@pytest.mark.parametrize("name", PAGES)
def test_a_page_has_no_serious_finding_and_breaks_no_rule_of_the_policy(
    office: Office, name: str
) -> None:
    username, address = PAGES[name]
    page = office.desk(username)
    page.goto(address)
    if name == "account":
        page.locator("#result_list tbody th a").first.click()
        page.locator("#id_username, .field-username").first.wait_for()
    closed_parts = "details.filters, details.forbidden, details.menu, details.values"
    page.locator(closed_parts).evaluate_all("all => all.forEach(one => { one.open = true })")

    assert office.complaints == []
    assert look(page, RULES) == []
    darken(page)
    assert look(page, COLOURS) == []
    page.set_viewport_size(NARROW)
    assert page.evaluate("document.documentElement.scrollWidth") <= NARROW["width"]


def test_a_register_is_imported_by_pages_that_have_no_serious_finding(office: Office) -> None:
    page = office.desk("writer-1")
    page.goto(f"{CASES}import/")
    seen = [look(page, RULES)]
    rows = "title,external_reference\n" + "".join(f"Fees charged twice,F-{n}\n" for n in range(3))
    page.set_input_files(
        "[type=file]",
        {"name": "fees.csv", "mimeType": "text/csv", "buffer": f"{rows},F-9\n".encode()},
    )
    page.get_by_role("button", name="Upload", exact=True).click()
    page.fill("[name=source]", "Complaints 2026")
    seen.append(look(page, RULES))
    page.get_by_role("button", name="Check all rows").click()
    page.get_by_role("button", name=re.compile("^Import")).wait_for()
    seen.append(look(page, RULES))
    page.get_by_role("button", name=re.compile("^Import")).click()
    page.get_by_text("4 rows done").wait_for()
    seen.append(look(page, RULES))

    assert seen == [[], [], [], []]
    assert office.complaints == []
    assert page.get_by_text("F-9").count() >= 1
    page.goto(f"{CASES}?queue=all&q=fees")
    assert page.get_by_text("Fees charged twice").count() >= 3


@pytest.mark.parametrize("do", ["assign", "export"])
def test_results_of_many_cases_have_no_serious_finding(office: Office, do: str) -> None:
    page = office.desk("supervisor-1")
    page.goto(f"{CASES}?queue=closed")
    page.check("text=All on this page")
    page.click(f".bulk button[value={do}]")
    seen = []
    if do == "assign":
        page.locator("[role=alert]").wait_for()  # no reviewer was chosen
        seen += look(page, RULES)
        page.select_option("#reviewer_id", "reviewer-1")
        page.click(f".bulk button[value={do}]")
    page.wait_for_url("**/results/**")
    seen += look(page, RULES)
    darken(page)
    seen += look(page, COLOURS)
    page.set_viewport_size(NARROW)

    assert seen == []
    assert office.complaints == []
    assert page.evaluate("document.documentElement.scrollWidth") <= NARROW["width"]


def code_of(key: str, *, ahead: int = 0) -> str:
    """Return what an app shows that was told this key, now or some steps later."""
    totp = TOTP(b32decode(key.replace(" ", "")))
    totp.time = time.time() + ahead * 30
    return f"{totp.token():06}"


def test_a_second_factor_is_set_up_and_shown_with_the_keyboard_alone(office: Office) -> None:
    page = office.desk("writer-2")
    page.goto("/admin/second-factor/")
    page.wait_for_url("**/set-up/**")
    seen = [look(page, RULES)]
    key = page.locator("code.key").inner_text()
    page.locator("#id_code:focus").wait_for()
    page.keyboard.type("000000")
    page.keyboard.press("Enter")
    page.get_by_text("This code is wrong").wait_for()
    seen.append(look(page, RULES))
    page.wait_for_timeout(1_100)  # so long no code is looked at
    page.locator("#id_code").select_text()
    page.keyboard.type(code_of(key))
    page.keyboard.press("Enter")
    page.locator(".recovery-codes").wait_for()
    seen.append(look(page, RULES))
    assert page.locator(".recovery-codes li").count() == 10
    darken(page)
    seen.append(look(page, COLOURS))
    page.set_viewport_size(NARROW)
    assert page.evaluate("document.documentElement.scrollWidth") <= NARROW["width"]
    page.goto("/admin/second-factor/")
    seen.append(look(page, RULES))

    again = office.desk()
    again.goto("/admin/login/?next=/admin/tables/")
    again.locator("#id_username:focus").wait_for()
    again.keyboard.type("writer-2")
    again.keyboard.press("Tab")
    again.keyboard.type(DEMO_PASSWORD)
    again.keyboard.press("Enter")
    again.wait_for_url("**/second-factor/code/**")
    seen.append(look(again, RULES))
    again.locator("#id_code:focus").wait_for()
    again.keyboard.type(code_of(key, ahead=1))
    again.keyboard.press("Enter")
    again.wait_for_url("**/admin/tables/")

    assert seen == [[]] * len(seen)
    assert office.complaints == []


def test_a_password_is_shown_and_hidden_while_it_is_typed_with_the_keyboard(office: Office) -> None:
    office.complaints.clear()
    page = office.desk()
    page.goto("/admin/login/?next=/admin/sessions/")
    field = page.locator("#id_password")
    page.fill("#id_username", "writer-1")
    field.fill("a wrong word")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")

    assert field.get_attribute("type") == "text"
    assert page.get_by_role("button", name="Hide Password", exact=True).is_visible()
    seen = look(page, RULES)
    page.keyboard.press("Enter")
    assert field.get_attribute("type") == "password"
    page.keyboard.press("Enter")
    sent_as = page.evaluate(
        """() => new Promise((told) => {
          const field = document.getElementById("id_password");
          field.form.addEventListener("submit", (event) => {
            event.preventDefault();
            told(field.type);
          });
          field.form.requestSubmit();
        })"""
    )

    assert sent_as == "password"
    assert seen == []
    page = office.desk("writer-1")
    page.goto("/admin/password_change/")
    assert page.locator("button.shows").count() == 3
    assert office.complaints == []


def test_the_documentation_of_the_api_runs_under_the_policy(office: Office) -> None:
    page = office.desk()

    page.goto("/docs")
    page.locator(".opblock-summary").first.click()
    page.locator(".opblock-body").first.wait_for()

    assert office.complaints == []


def test_the_first_stop_of_the_keyboard_leads_past_the_navigation(office: Office) -> None:
    page = office.desk("supervisor-1")
    page.goto(f"{CASE}/change/")

    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.textContent") == "Skip to main content"
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")

    assert page.evaluate("document.querySelector('main').contains(document.activeElement)")


def test_the_theme_is_chosen_with_a_button_and_kept(office: Office) -> None:
    page = office.desk("supervisor-1")
    page.goto("/admin/tables/")
    before = page.evaluate("getComputedStyle(document.body).backgroundColor")

    page.click(".theme-toggle")
    page.reload()

    assert page.get_attribute("html", "data-theme") == "dark"
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") != before


def test_a_window_is_to_the_next_test_as_if_it_were_new(office: Office) -> None:
    page = office.desk("supervisor-1")
    page.goto("/admin/tables/")
    page.click(".theme-toggle")
    page.set_viewport_size(NARROW)
    darken(page)

    office.tidy()
    again = office.desk("supervisor-1")
    again.goto("/admin/tables/")

    assert again is page
    assert again.get_attribute("html", "data-theme") != "dark"
    assert not again.evaluate("matchMedia('(prefers-color-scheme: dark)').matches")
    assert again.viewport_size == WIDE
