"""Searching cases: by the beginnings of words, however they are written; hostile input included."""

from __future__ import annotations

from typing import Any

import pytest

from cases import selectors, services
from cases.filters import CaseFilter
from cases.models import Case, search
from tests.api import expect
from tests.cast import AUDITOR, NOBODY, OTHER_REVIEWER, REVIEWER, SUPERVISOR, WRITER
from tests.factories import CaseFactory, UserFactory

pytestmark = pytest.mark.django_db


def ids(answer: Any) -> list[str]:
    assert answer.status_code == 200, answer.content
    return [case["id"] for case in answer.json()["results"]]


TEXTS = {
    "title": "Überfällige Meldung",
    "description": "The branch (Zürich) wrote: “OCéan's \ufb01nal answer”\nNo soft\u00adware.",
    "subject": "O'Brien & Søns Ltd.",
    "external_reference": "REG-2026/0017",
}
FOUND = [
    "Überfällige", "überfällige", "UBERFALLIGE", "uberf", "U\u0308berf", "meld", "Meldung über",
    "zürich", "zurich", "ocean", "océan's", "final", "fi", "software", "o'brien", "brien", "ltd",
    "reg-2026/0017", "REG 2026", "0017", "001", "reg", "brien meldung 0017 zur", "„Meldung“",
    "meldung!!!", "-meldung", "meldung:*", "meldung & branch", "(meldung)",
    "\uff2d\uff45\uff4c\uff44", "The branch wrote", "MELDUNG meldung",
]  # fmt: skip
NOT_FOUND = [
    "eldung", "fallige", "meldungen", "17", "payment", "meldung payment", "meldung | payment",
    "!branch payment", "meldung\u0416", "rien",
]  # fmt: skip


@pytest.mark.parametrize("words", FOUND, ids=ascii)
def test_every_word_given_begins_a_word_of_the_case(as_actor, words) -> None:
    case = CaseFactory(**TEXTS)
    CaseFactory(title="Late reporting")

    assert ids(as_actor(WRITER).get("/cases", {"search": words})) == [case.id]


@pytest.mark.parametrize("words", NOT_FOUND, ids=ascii)
def test_what_begins_no_word_finds_nothing(as_actor, words) -> None:
    CaseFactory(**TEXTS)

    assert ids(as_actor(WRITER).get("/cases", {"search": words})) == []


def test_only_the_four_texts_are_searched(as_actor) -> None:
    CaseFactory(category="zebra", source="walrus")

    for word in ("zebra", "walrus", "wanda", "draft"):
        assert ids(as_actor(WRITER).get(f"/cases?search={word}")) == []


@pytest.mark.parametrize("field", ["title", "description", "subject", "external_reference"])
def test_a_changed_text_is_found_by_its_new_words_alone(as_actor, field) -> None:
    case = CaseFactory(**{"title": "Late reporting", field: "zebra"})
    wanda = as_actor(WRITER)

    services.update_case(case_id=case.id, fields={field: "walrus"}, actor=WRITER)

    assert ids(wanda.get("/cases?search=walrus")) == [case.id]
    assert ids(wanda.get("/cases?search=zebra")) == []


def test_a_case_of_a_batch_is_found_as_any_other(as_actor) -> None:
    services.create_cases(rows=[{"title": f"Row {n}"} for n in range(30)], actor=WRITER)

    found = as_actor(WRITER).get("/cases?search=row+17").json()["results"]

    assert [case["title"] for case in found] == ["Row 17"]


HOSTILE = {
    "quote": "'", "quotes": "'''meldung'''", "backslash": "\\", "escaped quote": "\\'meldung",
    "operators": "& | ! <-> <2> ( ) :* :A", "half a query": "meldung & (",
    "statement": "'; DROP TABLE cases; --", "percent": "%s %(x)s %%", "emoji": "🐢",
    "punctuation": "!?.,;", "spaces": "   ", "empty": "", "10 kB": "x" * 10_000,
    "many words": "a " * 100, "NUL": "\0", "line": "a\nb", "control": "\x1b[2J",
    "right to left": "\u202emeldung", "lone mark": "\u0308", "fraction": "½",
    "full-width": "\uff0a", "tags": "\U000e0041", "one long word": "ü" * 200,
    "dollar": "$$ $1 $meldung$",
}  # fmt: skip


@pytest.mark.parametrize("words", HOSTILE.values(), ids=HOSTILE)
def test_hostile_words_are_refused_or_find_nothing_strange(as_actor, words) -> None:
    case = CaseFactory(**TEXTS)

    answer = as_actor(WRITER).get("/cases", {"search": words})

    if answer.status_code == 200:
        assert ids(answer) in ([], [case.id])
    else:
        expect.refusal(answer, 422, "validation_error", {"search"})


@pytest.mark.parametrize("words", ["!?.,;", "🐢", "   ", "", "x" * 201, "a\0b"], ids=ascii)
def test_a_search_without_a_word_or_too_long_is_refused(as_actor, words) -> None:
    answer = as_actor(WRITER).get("/cases", {"search": words})

    expect.refusal(answer, 422, "validation_error", {"search"})


@pytest.mark.parametrize(
    "text",
    [
        "x" * 100_000,
        "\ufdfa" * 100_000,
        # Squared words, one character each, which Unicode spells out in five: over a MiB of words.
        " ".join(
            f"\u3300\u3300\u3300\u3300{chr(0x3300 + n // 88 % 88)}{chr(0x3300 + n % 88)}"
            f"{chr(0x3300 + n // 7744)}"
            for n in range(12_500)
        ),
        "🐢" * 100_000,
        "x" + "'\\ " * 30_000,
        "\u0308" * 100_000,
    ],
    ids=["one word", "expanding", "many expanding words", "no word", "quotes", "marks alone"],
)
def test_no_text_is_too_strange_to_be_taken_in(as_actor, text) -> None:
    answer = as_actor(WRITER).post("/cases", {"title": "Zebra", "description": text})

    case = expect.the_case(answer, 201)
    assert ids(as_actor(WRITER).get("/cases?search=zebra")) == [case["id"]]


def test_a_word_longer_than_the_index_holds_is_found_by_its_beginning(as_actor) -> None:
    case = CaseFactory(description="a" * 150 + "b" * 5_000)

    assert ids(as_actor(WRITER).get("/cases", {"search": "a" * 150 + "b" * 50})) == [case.id]
    assert ids(as_actor(WRITER).get("/cases", {"search": "a" * 149 + "b"})) == []


@pytest.fixture(params=["full nearby", "by the index", "too many for it"])
def way(request, monkeypatch) -> None:
    """Make lists of a few cases go each of the ways that long ones go."""
    if request.param != "full nearby":
        monkeypatch.setattr(search, "NEAR", 2)
    if request.param == "too many for it":
        monkeypatch.setattr(search, "MANY", 1)


@pytest.mark.parametrize("ordering", ["-created_at", "created_at", "-priority", "due_at"])
def test_each_way_of_searching_finds_the_same_on_every_page(as_actor, way, ordering) -> None:
    rows = [
        {"title": f"{'Zebra' if n % 3 == 0 else 'Walrus'} {n}", "priority": ("LOW", "HIGH")[n % 2]}
        for n in range(20)
    ]
    cases = services.create_cases(rows=rows, actor=WRITER)
    whole = [case for case in cases if case.title.startswith("Zebra")]
    if "priority" in ordering:
        whole.sort(key=lambda case: (case.priority == "HIGH", case.id))
    expected = [case.id for case in (whole[::-1] if ordering.startswith("-") else whole)]

    met, back, url = [], [], f"/cases?search=zeb&limit=2&ordering={ordering}"
    while url:
        page = as_actor(WRITER).get(url).json()
        met += [case["id"] for case in page["results"]]
        url = page["next"]
    while page["previous"]:
        page = as_actor(WRITER).get(page["previous"]).json()
        back = [case["id"] for case in page["results"]] + back

    assert met == expected
    assert back == expected[: len(back)]
    assert len(back) >= len(expected) - 2


def test_a_filter_and_a_search_hold_together(as_actor, way) -> None:
    for n in range(6):
        CaseFactory(title="Zebra", status=("DRAFT", "SUBMITTED")[n % 2], category=f"c{n % 3}")
    wanted = Case.objects.get(status="SUBMITTED", category="c1")

    found = as_actor(WRITER).get("/cases?search=zebra&status=SUBMITTED&category=c1")

    assert ids(found) == [wanted.id]


def test_restricted_cases_are_found_by_who_may_know_them_alone(as_actor, way) -> None:
    UserFactory(username="norman", password=None)
    case = CaseFactory(title="Zebra", status="UNDER_REVIEW", restricted=True)
    CaseFactory.create_batch(3, title="Walrus")
    services.grant_access(case_id=case.id, user="norman", permission="view_case", actor=SUPERVISOR)

    for actor in (REVIEWER, SUPERVISOR, AUDITOR, NOBODY):
        assert ids(as_actor(actor).get("/cases?search=zebra")) == [case.id], actor.id
    for actor in (WRITER, OTHER_REVIEWER):
        assert ids(as_actor(actor).get("/cases?search=zebra")) == [], actor.id


def test_who_may_see_no_case_at_all_finds_none(as_actor, way) -> None:
    CaseFactory(title="Zebra")

    assert ids(as_actor(NOBODY).get("/cases?search=zebra")) == []


def test_the_plain_filter_finds_what_the_quick_ways_find() -> None:
    case = CaseFactory(**TEXTS)
    CaseFactory()

    found = selectors.visible_cases(WRITER, CaseFilter(search="uberf 0017"))

    assert [c.id for c in found] == [case.id]
