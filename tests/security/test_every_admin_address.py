"""Every address of the back office, by everybody who may come along, read and written to.

Nothing is edited around the actions, and a case that is hidden shows nowhere. The addresses come
from the URL conf: a page that is new is walked without a word here. The requests commit, as those
of people do, so that the database's own guards have their say at each of them.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final
from urllib.parse import urlencode

import pytest
from django.contrib.auth.models import Group
from django.test import Client

from tests.integration.conftest import committed, transactional_db
from tests.security.walk_addresses import Address, actions_of, queries_of
from tests.security.walk_forms import every_field, on_a_list
from tests.security.walk_ledger import Change, Ledger, done_by, unexplained
from tests.security.walk_office import PARTS, SECRET, Office, Part, office_of

__all__ = ["committed", "transactional_db"]  # the fixtures
pytestmark = pytest.mark.usefixtures("committed")

LOG_IN = "/admin/login/"
LOGGED_IN = "_auth_user_id"
# Open to all: the ways in and out, and the way from the address without a slash.
DOORS = {LOG_IN, "/admin/logout/", "/admin/oidc/begin", "/admin/oidc/callback", "/admin"}
Request = tuple[str, str, dict[str, Any] | None]
URLENCODED: Final = "application/x-www-form-urlencoded"


@pytest.fixture
def office(committed: None, request: pytest.FixtureRequest) -> Iterator[Office]:
    with office_of(request.param) as found:
        yield found


def requests_to(address: Address, place: int, office: Office) -> Iterator[Request]:
    """Yield all that is asked of one path: plainly, by queries, with every field, as a list.

    All rows are sent the form with every field, two are read (of the cases, the second is hidden),
    and one is sent a form without anything.
    """
    path = address.paths[place]
    if place <= 1:
        yield "get", path, None
        for query in queries_of(address, SECRET):
            yield "get", path + query, None
    if place == 0:
        yield "post", path, {}
    yield "post", path, every_field(address.model)
    if address.is_list:
        assert address.model is not None
        rows = [str(row.pk) for row in address.model._default_manager.all()[:20]]
        chosen = [f"{case.id}:{case.version}" for case in office.cases()]
        for action in actions_of(address.model):
            yield "post", path, on_a_list(action, rows, chosen)


def send(browser: Client, asked: Request) -> Any:
    """Ask as a browser does: a form has parts only where a file is sent with it."""
    method, path, form = asked
    if method == "get":
        return browser.get(path)
    if form and "file" in form:
        return browser.post(path, form)
    return browser.post(path, urlencode(form or {}, doseq=True), content_type=URLENCODED)


def leaks(office: Office, asked: Request, answer: Any) -> list[str]:
    """Return what of the hidden case an answer tells to who may not know of it."""
    if office.part.sees_everything:
        return []
    body = b"".join(answer) if answer.streaming else answer.content
    told = f"{answer.headers} {answer.cookies} {body.decode(errors='replace')}"
    secrets = {f"{SECRET}-"} | ({office.hidden.id} if office.hidden.id not in str(asked) else set())
    return [f"told of {secret}" for secret in secrets if secret in told]


def walk(office: Office, browser: Client) -> Iterator[tuple[Request, Any, dict[str, Change]]]:
    """Yield each request with its answer and with what it changed in the database."""
    ledger, addresses = Ledger(), office.addresses()
    for number, address in enumerate(addresses):
        for place in range(len(address.paths)):
            refused = False
            for asked in requests_to(addresses[number], place, office):
                if asked[2] == {} and refused:
                    continue  # the form with every field will be refused as well, or is told of
                answer = send(browser, asked)
                refused = answer.status_code in (403, 404)
                yield asked, answer, (changes := ledger.changes())
                if "django_session" in changes and LOGGED_IN not in browser.session:  # led out
                    browser.force_login(office.pat)
                    ledger.changes()
                if "cases" in changes and office.refresh():
                    addresses = office.addresses()
                    ledger.changes()


@pytest.mark.parametrize("office", PARTS, ids=lambda part: part.name, indirect=True)
def test_nothing_is_edited_around_the_actions_and_no_hidden_case_shows(office: Office) -> None:
    walker, browser = office.walker(), office.browser()
    wrong: list[str] = []
    done: set[str] = set()

    for asked, answer, changes in walk(office, browser):
        problems = [*leaks(office, asked, answer), *unexplained(changes, walker)]
        if answer.status_code >= 500:
            problems.append(f"answered {answer.status_code}")
        if asked[0] == "get" and changes.keys() - {"django_session", "account_sessions"}:
            problems.append(f"reading changed {sorted(changes)}")
        wrong += [f"{asked[0]} {asked[1]} {sorted(asked[2] or {})}: {one}" for one in problems]
        done |= done_by(changes)

    assert wrong == []
    # Nor is an action missing: whatever the contract gives to a role, some page lets it be done.
    assert done == office.part.may


@pytest.mark.parametrize("office", PARTS[:1], ids=["nobody"], indirect=True)
def test_who_has_not_logged_in_is_led_to_the_log_in_from_everywhere(office: Office) -> None:
    ledger, browser = Ledger(), Client(raise_request_exception=False)
    for address in office.addresses():
        for path in address.paths:
            for method, form in (("get", None), ("post", every_field(address.model))):
                answer = send(browser, (method, path, form))

                assert answer.status_code < 500, path
                assert leaks(office, (method, path, form), answer) == []
                if path not in DOORS:
                    assert answer.status_code == 302, (method, path)
                    assert answer.headers["Location"].startswith(LOG_IN), (method, path)
                changed = ledger.changes().keys()
                assert changed <= ({"axes_accessattempt"} if path == LOG_IN else set()), path


@pytest.mark.parametrize("part", [part for part in PARTS if part.superuser], ids=["superuser"])
def test_the_roles_stand_as_before_when_somebody_took_them_away(committed, part: Part) -> None:
    def roles() -> set[tuple[str, str]]:
        return set(Group.objects.values_list("name", "permissions__codename"))

    before = roles()
    with office_of(part) as office:
        rows = [str(group.pk) for group in Group.objects.all()]
        office.browser().post(
            "/admin/auth/group/", on_a_list("delete_selected", rows, []), follow=True
        )
        assert roles() == set()

    assert roles() == before
    assert ("reviewer", "close_case") in before
