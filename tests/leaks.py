"""Looks at every log line of the whole suite, as it is written, for what must never be in one.

A pytest plugin. Three kinds of things are looked for: texts that tests mark as ``secret``; what has
the shape of a credential or of a query; and each reason and note that the running test stores. The
test in which such a line is written fails, in whichever process of the suite it runs. Servers and
drainers that tests start hand in what they have logged, by ``look``.
"""

from __future__ import annotations

import logging
import re
import traceback
from collections.abc import Iterator
from typing import Any, Final

import pytest

# Credentials by their look, and a query string: search words are nobody's business.
_SHAPES: Final = {
    "an API token": re.compile(r"rcm_[0-9a-f]{24}"),
    "a JSON Web Token": re.compile(r"eyJ[\w-]{10,}\.[\w-]{10,}\.[\w-]{10,}"),
    "a webhook's secret": re.compile(r"whsec_[A-Za-z0-9+/]{20}"),
    "a password in an address": re.compile(r"://[^/\s:@]*:[^@\s/]+@"),
    "a session": re.compile(r"sessionid=\w"),
    "a query string": re.compile(r"/[\w./-]*\?[\w-]+="),
}
# Shorter texts, and single words, occur in lines that have nothing to do with them.
_LONG_ENOUGH: Final = re.compile(r"(?=.{12})[\w.,;:()-]+( [\w.,;:()-]+)+")

_secrets: set[str] = set()
_of_this_test: set[str] = set()
_found: list[str] = []


def secret(text: str) -> str:
    """Mark a text that no log line of any test may hold."""
    _secrets.add(text)
    return text


def look(text: str) -> None:
    """Look for what must not be in the text of a log; the running test fails at its end."""
    _found.extend(
        f"{marked!r} in: {_around(text, text.index(marked))}"
        for marked in (*_secrets, *_of_this_test)
        if marked in text
    )
    _found.extend(
        f"{what} in: {_around(text, match.start())}"
        for what, shape in _SHAPES.items()
        if (match := shape.search(text))
    )


def _around(text: str, place: int) -> str:
    return text[max(place - 200, 0) : place + 200]


def _of_event(events: tuple[Any, ...], **kwargs: Any) -> None:
    for event in events:
        _keep(event.details().get("reason"))


def _of_note(instance: Any, **kwargs: Any) -> None:
    _keep(instance.body)


def _keep(text: object) -> None:
    if isinstance(text, str) and _LONG_ENOUGH.fullmatch(text):
        _of_this_test.add(text)


def _line(record: logging.LogRecord) -> str:
    line = str(record.msg)
    if record.args:
        try:
            line = record.getMessage()
        except (TypeError, ValueError):
            line += str(record.args)
    if record.exc_info and record.exc_info[0] is not None:
        line += "".join(traceback.format_exception(*record.exc_info))
    return line


def pytest_configure() -> None:
    """Look at each record that any logger makes, whoever handles it, at any level that is on."""
    make = logging.getLogRecordFactory()

    def watched(*args: Any, **kwargs: Any) -> logging.LogRecord:
        record = make(*args, **kwargs)
        look(_line(record))
        return record

    logging.setLogRecordFactory(watched)


@pytest.hookimpl(trylast=True)
def pytest_sessionstart() -> None:
    """Learn what tests store, by the sockets that are there for everybody."""
    from django.db.models.signals import post_save  # noqa: PLC0415 (after Django is up)

    from cases.models import Note  # noqa: PLC0415 (as above)
    from cases.signals import case_event  # noqa: PLC0415 (as above)

    case_event.connect(_of_event, dispatch_uid="tests.leaks")
    post_save.connect(_of_note, sender=Note, dispatch_uid="tests.leaks")


@pytest.hookimpl(wrapper=True)
def pytest_runtest_teardown() -> Iterator[None]:
    """Fail the test in which something was logged that must not be."""
    yield
    found = list(dict.fromkeys(_found))
    _found.clear()
    _of_this_test.clear()
    if found:
        pytest.fail("\n".join(["Logged, and must not be:", *found]), pytrace=False)
