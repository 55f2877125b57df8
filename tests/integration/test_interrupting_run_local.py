"""Ctrl-C at a bad moment; tests/e2e/test_run_local.py tries the whole, with processes."""

from __future__ import annotations

import io
import signal
from collections.abc import Iterator
from contextlib import nullcontext

import pytest
from django.db import ProgrammingError

from config.management.commands import run_local
from tests.api.server import free_port


@pytest.fixture(autouse=True)
def _without_a_database(monkeypatch, settings) -> Iterator[None]:
    settings.PORT = free_port()
    monkeypatch.setattr(run_local, "_database", nullcontext)
    before = {number: signal.getsignal(number) for number in run_local.STOP_SIGNALS}
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


def _fails(*_args: object, **_options: object) -> None:
    message = "can't change 'autocommit' now"
    raise ProgrammingError(message)


def _fails_when_interrupted(*_args: object, **_options: object) -> None:
    try:
        signal.raise_signal(signal.SIGINT)
    except KeyboardInterrupt:
        _fails()


def test_ctrl_c_that_a_library_turns_into_an_error_of_its_own_still_stops_in_a_word(monkeypatch):
    monkeypatch.setattr(run_local, "call_command", _fails_when_interrupted)
    said = io.StringIO()

    run_local.Command(stdout=said).handle()

    assert said.getvalue() == "Bringing the database up to date.\nstopped\n"


def test_the_same_error_without_ctrl_c_is_told(monkeypatch):
    monkeypatch.setattr(run_local, "call_command", _fails)

    with pytest.raises(ProgrammingError, match="autocommit"):
        run_local.Command(stdout=io.StringIO()).handle()
