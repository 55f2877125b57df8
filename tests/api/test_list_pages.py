"""Pages in every order, forwards and backwards: no case twice, none left out, stable links."""

from __future__ import annotations

import random
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from cases import services
from cases.models import Case
from tests.api import expect
from tests.cast import AUDITOR, SUPERVISOR, WRITER
from tests.factories import CaseFactory

pytestmark = pytest.mark.django_db

START = datetime(2026, 3, 1, tzinfo=UTC)
NEVER = datetime(9999, 1, 1, tzinfo=UTC)
RANK = {"LOW": 1, "NORMAL": 2, "HIGH": 3, "URGENT": 4}
KEYS = {
    "created_at": lambda case: (case.created_at, case.id),
    "updated_at": lambda case: (case.updated_at, case.id),
    "due_at": lambda case: (case.due_at or NEVER, case.id),
    "priority": lambda case: (RANK[case.priority], case.id),
}
ORDERINGS = [sign + name for name in KEYS for sign in ("", "-")]


def expected(ordering: str) -> list[str]:
    """Return the ids in the order that the name says, worked out in Python."""
    cases = sorted(
        Case.objects.all(), key=KEYS[ordering.lstrip("-")], reverse=ordering.startswith("-")
    )
    return [case.id for case in cases]


@pytest.fixture
def sixty() -> None:
    """Make sixty cases with ties in everything but the id, a third of them never due."""
    chance = random.Random(7)
    for _ in range(12):
        rows = [
            {
                "title": f"Late reporting {number}",
                "priority": chance.choice(list(RANK)),
                "received_at": None,
                "due_at": chance.choice([None, START, START + timedelta(days=chance.randrange(3))]),
            }
            for number in range(5)
        ]
        cases = services.create_cases(
            rows=rows, actor=WRITER, at=START + timedelta(hours=chance.randrange(4))
        )
        services.submit_cases(
            cases=cases[:2], actor=WRITER, at=START + timedelta(hours=5 + chance.randrange(4))
        )


def ids(page: dict[str, Any]) -> list[str]:
    return [case["id"] for case in page["results"]]


def get(client: Any, url: str) -> dict[str, Any]:
    answer = client.get(url)
    assert answer.status_code == 200, answer.content
    return answer.json()


@pytest.mark.parametrize("limit", [1, 7, 59, 60])
@pytest.mark.parametrize("ordering", ORDERINGS)
def test_all_pages_forwards_and_back_again_are_the_whole_list(
    as_actor, sixty, ordering, limit
) -> None:
    audrey = as_actor(AUDITOR)
    whole = expected(ordering)

    forwards = [get(audrey, f"/cases?ordering={ordering}&limit={limit}")]
    while forwards[-1]["next"]:
        forwards.append(get(audrey, forwards[-1]["next"]))
    backwards = [forwards[-1]]
    while backwards[-1]["previous"]:
        backwards.append(get(audrey, backwards[-1]["previous"]))

    assert [i for page in forwards for i in ids(page)] == whole
    assert [i for page in reversed(backwards) for i in ids(page)][-len(whole) :] == whole
    assert forwards[0]["previous"] is None
    assert len(forwards) == -(-60 // limit)


@pytest.mark.parametrize("ordering", ORDERINGS)
def test_turning_round_shows_the_page_before(as_actor, sixty, ordering) -> None:
    audrey = as_actor(AUDITOR)
    first = get(audrey, f"/cases?ordering={ordering}&limit=9")
    second = get(audrey, first["next"])
    third = get(audrey, second["next"])

    assert ids(get(audrey, third["previous"])) == ids(second)
    assert ids(get(audrey, second["previous"])) == ids(first)
    assert ids(get(audrey, first["next"])) == ids(second)


def test_newest_first_is_the_order_where_none_is_named(as_actor, sixty) -> None:
    assert ids(get(as_actor(AUDITOR), "/cases?limit=60")) == expected("-created_at")


def test_cases_that_come_in_meanwhile_move_nothing(as_actor, sixty) -> None:
    audrey = as_actor(AUDITOR)
    before = expected("due_at")
    page = get(audrey, "/cases?ordering=due_at&limit=10")
    seen = ids(page)

    while page["next"]:
        for due_at in (None, START - timedelta(days=1), START + timedelta(hours=1)):
            CaseFactory(due_at=due_at)
        page = get(audrey, page["next"])
        seen += ids(page)

    assert [case_id for case_id in seen if case_id in before] == before
    assert len(seen) == len(set(seen))


def test_a_case_that_changes_meanwhile_is_the_only_one_that_moves(as_actor, sixty) -> None:
    audrey = as_actor(AUDITOR)
    before = expected("due_at")
    first = get(audrey, "/cases?ordering=due_at&limit=10")
    services.set_due_date(
        case_id=before[20], due_at=START - timedelta(days=9), reason="Sooner", actor=SUPERVISOR
    )

    rest = get(audrey, first["next"].replace("limit=10", "limit=60"))

    assert ids(first) + ids(rest) == [i for i in before if i != before[20]]


def test_links_keep_the_address_and_every_filter(as_actor, sixty) -> None:
    query = "status=SUBMITTED&status=DRAFT&ordering=-priority&search=late+rep&limit=3"

    page = get(as_actor(AUDITOR), f"/v1/cases?{query}")
    second = get(as_actor(AUDITOR), page["next"])

    for link in (page["next"], second["next"], second["previous"]):
        assert link.startswith(f"http://testserver/v1/cases?{query}&cursor=")


def test_a_cursor_is_refused_in_another_order(as_actor, sixty) -> None:
    audrey = as_actor(AUDITOR)

    for ordering in ORDERINGS:
        cursor = get(audrey, f"/cases?ordering={ordering}&limit=1")["next"].split("cursor=")[1]
        for other in ORDERINGS:
            answer = audrey.get(f"/cases?ordering={other}&cursor={cursor}")
            if other == ordering:
                assert answer.status_code == 200
            else:
                expect.refusal(answer, 400, "malformed_request", set())
