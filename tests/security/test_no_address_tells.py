"""Every address there is, walked along in the URL conf: none tells of a case one may not see.

An address that is new stands in no class of ``addresses.py`` and fails the first test: decide
what it may tell, and the tests of its class do the rest.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth.models import Group, Permission
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from audit.models import AuditEvent
from cases import services
from cases.models import Case
from cases.policies import Actor
from outbox.models import OutboxEvent
from tests.api import expect
from tests.cast import ALLROUNDER, NOBODY, SUPERVISOR
from tests.factories import CaseFactory, UserFactory
from tests.integration.uploads import register, the_upload, upload
from tests.security.addresses import (
    ACCOUNTS,
    ADMIN_CASE,
    ADMIN_EXPORT,
    ADMIN_LISTS,
    AUTOCOMPLETE,
    CASE,
    EXPORTS,
    FORWARDS,
    INSIDERS,
    KEEPERS,
    LISTS,
    OWN,
    QUIET,
    addresses,
    plain,
)

pytestmark = pytest.mark.django_db

SECRET = "Zinnober"  # in whatever the hidden case holds
MISSING = "CASE-999999"


def test_every_address_has_its_class() -> None:
    there = {plain(address) for address in addresses()} - {""}
    classified = [*CASE, *LISTS, *ADMIN_CASE, *ADMIN_LISTS, *INSIDERS, *ACCOUNTS, *QUIET]
    classified += [*EXPORTS, ADMIN_EXPORT, *OWN, *AUTOCOMPLETE, *KEEPERS, *FORWARDS]

    assert len(classified) == len(set(classified))
    assert there == set(classified)


@pytest.fixture
def hide(settings) -> Callable[[], Case]:
    """Return what makes the hidden case, with a note, a grant and a reviewer."""

    def made() -> Case:
        UserFactory(username="grace")
        case = CaseFactory(
            status="UNDER_REVIEW", restricted=True, title=SECRET, description=SECRET,
            subject=SECRET, category=SECRET, source=SECRET, external_reference=SECRET,
            writer=SUPERVISED,
        )  # fmt: skip
        services.add_note(case_id=case.id, body=SECRET, actor=SUPERVISED)
        services.grant_access(
            case_id=case.id, user="grace", permission="view_case", actor=SUPERVISOR
        )
        return Case.objects.get(pk=case.pk)

    return made


SUPERVISED = Actor(id="olga", permissions=SUPERVISOR.permissions | ALLROUNDER.permissions)


@pytest.fixture
def desk() -> Group:
    """A role that may do everything there is, but not see what is restricted."""
    role = Group.objects.create(name="desk")
    role.permissions.set(
        Permission.objects.filter(content_type__app_label="cases").exclude(
            codename="view_restricted_case"
        )
    )
    return role


@pytest.fixture
def officer(desk) -> Client:
    """A browser of one who has that role, and may also look after accounts."""
    account = UserFactory(username="dora", roles=["desk"])
    account.user_permissions.set(
        Permission.objects.filter(content_type__app_label__in=("auth", "audit", "outbox"))
    )
    browser = Client(raise_request_exception=False)
    browser.force_login(account)
    return browser


def essence(answer: Any, *names: str) -> tuple[int, dict[str, str], str]:
    """Return status, headers and body without what differs between any two requests."""

    def cleaned(text: str) -> str:
        for name in names:
            text = text.replace(name, "ID")
        text = re.sub(r'(csrfmiddlewaretoken" value=|csrfToken": )"\w+"', "", text)
        # Among them the moment of a report, with which the first of its days begins.
        text = re.sub(r'"(request_id|X-Request-ID|at|due_from)": ?"[^"]*"', "", text)
        return re.sub(r"<b>X-Request-ID:</b>.*|[0-9a-f-]{36}", "", text)

    headers = {
        name: cleaned(value)
        for name, value in answer.headers.items()
        if name not in ("X-Request-ID", "Content-Length", "Expires", "Last-Modified")
    }
    content = b"".join(answer) if answer.streaming else answer.content
    return answer.status_code, headers, cleaned(content.decode())


METHODS = ["get", "head", "options", "post", "put", "patch", "delete", "trace"]
WRONG = {"reason": "x", "reviewer_id": "x", "body": "x", "nonsense": "x"}
ATTEMPTS: list[tuple[str, Any, dict[str, str]]] = [
    *((method, None, {}) for method in METHODS),
    ("post", {}, {}),
    ("post", WRONG, {"HTTP_IF_MATCH": '"0"'}),
    ("patch", {"title": "x"}, {"HTTP_IF_MATCH": '"99"'}),
    ("patch", [1], {}),
    ("get", None, {"HTTP_ACCEPT": "text/html"}),
    ("get", None, {"HTTP_IF_NONE_MATCH": '"0"'}),
]


@pytest.mark.parametrize("actor", [Actor(id="dora", roles=frozenset({"desk"})), ALLROUNDER, NOBODY],
                         ids=lambda actor: actor.id)  # fmt: skip
@pytest.mark.parametrize("address", CASE)
def test_a_hidden_case_answers_as_one_that_never_was(as_actor, hide, desk, address, actor) -> None:
    case = hide()
    client = as_actor(actor)
    for method, body, more in ATTEMPTS:
        told, asked = [], []
        for case_id in (case.id, MISSING):
            given = {} if body is None else {"data": body, "format": "json"}
            with CaptureQueriesContext(connection) as queries:
                answer = getattr(client, method)(f"/{address.format(id=case_id)}", **given, **more)
            told.append(essence(answer, case_id))
            asked.append(len(queries))

        assert told[0] == told[1], (method, body, more)
        # As much work for the one as for the other: time tells nothing either.
        assert asked[0] == asked[1], (method, body, more)
        assert SECRET not in told[0][2]
        if method == "options" or told[0][0] == 405:
            assert "Allow" in told[0][1]
        elif actor.id == "dora":
            assert told[0][0] == 404, (method, body)


@pytest.mark.parametrize("version", ["/", "/v1/"])
@pytest.mark.parametrize(("address", "query"), [(a, q) for a, qs in LISTS.items() for q in qs])
def test_a_list_is_the_same_with_a_hidden_case_as_without(
    as_actor, hide, desk, address, query, version
) -> None:
    CaseFactory(status="UNDER_REVIEW")
    client = as_actor(Actor(id="dora", roles=frozenset({"desk"})))
    path = f"{version}{address}{query.format(secret=SECRET)}"
    before = essence(client.get(path))

    hide()

    assert essence(client.get(path)) == before
    assert before[0] == 200


@pytest.mark.parametrize(
    ("address", "query"), [(a, q) for a, qs in ADMIN_LISTS.items() for q in qs]
)
def test_a_page_of_the_back_office_is_the_same_with_a_hidden_case_as_without(
    officer, hide, address, query
) -> None:
    CaseFactory(status="UNDER_REVIEW")
    last = Case.objects.latest("created_at").id
    coming = f"CASE-{int(last.removeprefix('CASE-')) + 1:06}"
    path = f"/{address.replace('{app}', 'cases')}{query.format(id=coming, secret=SECRET)}"
    before = essence(officer.get(path))

    assert hide().id == coming
    # The query itself stands on the page; the rest must not know it.
    assert essence(officer.get(path)) == before
    assert before[0] == 200


@pytest.mark.parametrize(
    ("address", "query"), [(a, q) for a, qs in AUTOCOMPLETE.items() for q in qs]
)
def test_nothing_completes_what_is_typed_to_a_case(officer, hide, address, query) -> None:
    hide()

    answer = officer.get(f"/{address}{query.format(secret=SECRET)}")

    assert answer.status_code == 404
    assert SECRET not in answer.content.decode()


@pytest.mark.parametrize("method", ["get", "post"])
@pytest.mark.parametrize("address", ADMIN_CASE)
def test_a_page_about_a_hidden_case_is_the_one_about_none(officer, hide, address, method) -> None:
    case = hide()
    data = {"reason": "x", "expected_version": str(case.version)} if method == "post" else {}

    hidden, missing = (
        getattr(officer, method)(f"/{address.format(id=case_id)}", data)
        for case_id in (case.id, MISSING)
    )

    assert essence(hidden, case.id) == essence(missing, MISSING)
    assert hidden.status_code in (302, 403, 404)
    expect.unchanged(case)


@pytest.mark.parametrize("address", EXPORTS)
def test_an_export_is_the_same_with_a_hidden_case_as_without(as_actor, hide, desk, address) -> None:
    CaseFactory(status="UNDER_REVIEW")
    client = as_actor(Actor(id="dora", roles=frozenset({"desk"})))
    before = b"".join(client.get(f"/{address}").streaming_content)

    hide()

    assert b"".join(client.get(f"/{address}").streaming_content) == before
    assert before.count(b"\n") > 1


@pytest.mark.parametrize("query", ["?queue=all", f"?queue=all&search={SECRET}", "?queue=drafts"])
def test_an_export_of_the_back_office_is_the_same_with_a_hidden_case_as_without(
    officer, hide, query
) -> None:
    CaseFactory()
    path = f"/{ADMIN_EXPORT}{query}"
    before = b"".join(officer.get(path).streaming_content)

    hide()

    assert b"".join(officer.get(path).streaming_content) == before
    assert before.count(b"\n") == (1 if SECRET in query else 2)


def test_chosen_by_its_number_a_hidden_case_is_neither_exported_nor_assigned(officer, hide) -> None:
    UserFactory(username="rosa", roles=["reviewer"])
    case = hide()
    chosen = {"chosen": [f"{case.id}:{case.version}", f"{MISSING}:{case.version}"]}

    exported = officer.post("/admin/cases/case/", {**chosen, "do": "export"}, follow=True)
    assigned = officer.post(
        "/admin/cases/case/", {**chosen, "do": "assign", "reviewer_id": "rosa"}, follow=True
    )
    file = officer.get(exported.redirect_chain[0][0].replace("results", "export"))

    assert b"".join(file.streaming_content).count(b"\n") == 1
    for answer in (exported, assigned):
        assert [(one["of"].case_id, one["of"].words) for one in answer.context["results"]] == [
            (case.id, "There is no such case."),
            (MISSING, "There is no such case."),
        ]
        assert SECRET not in answer.content.decode()
    expect.unchanged(case)


def test_a_case_that_is_hidden_by_now_is_not_named_by_results_of_before(officer) -> None:
    UserFactory(username="rosa", roles=["reviewer"])
    case = CaseFactory(status="SUBMITTED", title=SECRET)
    chosen = {"chosen": [f"{case.id}:{case.version}"], "reviewer_id": "rosa"}
    answers = [
        officer.post("/admin/cases/case/", {**chosen, "do": do}, follow=True)
        for do in ("assign", "export")
    ]
    assert all(SECRET in answer.content.decode() for answer in answers)

    services.restrict_case(case_id=case.id, reason="x", actor=SUPERVISOR)

    for answer in answers:
        page = answer.redirect_chain[0][0]
        assert SECRET not in officer.get(page).content.decode()
    file = officer.get(page.replace("results", "export"))
    assert SECRET.encode() not in b"".join(file.streaming_content)


@pytest.mark.parametrize("method", ["get", "post"])
@pytest.mark.parametrize("address", OWN)
def test_what_is_of_somebody_else_is_what_never_was(officer, address, method) -> None:
    other = Client()
    other.force_login(UserFactory(username="wanda", roles=["admin"]))
    case = CaseFactory(title=SECRET)
    if "/import/" in address:
        upload(other, register(f"R-1,{SECRET},,"))
        there = str(the_upload().id)
    else:
        sent = {"do": "export", "chosen": [f"{case.id}:0"]}
        there = other.post("/admin/cases/case/", sent)["Location"].split("/")[-2]
    nothing = "00000000-0000-7000-8000-000000000000"
    assert other.get(f"/{address.format(id=there)}").status_code == 200

    theirs, missing = (
        getattr(officer, method)(f"/{address.format(id=name)}", {"do": "forget"})
        for name in (there, nothing)
    )

    assert theirs.status_code == 404
    assert essence(theirs, there) == essence(missing, nothing)
    assert other.get(f"/{address.format(id=there)}").status_code == 200


@pytest.mark.parametrize("address", KEEPERS)
def test_tokens_and_attempts_are_refused_to_who_only_works_cases(officer, address) -> None:
    answer = officer.get(f"/{address.format(id=1)}")

    assert (answer.status_code, answer.headers.get("Location")) in ((403, None), (302, "/admin/"))


@pytest.mark.parametrize("address", INSIDERS)
def test_trail_and_outbox_are_refused_whether_or_not_there_is_what_is_asked_for(
    officer, hide, address
) -> None:
    case = hide()
    model, nothing = (
        (AuditEvent, "00000000-0000-7000-8000-000000000000")
        if "auditevent" in address
        else (OutboxEvent, "999999999")
    )
    there = str(model.objects.filter(case_id=case.id)[0].pk)

    found, missing = (officer.get(f"/{address.format(id=name)}") for name in (there, nothing))

    assert found.status_code == 403
    # As a part of a path: the number of a message can be a 1, which stands elsewhere too.
    assert essence(found, f"/{there}/") == essence(missing, f"/{nothing}/")


@pytest.mark.parametrize("address", ACCOUNTS)
def test_the_account_of_one_who_was_let_in_does_not_tell_to_what(officer, hide, address) -> None:
    case = hide()
    pk = UserFactory._meta.model.objects.get(username="grace").pk
    name = pk if "user" in address else Group.objects.get(name="reviewer").pk

    answer = officer.get(f"/{address.format(id=name)}")

    assert answer.status_code in (200, 403)
    assert SECRET not in answer.content.decode()
    assert case.id not in answer.content.decode()


@pytest.mark.parametrize("address", QUIET)
def test_what_speaks_of_no_case_does_not_speak_of_this_one(officer, hide, address) -> None:
    case = hide()

    answer = officer.get(f"/{address.replace('{url}', case.id)}")

    body = (b"".join(answer) if answer.streaming else answer.content).decode()
    assert SECRET not in body
    assert address.endswith("{url}") or case.id not in body


def test_a_matter_that_is_known_already_is_told_to_who_names_it_and_no_more(as_actor, hide, desk):
    """The one exception: two cases of one matter would be worse than to say that it is known."""
    hide()
    CaseFactory(source="portal", external_reference="17")
    client = as_actor(Actor(id="dora", roles=frozenset({"desk"})))

    hidden, seen = (
        client.post("/cases", {"title": "x", "source": source, "external_reference": reference})
        for source, reference in ((SECRET, SECRET), ("portal", "17"))
    )

    expect.refusal(hidden, 409, "duplicate_case", set())
    assert essence(hidden) == essence(seen)
    assert "CASE-" not in hidden.content.decode()


def test_working_on_a_case_leaves_nothing_on_the_start_page_of_the_back_office(officer) -> None:
    case = CaseFactory(title=SECRET)
    officer.post(
        reverse("admin:cases_case_restrict", args=[case.id]), {"reason": "x", "expected_version": 0}
    )
    assert Case.objects.get(pk=case.id).restricted

    answer = officer.get("/admin/")  # the message of the success is told once
    answer = officer.get("/admin/")

    assert SECRET not in answer.content.decode()
    assert case.id not in answer.content.decode()
