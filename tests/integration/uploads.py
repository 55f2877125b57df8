"""Importing a register as a person does: by the pages of the back office."""

from __future__ import annotations

import json
from typing import Any

from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse

from cases.models import UploadedRegister
from tests.integration.pages import text

UPLOADS = "/admin/cases/case/import/"
HEADER = "external_reference,title,description,priority"


def register(*lines: str, header: str = HEADER) -> bytes:
    return "\n".join([header, *lines, ""]).encode()


def upload(browser: Client, content: bytes, name: str = "register.csv", **more: Any) -> Any:
    """Send a file; a redirect leads to its page."""
    return browser.post(UPLOADS, {"file": SimpleUploadedFile(name, content), **more})


def the_upload() -> UploadedRegister:
    return UploadedRegister.objects.get()


def address(one: UploadedRegister, page: str = "import") -> str:
    return reverse(f"admin:cases_case_{page}", args=[one.id])


def offered(browser: Client, one: UploadedRegister) -> dict[str, str]:
    """Return what the form of the columns holds beforehand, as it would be sent."""
    form = browser.get(f"{address(one)}?columns").context["form"]
    return {name: form[name].initial or "" for name in form.fields if name != "submit"}


def choose(browser: Client, one: UploadedRegister, **given: str) -> Any:
    """Choose the columns: what is offered, but for what is given; have all rows checked."""
    sent = {**offered(browser, one), "source": "Register", **given}
    answer = browser.post(address(one), {"do": "choose", **sent})
    go_on(browser, one)
    return answer


def begin(browser: Client, one: UploadedRegister) -> Any:
    answer = browser.post(address(one), {"do": "begin"})
    go_on(browser, one)
    return answer


def go_on(browser: Client, one: UploadedRegister) -> None:
    """Press "Go on" until there is nothing to go on with."""
    for _ in range(100):
        if "data-goes-on" not in text(browser.get(address(one))):
            return
        browser.post(address(one), {"do": "work"})
    raise AssertionError


def counts(one: UploadedRegister) -> dict[str, int]:
    """The figures that are not nothing."""
    one.refresh_from_db()
    return {name: number for name, number in one.outcome.items() if number}


def bring_in(browser: Client, content: bytes, name: str = "register.csv", **given: str) -> Any:
    """Upload, choose, import; return the upload as it then is."""
    assert upload(browser, content, name).status_code == 302
    one = UploadedRegister.objects.latest("created_at")
    choose(browser, one, **given)
    begin(browser, one)
    one.refresh_from_db()
    return one


def rejects(browser: Client, one: UploadedRegister) -> dict[int, str]:
    answer = browser.get(address(one, "import_rejects"))
    lines = b"".join(answer.streaming_content).decode("ascii").splitlines()
    return {line["line"]: line["reason"] for line in map(json.loads, lines)}
