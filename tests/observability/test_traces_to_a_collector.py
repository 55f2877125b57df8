"""One trace leads from a request through its statements and the outbox to the consumer."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack

import pytest

from tests.api.server import PATIENCE, Server, running_server
from tests.cast import ADMIN, AUDITOR, WRITER
from tests.integration.receiver import Receiver, receiver, says
from tests.leaks import secret
from tests.observability.collector import Collector, Span, collector
from tests.observability.drainer import drain, to
from tests.starts import PROJECT

pytestmark = pytest.mark.django_db

SECRET = secret("Xylophon7")
TRACE, CALLER = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"
SOON, NEVER = {"OTEL_BSP_SCHEDULE_DELAY": "50"}, {"OTEL_BSP_SCHEDULE_DELAY": "3600000"}


@pytest.fixture(scope="module")
def there() -> Iterator[Collector]:
    with collector() as found:
        yield found


@pytest.fixture(scope="module")
def consumer() -> Iterator[Receiver]:
    with receiver() as found:
        yield found


@pytest.fixture(scope="module")
def server(database, there, consumer) -> Iterator[Server]:
    environment = {"OTEL_EXPORTER_OTLP_ENDPOINT": there.url} | SOON | to(consumer)
    with running_server(database, workers=2, threads=2, **environment) as server:
        yield server


def of_trace(spans: list[Span], trace: str) -> list[Span]:
    return [span for span in spans if span.trace == trace]


def traced(number: int) -> tuple[str, dict[str, str]]:
    """Return a trace that is no other test's, and the header of a caller who belongs to it."""
    trace = f"{number:032x}"
    return trace, {"traceparent": f"00-{trace}-{CALLER}-01"}


def test_a_trace_leads_from_the_caller_to_the_consumers_message(
    server, database, there, consumer
) -> None:
    header = f"00-{TRACE}-{CALLER}-01"
    created = server.ask("POST", "/v1/cases", WRITER, {"title": SECRET}, traceparent=header)
    assert created.status_code == 201
    delivered = drain(database, OTEL_EXPORTER_OTLP_ENDPOINT=there.url, **to(consumer))
    assert delivered.returncode == 0, delivered.stderr

    spans = of_trace(
        there.until(lambda all_: {"PRODUCER", "SERVER"} <= {s.kind for s in of_trace(all_, TRACE)}),
        TRACE,
    )

    (request,) = [span for span in spans if span.kind == "SERVER"]
    assert (request.name, request.parent) == ("POST /v1/cases", CALLER)
    assert request.attributes["http.route"] == "/v1/cases"
    assert request.attributes["http.status_code"] == 201
    assert request.service == "regulatory-cases"
    statements = [span for span in spans if span.kind == "CLIENT"]
    assert {span.parent for span in statements} == {request.id}
    for beginning in ("INSERT INTO cases", "INSERT INTO audit_events", "INSERT INTO outbox_events"):
        assert [s for s in statements if s.statement.startswith(beginning)], beginning
    case_id = created.json()["id"]
    (message,) = [m for r in consumer.got if (m := json.loads(r.body))["subject"] == case_id]
    assert message["traceparent"] == f"00-{TRACE}-{request.id}-01"
    (publish,) = [span for span in spans if span.kind == "PRODUCER"]
    assert (publish.name, publish.parent, publish.failed) == ("publish webhook", request.id, False)
    assert publish.attributes["messaging.message.id"] == message["id"]
    assert publish.attributes["cloudevents.event_type"] == "org.regulator.case.created.v1"
    assert publish.attributes["outbox.result"] == "delivered"
    assert publish.pid != request.pid


def test_a_request_of_nobodys_trace_begins_one(server, there) -> None:
    answer = server.ask("GET", "/v1/cases/summary", AUDITOR)
    assert answer.status_code == 200

    (request,) = [
        span
        for span in there.until(lambda s: any(x.name == "GET /v1/cases/summary" for x in s))
        if span.name == "GET /v1/cases/summary"
    ]

    assert (request.kind, request.parent) == ("SERVER", "")


def test_the_log_line_of_a_request_names_its_trace(server) -> None:
    trace, header = traced(1)
    server.ask("GET", "/cases", AUDITOR, X_Request_ID="logged-and-traced", **header)

    lines = [json.loads(line) for line in server.logged().splitlines() if line[:1] == "{"]
    (line,) = [line for line in lines if line.get("request_id") == "logged-and-traced"]
    assert (line["event"], line["trace_id"]) == ("request", trace)


def test_a_refused_host_is_logged_with_its_request_id_all_the_same(server) -> None:
    answer = server.ask("GET", "/cases", Host="elsewhere.example")

    assert answer.status_code == 400
    assert answer.headers["X-Request-ID"] in server.logged()


def test_spans_hold_nothing_that_users_wrote_or_looked_for(server, there) -> None:
    trace, header = traced(2)
    fields = {"title": SECRET, "source": "register", "external_reference": SECRET}
    case_id = server.ask("POST", "/cases", ADMIN, fields, **header).json()["id"]
    assert server.ask("POST", "/cases", ADMIN, fields, **header).status_code == 409
    server.ask("GET", f"/cases?search={SECRET}", AUDITOR, **header)
    server.ask("GET", f"/cases/export.csv?search={SECRET}", AUDITOR, **header)
    server.ask("POST", f"/cases/{case_id}/notes", ADMIN, {"body": SECRET}, **header)
    server.ask("POST", f"/cases/{case_id}/submit", ADMIN, **header)

    spans = of_trace(
        there.until(
            lambda s: [x for x in of_trace(s, trace) if x.name == "POST /cases/<case_id>/submit"]
        ),
        trace,
    )

    assert [s for s in spans if s.failed and s.statement.startswith("INSERT INTO cases")]
    assert [s for s in spans if "case_words" in s.statement]  # the search
    assert SECRET.encode() not in there.raw()
    assert SECRET.lower().encode() not in there.raw()


def test_probes_and_scrapes_are_not_traced(server, there) -> None:
    for path in ("/health/live", "/health/ready", "/metrics"):
        assert server.ask("GET", path).status_code == 200
    trace, header = traced(3)
    server.ask("GET", "/cases", AUDITOR, **header)

    spans = there.until(lambda s: bool(of_trace(s, trace)))

    assert not [s for s in spans if "health" in s.name or "metrics" in s.name]
    assert not [s for s in spans if s.kind == "CLIENT" and not s.parent]


def test_each_worker_tells_of_its_own_requests(server, there) -> None:
    end = time.monotonic() + PATIENCE
    with ThreadPoolExecutor(8) as callers:
        while len({s.pid for s in there.spans() if s.kind == "SERVER"}) < 2:
            assert time.monotonic() < end, "Only one worker tells of its requests."
            list(callers.map(lambda _: server.ask("GET", "/cases", AUDITOR), range(16)))


def test_a_server_that_is_stopped_tells_first_what_it_has_not_told_yet(database) -> None:
    with collector() as there:
        environment = {"OTEL_EXPORTER_OTLP_ENDPOINT": there.url} | NEVER
        with running_server(database, threads=2, **environment) as server:
            server.ask("GET", "/cases", AUDITOR)
            assert there.spans() == []
            server.process.send_signal(signal.SIGTERM)
            assert server.process.wait(PATIENCE) == 0

        assert "GET /cases" in {span.name for span in there.spans()}


@pytest.fixture
def silent_collector() -> Iterator[str]:
    """Return the address of somebody who takes connections and never says a word."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield f"http://127.0.0.1:{server.getsockname()[1]}"


@pytest.fixture
def absent_collector() -> str:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    return f"http://127.0.0.1:{port}"


def test_a_collector_that_is_away_costs_nobody_anything(
    database, silent_collector, absent_collector
) -> None:
    # Far more spans than the queue holds or a batch takes.
    environment = {"OTEL_BSP_MAX_QUEUE_SIZE": "64", "OTEL_BSP_MAX_EXPORT_BATCH_SIZE": "16"} | SOON
    servers = {}
    with ExitStack() as running:
        for away, address in (("silent", silent_collector), ("absent", absent_collector)):
            environment["OTEL_EXPORTER_OTLP_ENDPOINT"] = address
            server = running.enter_context(running_server(database, threads=2, **environment))
            servers[away] = server
            answers = [server.ask("GET", "/cases", AUDITOR) for _ in range(60)]
            assert {answer.status_code for answer in answers} == {200}, away
            times = [line["duration_ms"] for line in map(json.loads, server.logged().splitlines())
                     if line.get("path") == "/cases"]  # fmt: skip
            assert len(times) == 60
            # Three seconds, if one waited for the collector.
            assert sorted(times)[30] < 1000, away
            server.process.send_signal(signal.SIGTERM)

        # Each takes its seconds to give up, both at the same time.
        for away, server in servers.items():
            assert server.process.wait(30) == 0, away
            assert "Traceback" not in server.logged(), away


def test_without_an_endpoint_nothing_of_it_is_loaded(database) -> None:
    program = (
        "import sys, config.wsgi, django.core.management as m;"
        "print([name for name in sys.modules if name.startswith('opentelemetry')])"
    )
    environment = {k: v for k, v in os.environ.items() if not k.startswith("OTEL_")}
    done = subprocess.run(
        [sys.executable, "-c", program],
        cwd=PROJECT,
        env=environment | {"DATABASE_URL": database, "APP_ENV": "test"},
        capture_output=True,
        text=True,
        check=True,
    )

    assert done.stdout.strip() == "[]"


def test_a_delivery_that_failed_is_told_as_such_and_without_a_word_of_the_receivers(
    server, database, there, consumer
) -> None:
    trace, header = traced(4)
    assert server.ask("POST", "/cases", WRITER, {"title": "Late"}, **header).status_code == 201
    with receiver() as broken:
        broken.answer = says(500, body=SECRET.encode())
        drain(database, OTEL_EXPORTER_OTLP_ENDPOINT=there.url, **to(broken))

    spans = there.until(lambda s: any(x.kind == "PRODUCER" for x in of_trace(s, trace)))

    (publish,) = [span for span in of_trace(spans, trace) if span.kind == "PRODUCER"]
    assert publish.failed
    assert publish.attributes["outbox.result"] == "failed"
    assert SECRET.encode() not in there.raw()
