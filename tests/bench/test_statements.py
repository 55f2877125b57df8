"""The scripts for pgbench hold the statements that the service sends, and pages start as told."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from urllib.parse import parse_qs, urlsplit

import pytest
from django.db import connection

from cases import services
from tests.bench import pgbench
from tests.bench.databases import SQL
from tests.bench.places import cursor_after
from tests.cast import REVIEWER, WRITER

pytestmark = pytest.mark.django_db


def script(name: str) -> list[str]:
    """Return the statements of a script, without their values."""
    text = (SQL / f"{name}.sql").read_text().replace("\\gset", ";")
    lines = [line for line in text.splitlines() if not line.startswith(("--", "\\set"))]
    return [shape(part) for part in "\n".join(lines).split(";") if part.strip()]


def shape(statement: str) -> str:
    """Return a statement with a question mark for each value, and single spaces."""
    statement = re.sub(r"'[^']*'", "?", statement)
    statement = re.sub(r"\b[0-9]+\b", "?", statement)
    return re.sub(r"\s+", " ", statement).strip()


def test_each_request_of_the_lifecycle_script_is_one_transaction() -> None:
    frames = [statement for statement in script("lifecycle") if statement in ("BEGIN", "COMMIT")]

    assert frames == ["BEGIN", "COMMIT"] * 4


# With and without microseconds, for the two lengths differ in what base64 would pad.
@pytest.mark.parametrize("microsecond", [0, 123_456])
def test_a_deep_page_starts_with_a_cursor_like_that_of_next(as_actor, microsecond) -> None:
    at = datetime(2027, 3, 1, 12, tzinfo=UTC).replace(microsecond=microsecond)
    for _ in range(2):
        services.create_case(fields={"title": "Late reporting"}, actor=WRITER, at=at)

    page = as_actor(REVIEWER).get("/cases?limit=1").data

    given = parse_qs(urlsplit(page["next"]).query)["cursor"][0]
    with connection.cursor() as cursor:
        cursor.execute("SELECT %s::timestamptz::text", [at])
        (written,) = cursor.fetchone()
    assert given == cursor_after(written, page["results"][0]["id"])


@pytest.mark.parametrize("cases", [5_000, 10_000, 1_000_000])
def test_pgbench_asks_for_cases_that_exist(cases: int) -> None:
    ids = pgbench.ids(cases)

    for number in (ids["low"], ids["high"]):
        assert 1 <= number <= cases
        assert f"CASE{ids['dash']}{number}" == f"CASE-{number:06}"
