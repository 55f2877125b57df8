"""The bench of the exports: it measures what it says, and says what was not reached."""

from __future__ import annotations

import re
from collections.abc import Iterator

import psycopg
import pytest

from audit.api.views import EVENT
from tests.api.server import copied_database
from tests.bench.databases import load_cases
from tests.bench.exports import COPY, FORMATS, MEMORY, STATEMENT, Exports, measure
from tests.bench.load import BenchError
from tests.bench.rounds import Rounds

pytestmark = pytest.mark.django_db


def brought(share: float, memory: float) -> Exports:
    rounds = Rounds()
    rounds.measured = {COPY: [100.0, 100.0], "jsonl": [100.0 * share] * 2}
    return Exports(events=1000, rounds=rounds, memory={"jsonl": memory})


def test_copy_reads_the_columns_of_a_json_line() -> None:
    columns = re.search(r"SELECT (.+?)\s+FROM", STATEMENT, re.DOTALL)
    assert columns is not None

    assert re.split(r",\s+", columns[1]) == list(EVENT.fields)


@pytest.mark.parametrize(
    ("share", "memory", "lacks"),
    [
        (0.40, 149.0, []),
        (0.39, 149.0, ["export: 0.39 of COPY, asked 0.4"]),
        (0.9, MEMORY, ["export: 150 MB, asked less than 150"]),
    ],
)
def test_too_slow_and_too_large_are_told(share, memory, lacks) -> None:
    assert brought(share, memory).missed() == lacks


def test_the_table_shows_speed_memory_and_share() -> None:
    table = brought(0.5, 101.0).terminal().splitlines()

    assert table[0] == "The trail of 1000 events, as files"
    assert table[-1].split() == ["jsonl", "50", "101", "0.50", "(0.50-0.50)"]


@pytest.fixture(scope="module")
def office(django_db_setup: None, django_db_blocker) -> Iterator[str]:
    with django_db_blocker.unblock(), copied_database() as url:
        with psycopg.connect(url) as connection:
            load_cases(connection, 50, lambda _: None)
        yield url


def test_a_round_measures_every_format_in_a_process_of_its_own(office) -> None:
    told: list[str] = []

    found = measure(office, 1, told.append)

    assert found.events > 50
    assert set(found.rounds.measured) == {COPY, *FORMATS}
    assert set(found.memory) == set(FORMATS)
    assert all(20 < memory < 400 for memory in found.memory.values())
    assert len(told) == 4


def test_a_database_without_a_trail_is_no_measurement(office) -> None:
    with psycopg.connect(office, autocommit=True) as connection:
        connection.execute("ALTER TABLE audit_events RENAME COLUMN hash TO gone")
        try:
            with pytest.raises(BenchError, match=r'COPY failed: .*"hash" does not exist'):
                measure(office, 1, lambda _: None)
        finally:
            connection.execute("ALTER TABLE audit_events RENAME COLUMN gone TO hash")
