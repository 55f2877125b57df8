"""The verdicts on pages of the back office and on check_slas, and what counts as a statement."""

from __future__ import annotations

import pytest

from tests.bench import office, slas
from tests.bench.office import Office, Page


def told(**pages: Page) -> Office:
    found = Office("postgresql:///nowhere", lambda _: None)
    found.pages = pages
    return found


def test_a_page_is_judged_by_its_late_answers_and_its_statements() -> None:
    good = told(case=Page([0.2] * 99 + [3.0], 15))
    slow, many = told(case=Page([0.2] * 90 + [1.2] * 10, 15)), told(case=Page([0.2], 16))

    assert good.missed() == []
    assert slow.missed() == ["case: 1.20 s, asked less than 1"]
    assert many.missed() == ["case: 16 statements, asked at most 15"]
    assert "200      200          15" in good.terminal()


@pytest.mark.parametrize(
    ("event", "logger", "counts"),
    [
        ("(0.001) SELECT 1; args=()", "django.db.backends", True),
        ("(0.001) INSERT INTO cases", "django.db.backends", True),
        ("(0.000) BEGIN; args=None", "django.db.backends", False),
        ("(0.000) RELEASE SAVEPOINT x", "django.db.backends", False),
        ("(0.001) SELECT 1", "http", False),
        ("request", "http", False),
    ],
)
def test_a_line_of_the_log_counts_if_it_is_a_statement_of_its_own(event, logger, counts) -> None:
    line = f'{{"event":"{event}","request_id":"x","logger":"{logger}","level":"debug"}}'

    assert bool(office._STATEMENT.search(line)) is counts


def test_marking_is_judged_by_its_median() -> None:
    marking = slas.Marking("postgresql:///postgres", "template")
    marking.seconds = [10.0, 59.0, 90.0]
    assert marking.missed() == []
    assert "59.0 s (10.0-90.0" in marking.terminal()

    marking.seconds = [61.0]
    assert marking.missed() == ["slas: 61.0 s, asked less than 60"]
