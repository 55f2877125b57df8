"""The verdict of `make fuzz`: what counts as passed, and that findings reach it."""

from __future__ import annotations

import json
import threading
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from tests.fuzz import __main__ as fuzz
from tests.fuzz import service, verdict

GOOD = verdict.Figures(
    exit_code=0,
    complete=True,
    seconds=70.0,
    operations=2,
    tested=2,
    examples=Counter(examples=100, coverage=1_400, fuzzing=300, stateful=200),
    successes=Counter({"GET /v1/cases": 30, "POST /v1/cases": 12}),
)


def test_a_run_that_found_nothing_and_was_large_enough_passes(capsys):
    assert verdict.shortcomings(GOOD) == []
    assert fuzz.conclude(GOOD, 7) == 0
    assert capsys.readouterr().out == (
        "2000 examples in 70 s (examples 100, coverage 1400, fuzzing 300, stateful 200), seed 7.\n"
    )


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"exit_code": 1, "findings": {"Server error": 3}}, "Server error: 3"),
        ({"findings": {"Runtime Error": 1}}, "Runtime Error: 1"),
        ({"exit_code": 2}, "Schemathesis ended with 2."),
        ({"complete": False}, "The run was broken off."),
        (
            {"examples": GOOD.examples - Counter(coverage=1)},
            "1999 examples are too few: at least 2000 are asked.",
        ),
        (
            {"examples": Counter(examples=900, coverage=900, fuzzing=900)},
            "The phase stateful made no example.",
        ),
        ({"tested": 1}, "1 of 2 operations were tested."),
        ({"operations": 0, "tested": 0}, "0 of 0 operations were tested."),
        (
            {"successes": Counter({"GET /v1/cases": 30, "POST /v1/cases": 0})},
            "POST /v1/cases never succeeded, so its answer was not looked at.",
        ),
    ],
)
def test_whatever_is_lacking_fails_the_run_by_name(changes, sentence, capsys):
    figures = replace(GOOD, **changes)

    assert verdict.shortcomings(figures) == [sentence]
    assert fuzz.conclude(figures, 7) == 1
    assert f"Not passed: {sentence}\n" in capsys.readouterr().out


class Broken(BaseHTTPRequestHandler):
    """A service of one operation, which fails."""

    def do_GET(self) -> None:
        body, status = b"{}", 500
        if self.path == "/openapi.json":
            body, status = json.dumps(DOCUMENT).encode(), 200
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *args: object) -> None:
        pass


DOCUMENT = {
    "openapi": "3.1.0",
    "info": {"title": "Broken", "version": "1"},
    "paths": {
        "/v1/cases": {
            "get": {
                "operationId": "cases_list",
                "parameters": [
                    {"name": "limit", "in": "query", "schema": {"type": "integer", "minimum": 1}}
                ],
                "responses": {"200": {"description": "OK"}, "500": {"description": "Error"}},
            }
        }
    },
    "components": {
        "parameters": {
            name: {"name": name, "in": "header", "schema": {"type": "string", "maxLength": 9}}
            for name in ("IfMatch", "IfNoneMatch", "RequestId")
        }
    },
}


@pytest.fixture
def broken() -> Iterator[service.Service]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Broken)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    known = {"accounts": ("x",)}
    try:
        yield service.Service(f"http://127.0.0.1:{server.server_port}", "token", known, ())
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def test_a_service_that_fails_is_found_and_counted(broken, tmp_path, capsys):
    options = fuzz.arguments(["--max-examples", "2", "--phases", "coverage,fuzzing"])

    figures = fuzz.attack(broken, options, tmp_path)

    assert figures.exit_code == 1
    assert figures.findings["Server error"] >= 1
    assert figures.examples["coverage"] > 0 < figures.examples["fuzzing"]
    assert figures.successes == {"GET /v1/cases": 0}
    assert (figures.operations, figures.tested) == (1, 1)
    assert fuzz.conclude(figures, options.seed) == 1
