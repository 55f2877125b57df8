"""A Chromium in front of the service with its demo, under the policy that production has."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright

from cases.demo.accounts import DEMO_PASSWORD
from tests.api.server import running_server
from tests.starts import in_test, run

# The first has no windows to draw: it takes half the time.
NAMES = ("chromium-headless-shell", "chromium", "chromium-browser", "google-chrome", "chrome")
# Nothing is asked of anybody but the service: no updates, no accounts, no first-run pages.
FLAGS = [
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-gpu",
    "--disable-sync",
    "--no-first-run",
]
NARROW = {"width": 360, "height": 740}
WIDE = {"width": 1280, "height": 900}


def chromium() -> str:
    """Return the path of the browser; skips the test without one, and fails it under CI."""
    named = [os.environ.get("CHROMIUM", ""), *map(shutil.which, NAMES)]
    found = next((path for path in named if path and Path(path).exists()), "")
    if not found:
        reason = (
            "There is no Chromium: apt install chromium-headless-shell, or name one in CHROMIUM."
        )
        (pytest.fail if os.environ.get("CI") else pytest.skip)(reason)
    return found


def manage(url: str, *arguments: str) -> str:
    """Run a command of the service on its database; return what it printed."""
    done = run("manage.py", *arguments, environment=in_test(url, LOG_LEVEL="ERROR"))
    assert done.returncode == 0, done.stderr
    return done.stdout


class Office:
    """The service with its demo, and people at its pages; what a page complains of is kept."""

    def __init__(self, browser: Browser, address: str, sessions: dict[str, Any]) -> None:
        self.browser, self.address, self._sessions = browser, address, sessions
        self.complaints: list[str] = []
        self._lent: list[tuple[str, Page]] = []
        self._free: dict[str, Page] = {}

    def desk(self, username: str = "") -> Page:
        """Return a page of somebody who has logged in, in a window of its own, wide and light."""
        page = self._free.pop(username, None) or self._opened(username)
        self._lent.append((username, page))
        return page

    def tidy(self) -> None:
        """Take the windows back that a test had: one of each person is kept, as if it were new.

        What a browser has to do anew in a new one takes as long as the page itself.
        """
        while self._lent:
            username, page = self._lent.pop()
            if not username or username in self._free:
                page.context.close()
                continue
            page.evaluate("localStorage.clear(); sessionStorage.clear()")
            page.mouse.move(-1, -1)  # over nothing
            page.emulate_media(color_scheme="light")
            page.set_viewport_size(WIDE)
            self._free[username] = page

    def _opened(self, username: str) -> Page:
        context = self.browser.new_context(
            base_url=self.address, storage_state=self._sessions.get(username), viewport=WIDE
        )
        context.set_default_timeout(30_000)
        page = self._watched(context)
        if username and username not in self._sessions:
            page.goto("/admin/login/")
            page.fill("#id_username", username)
            page.fill("#id_password", DEMO_PASSWORD)
            page.click("#login-form [type=submit]")
            page.wait_for_url("**/admin/")
            self._sessions[username] = context.storage_state()
        return page

    def _watched(self, context: BrowserContext) -> Page:
        page = context.new_page()
        page.on("pageerror", lambda error: self.complaints.append(f"{page.url}: {error}"))
        page.on("console", lambda said: self._hear(page, said))
        page.on("request", lambda asked: self._follow(asked.url))
        return page

    def _hear(self, page: Page, said: Any) -> None:
        # A refusal of the policy is an error in the console; so is a page that is meant to be 404.
        if said.type == "error" and "status of 40" not in said.text:
            self.complaints.append(f"{page.url}: {said.text}")

    def _follow(self, url: str) -> None:
        if not url.startswith((self.address, "data:")):
            self.complaints.append(f"asked elsewhere: {url}")


@contextmanager
def open_office(url: str, sessions: dict[str, Any], **environment: str) -> Iterator[Office]:
    """Start the service on a database with the demo, and a browser beside it.

    Who has logged in before is known by the sessions, and who logs in now is added to them.
    """
    path = chromium()
    root = ["--no-sandbox"] if os.geteuid() == 0 else []
    with (
        running_server(url, **environment) as server,
        sync_playwright() as playwright,
        playwright.chromium.launch(executable_path=path, args=[*FLAGS, *root]) as browser,
    ):
        yield Office(browser, server.url, sessions)
