"""Reads a page of the API as a browser does: its forms, their fields, what they would send."""

from __future__ import annotations

from html.parser import HTMLParser
from typing import Any
from urllib.parse import quote_plus


class Form:
    """A form of a page: where it goes, and what stands in its fields."""

    def __init__(self, attributes: dict[str, str | None]) -> None:
        self.address = attributes.get("action") or ""
        self.method = (attributes.get("method") or "get").lower()
        self.values: dict[str, str] = {}
        self.label = ""

    def send(self, browser: Any, **typed: str) -> Any:
        """Type into the fields, press the button and return the answer."""
        unknown = set(typed) - set(self.values)
        assert not unknown, f"{self.label} has no {unknown}"
        return browser.post(
            self.address,
            "&".join(f"{quoted(k)}={quoted(v)}" for k, v in (self.values | typed).items()),
            content_type="application/x-www-form-urlencoded",
            headers={"accept": BROWSER},
        )


BROWSER = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"


def quoted(text: str) -> str:
    """Write a text as a form is sent: lines end as in a letter."""
    return quote_plus(text.replace("\n", "\r\n"))


class Page(HTMLParser):
    """What a person sees: texts, links and forms."""

    def __init__(self, answer: Any) -> None:
        super().__init__()
        self.forms: dict[str, Form] = {}
        self.links: list[str] = []
        self.loaded: list[str] = []
        self.text = ""
        self.scripts = 0
        self._form: Form | None = None
        self._area = self._select = ""
        self._within = ""
        self.feed(answer.content.decode())

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = dict(attrs)
        name, value = found.get("name") or "", found.get("value") or ""
        self._within = tag
        self.loaded += [v for k, v in attrs if k == "src" or (tag == "link" and k == "href") if v]
        if tag == "script":
            self.scripts += "src" not in found
        if tag == "a" and found.get("href"):
            self.links.append(found["href"] or "")
        if tag == "form":
            self._form = Form(found)
        if self._form is None:
            return
        if tag == "input" and found.get("type") == "submit":
            self._form.label = value
            self.forms[value] = self._form
        elif tag == "input":
            self._form.values[name] = value
        elif tag == "textarea":
            self._form.values[name], self._area = "", name
        elif tag == "select":
            self._form.values[name], self._select = "", name
        elif tag == "option":
            self._option = "selected" in found

    def handle_data(self, data: str) -> None:
        if self._within not in ("script", "style"):
            self.text += data
        if self._form is None:
            return
        if self._area:
            self._form.values[self._area] += data.removeprefix("\n")
        elif self._select and data.strip():
            # A browser sends the first option where none is selected.
            chosen = self._form.values[self._select]
            self._form.values[self._select] = data if self._option else chosen or data

    def handle_endtag(self, tag: str) -> None:
        self._within = ""
        if tag == "form":
            self._form = None
        elif tag == "textarea":
            self._area = ""
        elif tag == "select":
            self._select = ""
