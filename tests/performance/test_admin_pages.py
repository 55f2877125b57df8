"""Every page of the back office that can be read: how many statements it takes, whoever reads.

The pages are those of the walk in ``tests/security``: a new one is found by itself.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from tests.integration.conftest import committed, transactional_db
from tests.performance.test_statement_counts import FRAME
from tests.security.walk_office import PARTS, Office, office_of

__all__ = ["committed", "transactional_db"]  # the fixtures

MOST = 15
READERS = [part for part in PARTS if part.name in ("reviewer", "superuser")]


@pytest.fixture
def office(committed: None, request: pytest.FixtureRequest) -> Iterator[Office]:
    with office_of(request.param) as found:
        yield found


@pytest.mark.parametrize("office", READERS, ids=lambda part: part.name, indirect=True)
def test_every_page_takes_at_most_15_statements_and_counts_no_table_to_its_end(
    office: Office,
) -> None:
    wrong, read = {}, 0
    browser = office.browser()
    for address in office.addresses():
        for path in address.paths:
            with CaptureQueriesContext(connection) as captured:
                answer = browser.get(path)
                body = b"".join(answer) if answer.streaming else answer.content
            asked = [q["sql"] for q in captured if not q["sql"].startswith(FRAME)]
            of_events = [one for one in asked if _counts_without_end(one)]
            read += answer.status_code == 200 and bool(body)
            if len(asked) > MOST or of_events:
                wrong[path] = (len(asked), of_events)

    assert wrong == {}
    assert read > 40


def _counts_without_end(statement: str) -> bool:
    """Tell whether a statement counts cases, events or messages and has no limit."""
    large = ('FROM "cases"', 'FROM "audit_events"', 'FROM "outbox_events"')
    counts = "COUNT(*)" in statement and "GROUP BY" not in statement
    return counts and "LIMIT" not in statement and any(one in statement for one in large)
