import pytest

from tests.api import expect
from tests.cast import NOBODY, WRITER
from tests.factories import CaseFactory

pytestmark = pytest.mark.django_db

STATUSES = ("DRAFT", "SUBMITTED", "UNDER_REVIEW", "ESCALATED", "CLOSED")


def ids(answer):
    assert answer.status_code == 200, answer.content
    return [case["id"] for case in answer.json()["results"]]


def test_an_office_without_cases_has_an_empty_list(as_actor):
    answer = as_actor(WRITER).get("/cases")

    assert answer.headers["Content-Type"] == "application/json"
    assert answer.json() == {"next": None, "previous": None, "results": []}


def test_cases_are_listed_newest_first_as_their_own_pages_show_them(as_actor):
    cases = [CaseFactory(status=status) for status in STATUSES]
    wanda = as_actor(WRITER)

    answer = wanda.get("/cases")

    assert ids(answer) == [case.id for case in reversed(cases)]
    assert all(set(case) == expect.CASE_FIELDS for case in answer.json()["results"])
    assert answer.json()["results"] == [
        wanda.get(f"/cases/{case.id}").json() for case in reversed(cases)
    ]


@pytest.mark.parametrize(
    "wanted", [[s] for s in STATUSES] + [["DRAFT", "CLOSED"], ["CLOSED", "CLOSED"], list(STATUSES)]
)
def test_statuses_can_be_picked_several_at_once(as_actor, wanted):
    cases = [CaseFactory(status=status) for status in STATUSES]

    answer = as_actor(WRITER).get("/cases", {"status": wanted})

    assert ids(answer) == [case.id for case in reversed(cases) if case.status in wanted]


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("status=OPEN", "status"),
        ("status=draft", "status"),
        ("status=", "status"),
        ("status=DRAFT,CLOSED", "status"),
        ("status=DRAFT&status=OPEN", "status"),
        ("status=%00", "status"),
        ("state=DRAFT", "state"),
        ("statsu=DRAFT&status=DRAFT", "statsu"),
        ("page=2", "page"),
        ("offset=5", "offset"),
        ("limit=0", "limit"),
        ("limit=201", "limit"),
        ("limit=-1", "limit"),
        ("limit=", "limit"),
        ("limit=ten", "limit"),
        ("limit=1.5", "limit"),
        ("limit=1e1", "limit"),
        ("limit=%2B5", "limit"),
        ("limit=%205", "limit"),
        ("limit=%D9%A5", "limit"),  # an Arabic five
        ("limit=%C2%B2", "limit"),  # a superscript two
        ("limit=" + "9" * 5000, "limit"),
        ("limit=%00", "limit"),
        ("format=xml", "format"),
        ("format=json", "format"),
        ("format=api", "format"),
    ],
)
def test_what_the_list_does_not_know_is_refused_not_ignored(as_actor, query, field):
    answer = as_actor(WRITER).get(f"/cases?{query}")

    expect.refusal(answer, 422, "validation_error", {field})


@pytest.mark.parametrize(("query", "size"), [("", 50), ("?limit=1", 1), ("?limit=200", 60)])
def test_a_page_holds_fifty_unless_told_otherwise(as_actor, query, size):
    CaseFactory.create_batch(60)

    answer = as_actor(WRITER).get(f"/cases{query}")

    assert len(ids(answer)) == size
    assert (answer.json()["next"] is None) == (size == 60)


def test_who_has_no_role_has_an_empty_list(as_actor):
    CaseFactory()

    assert ids(as_actor(NOBODY).get("/cases")) == []


def test_who_is_nobody_has_no_list(stranger):
    answer = stranger.get("/cases?status=WRONG")

    expect.refusal(answer, 401, "not_authenticated", set())


def test_a_thousand_filters_are_no_failure(as_actor):
    answer = as_actor(WRITER).get("/cases?" + "&".join(["status=DRAFT"] * 1500))

    expect.no_failure(answer)
