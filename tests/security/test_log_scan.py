"""The look at every log line of the suite finds what it is there to find."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.starts import PROJECT, own_database

SMALL_SUITE = """
import logging
import threading

import pytest
import structlog

from cases.lifecycle import CaseAction
from tests.cast import ADMIN
from tests.factories import INPUT, PASSWORD, CaseFactory, act
from tests.leaks import look

log = structlog.get_logger("x")


def test_harmless():
    log.info("request", case_id="CASE-000001", path="/cases", status=200)
"""
LEAKS = """
def test_leaks_a_reason():
    log.info("x", why=INPUT[CaseAction.CLOSE]["reason"])

def test_leaks_a_note():
    logging.getLogger("x").warning("%s", INPUT[CaseAction.ADD_NOTE]["body"])

def test_leaks_a_password():
    logging.getLogger("other.library").warning(PASSWORD)

def test_leaks_a_token():
    log.info("x", token="rcm_" + "ab" * 32)

def test_leaks_a_search():
    log.info("request", path="/cases?search=zebra")

def test_leaks_by_an_exception():
    try:
        raise ValueError(PASSWORD)
    except ValueError:
        logging.exception("x")

def test_leaks_in_another_process():
    look('{"event": "x", "reason": "' + PASSWORD + '"}')

def test_leaks_in_a_thread():
    thread = threading.Thread(target=logging.warning, args=(PASSWORD,))
    thread.start()
    thread.join()
"""
STORED = """
@pytest.mark.django_db
def test_leaks_a_note_of_its_own():
    note = "Nobody else has ever said this."
    act(CaseAction.ADD_NOTE, CaseFactory(), ADMIN, body=note)
    log.info("x", text=note)

@pytest.mark.django_db
def test_leaks_a_reason_of_its_own():
    reason = "For reasons of its own."
    act(CaseAction.CLOSE, CaseFactory(status="UNDER_REVIEW"), ADMIN, reason=reason)
    log.info("x", why=reason)
"""


def run(folder: Path, tests: str, *options: str) -> tuple[int, set[str]]:
    """Run a small suite with the plugin of this one; returns its exit code and who failed."""
    file = folder / "test_small.py"
    file.write_text(SMALL_SUITE + tests)
    (folder / "conftest.py").write_text('pytest_plugins = ["tests.database", "tests.leaks"]\n')
    command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "-c", "pyproject.toml"]
    done = subprocess.run(
        [*command, "--rootdir", str(PROJECT), "--color=no", "--reuse-db", *options, str(file)],
        cwd=PROJECT,
        env=os.environ | {"DATABASE_URL": own_database().replace("/test_", "/")},
        capture_output=True,
        text=True,
        check=False,
    )
    failed = re.findall(r"^ERROR (?:\S*::)?(test_\w+)", done.stdout, re.MULTILINE)
    return done.returncode, set(failed)


@pytest.fixture(autouse=True)
def _database(django_db_setup: None) -> None:
    """Have the database of these tests there, which the small suite takes for its own."""


def named_in(tests: str) -> set[str]:
    return set(re.findall(r"^def (test_\w+)", tests, re.MULTILINE))


def test_a_line_with_something_secret_fails_the_test_that_wrote_it_and_no_other(tmp_path) -> None:
    assert run(tmp_path, LEAKS + STORED) == (1, named_in(LEAKS + STORED))


def test_it_does_so_in_a_process_that_the_suite_starts(tmp_path) -> None:
    assert run(tmp_path, LEAKS, "-n", "1") == (1, named_in(LEAKS))
