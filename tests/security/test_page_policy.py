"""What a page may load and run: nothing from elsewhere, and nothing that stands in the page."""

from __future__ import annotations

import re

import pytest
from django.urls import reverse

from tests.cast import REVIEWER
from tests.factories import CaseFactory, UserFactory

pytestmark = pytest.mark.django_db

PAGES = [
    "/admin/", "/admin/dashboard/", "/admin/cases/case/", "/admin/tables/", "/docs", "/v1/cases",
    "/admin/nowhere/",
]  # fmt: skip
INLINE = re.compile(r"<style|\sstyle=|\son[a-z]+=|<script(?![^>]*\ssrc=)|javascript:")


@pytest.fixture
def browser(client):
    client.force_login(UserFactory(username="ada", is_superuser=True))
    return client


def policy(answer) -> dict[str, set[str]]:
    parts = (part.split() for part in answer["Content-Security-Policy"].split(";"))
    return {name: set(sources) for name, *sources in parts}


@pytest.mark.parametrize("address", PAGES)
def test_a_page_loads_and_runs_only_what_this_service_serves(browser, address):
    rules = policy(browser.get(address, HTTP_ACCEPT="text/html"))

    assert rules["default-src"] == rules["form-action"] == {"'self'"}
    assert rules["object-src"] == rules["base-uri"] == rules["frame-ancestors"] == {"'none'"}
    assert not {source for sources in rules.values() for source in sources if "unsafe" in source}
    assert set(rules) <= {
        "default-src", "form-action", "object-src", "base-uri", "frame-ancestors", "img-src",
    }  # fmt: skip


@pytest.mark.parametrize("address", PAGES)
def test_no_script_and_no_style_stands_in_a_page(browser, address):
    page = browser.get(address, HTTP_ACCEPT="text/html").content.decode()

    assert not INLINE.findall(page)
    assert not re.findall(r"""(?:src|href)=["'](?:https?:)?//""", page)


def test_only_the_documentation_may_show_images_that_its_stylesheet_holds(browser):
    assert policy(browser.get("/docs"))["img-src"] == {"'self'", "data:"}
    assert "img-src" not in policy(browser.get("/admin/"))


def test_the_log_in_page_has_the_policy_before_anybody_is_known(client):
    assert policy(client.get(reverse("admin:login")))["default-src"] == {"'self'"}


def test_an_answer_of_the_api_carries_no_policy(as_actor):
    case = CaseFactory()

    answer = as_actor(REVIEWER).get(f"/cases/{case.id}")

    assert answer.status_code == 200
    assert "Content-Security-Policy" not in answer
