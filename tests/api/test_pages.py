"""Walking along pages, forward and backward: every row once, whatever happens in between."""

from datetime import UTC, datetime, timedelta

import pytest

from cases import services
from tests.api import expect
from tests.cast import AUDITOR, WRITER
from tests.factories import CaseFactory

pytestmark = pytest.mark.django_db

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


def new_case(at):
    return services.create_case(fields={"title": "Late reporting"}, actor=WRITER, at=at).id


def walk(client, url, direction="next", between=lambda: None):
    """Return the ids of each page on the way, and the last page's answer."""
    pages, last = [], {direction: None}
    while url:
        answer = client.get(url)
        assert answer.status_code == 200, answer.content
        pages.append([row["id"] for row in answer.json()["results"]])
        last, url = answer.json(), answer.json()[direction]
        between()
    return pages, last


def flat(pages):
    return [row for page in pages for row in page]


TIMES = {
    "all at once": [NOON] * 23,
    "one by one": [NOON + timedelta(microseconds=n) for n in range(23)],
    "in groups": [NOON + timedelta(seconds=n // 5) for n in range(23)],
    "backwards": [NOON - timedelta(days=n) for n in range(23)],
}


@pytest.mark.parametrize("times", TIMES.values(), ids=TIMES)
@pytest.mark.parametrize("limit", [1, 2, 7, 22, 23, 24])
def test_every_case_is_met_once_forward_and_once_backward(as_actor, times, limit):
    made = [(at, new_case(at)) for at in times]
    newest_first = [case_id for _, case_id in sorted(made, reverse=True)]
    wanda = as_actor(WRITER)

    forward, last = walk(wanda, f"/cases?limit={limit}")
    backward, first = walk(wanda, last["previous"], "previous")

    assert flat(forward) == newest_first
    assert all(len(page) == limit for page in forward[:-1])
    assert flat(reversed(backward)) == newest_first[: len(newest_first) - len(forward[-1])]
    assert first["previous"] is last["next"] is None


@pytest.mark.parametrize("direction", ["next", "previous"])
def test_cases_that_come_in_meanwhile_do_not_shift_the_others(as_actor, direction):
    before = [new_case(NOON + timedelta(seconds=n // 3)) for n in range(11)]
    wanda = as_actor(WRITER)
    start = "/cases?limit=2"
    if direction == "previous":
        start = walk(wanda, start)[1]["previous"]
        before = before[1:]  # all but the one on the last page, from which the way back starts

    met, _ = walk(wanda, start, direction, between=lambda: CaseFactory.create_batch(1))

    old = [case_id for case_id in flat(met) if case_id in before]
    assert sorted(old) == before
    assert len(flat(met)) == len(set(flat(met)))


def test_a_case_that_changes_meanwhile_keeps_its_place(as_actor):
    made = [new_case(NOON + timedelta(seconds=n)) for n in range(6)]
    wanda = as_actor(WRITER)
    turn = iter(made)

    met, _ = walk(
        wanda,
        "/cases?limit=2",
        between=lambda: services.update_case(
            case_id=next(turn), fields={"title": "Changed"}, actor=WRITER
        ),
    )

    assert flat(met) == made[::-1]


def test_links_keep_filters_limit_and_version_of_the_api(as_actor):
    CaseFactory.create_batch(5)
    for _ in range(3):
        CaseFactory(status="SUBMITTED")
    CaseFactory(status="CLOSED")
    wanda = as_actor(WRITER)

    first = wanda.get("/v1/cases?status=DRAFT&limit=3&status=CLOSED").json()
    second = wanda.get(first["next"]).json()

    assert first["next"].startswith("http://testserver/v1/cases?")
    assert {c["status"] for c in first["results"] + second["results"]} == {"DRAFT", "CLOSED"}
    assert (len(first["results"]), len(second["results"])) == (3, 3)
    assert wanda.get(second["previous"]).json()["results"] == first["results"]


@pytest.mark.parametrize("path", ["notes", "audit-events"])
@pytest.mark.parametrize("limit", [1, 3, 100])
def test_notes_and_trails_are_walked_oldest_first(as_actor, path, limit):
    case, other = CaseFactory(), CaseFactory()
    for n in range(7):
        services.add_note(case_id=case.id, body=f"Note {n}", actor=WRITER)
        services.add_note(case_id=other.id, body="Elsewhere", actor=WRITER)
    audrey = as_actor(AUDITOR)

    forward, last = walk(audrey, f"/v1/cases/{case.id}/{path}?limit={limit}")
    rows = audrey.get(f"/v1/cases/{case.id}/{path}").json()["results"]

    assert flat(forward) == [row["id"] for row in rows]
    assert [row["sequence"] for row in rows] == list(range(0 if path == "audit-events" else 1, 8))
    if limit == 3:
        backward, first = walk(audrey, last["previous"], "previous")
        assert flat([*reversed(backward), forward[-1]]) == flat(forward)
        assert first["previous"] is None


@pytest.mark.parametrize("path", ["notes", "audit-events"])
@pytest.mark.parametrize("query", ["limit=0", "limit=201", "limit=x", "status=DRAFT", "type=X"])
def test_notes_and_trails_refuse_what_they_do_not_know(as_actor, path, query):
    case = CaseFactory()

    answer = as_actor(AUDITOR).get(f"/cases/{case.id}/{path}?{query}")

    expect.refusal(answer, 422, "validation_error", {query.split("=", maxsplit=1)[0]})
