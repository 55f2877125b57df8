"""Traces: a request, its SQL statements, and the messages about what it did, told to a collector.

Loaded only where OTEL_EXPORTER_OTLP_ENDPOINT is set. Each process has an exporter of its own, with
a thread that sends what has ended; a collector that is away costs nobody any time, only its spans.
Why it is done this way: docs/decisions/0024-counting-and-tracing.md.
"""

from __future__ import annotations

import atexit
import os
import threading
import time
from collections.abc import Sequence
from typing import Any, Final

import structlog
from django.conf import settings
from django.http import HttpRequest, HttpResponse
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.instrumentation.django import DjangoInstrumentor
from opentelemetry.instrumentation.psycopg import PsycopgInstrumentor
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter, SpanExportResult
from opentelemetry.trace import Span, SpanKind, Status, StatusCode
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

from cases.signals import trace_context
from config.metrics.counted import method_of, route_of
from outbox.destinations.base import Message, Outcome, Result

# Asked for every few seconds by machines; behind request_context, which gives refusals their id.
_NOT_TRACED: Final = "health/,metrics"
_PLACE: Final = 1
_PATIENCE: Final = 3  # seconds for the collector's answer, and for all of them at the end

# What a span may tell. Everything else stays here: query strings with search words, and what
# PostgreSQL says of an error, which repeats what users wrote.
_TOLD: Final = frozenset(
    {
        "http.method", "http.route", "http.scheme", "http.status_code", "http.flavor",
        "http.request.method", "http.response.status_code", "url.scheme", "url.path",
        "network.protocol.version", "error.type",
        "db.system", "db.name", "db.statement",
        "db.system.name", "db.namespace", "db.query.text", "db.response.status_code",
        "messaging.operation.type", "messaging.destination.name", "messaging.message.id",
        "cloudevents.event_type", "cloudevents.event_subject", "outbox.result", "outbox.attempt",
    }
)  # fmt: skip
_RESULTS_OF_ERRORS: Final = frozenset({Result.FAILED, Result.REFUSED})

_propagator: Final = TraceContextTextMapPropagator()
_lock: Final = threading.Lock()
_started: TracerProvider | None = None


class DiscreetExporter(SpanExporter):
    """Passes on what a span may tell, and gives up in time when the process ends."""

    def __init__(self, exporter: SpanExporter) -> None:
        self._exporter = exporter
        self._end = float("inf")

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        """Send spans; statements that belong to no request, like those of a probe, are left out."""
        if time.monotonic() > self._end:
            return SpanExportResult.FAILURE
        told = [_discreet(span) for span in spans if span.parent or span.kind != SpanKind.CLIENT]
        return self._exporter.export(told) if told else SpanExportResult.SUCCESS

    def hurry(self) -> None:
        """Begin nothing more after a while: the process is about to end."""
        self._end = time.monotonic() + _PATIENCE

    def shutdown(self) -> None:
        """Let go of the connection."""
        self._exporter.shutdown()


def _discreet(span: ReadableSpan) -> ReadableSpan:
    return ReadableSpan(
        name=span.name,
        context=span.context,
        parent=span.parent,
        resource=span.resource,
        attributes={name: v for name, v in (span.attributes or {}).items() if name in _TOLD},
        kind=span.kind,
        status=Status(span.status.status_code),
        start_time=span.start_time,
        end_time=span.end_time,
        instrumentation_scope=span.instrumentation_scope,
    )


def _provider() -> TracerProvider:
    """Return what makes spans in this process; the first call starts its thread."""
    global _started  # noqa: PLW0603 (one a process, however many threads ask)
    with _lock:
        if _started is None:
            exporter = DiscreetExporter(OTLPSpanExporter(timeout=_PATIENCE))
            _started = TracerProvider(
                resource=Resource.create(
                    {"service.name": settings.OTEL_SERVICE_NAME, "process.pid": os.getpid()}
                ),
                shutdown_on_exit=False,
            )
            _started.add_span_processor(BatchSpanProcessor(exporter))
            atexit.register(_stop, _started, exporter)
        return _started


def _stop(provider: TracerProvider, exporter: DiscreetExporter) -> None:
    """Send what has not been sent yet."""
    exporter.hurry()
    provider.shutdown()


def trace_requests() -> None:
    """Make a span of each request from now on, and of each of its statements.

    Called by a web server's process for itself, before Django loads its middleware.
    """
    provider = _provider()
    DjangoInstrumentor().instrument(
        tracer_provider=provider,
        excluded_urls=_NOT_TRACED,
        middleware_position=_PLACE,
        request_hook=_begin,
        response_hook=_end,
    )
    PsycopgInstrumentor().instrument(tracer_provider=provider)


def _begin(span: Span, request: HttpRequest) -> None:
    """Let the facts of this request, and its log lines, belong to its trace."""
    del request
    carrier: dict[str, str] = {}
    _propagator.inject(carrier)
    trace_context.set(carrier)  # config.middleware ends it with the request
    structlog.contextvars.bind_contextvars(trace_id=f"{span.get_span_context().trace_id:032x}")


def _end(span: Span, request: HttpRequest, response: HttpResponse) -> None:
    """Name the span by a route that people can read."""
    del response
    route = route_of(request)
    span.update_name(f"{method_of(request)} {route}")
    span.set_attribute("http.route", route)


def trace_deliveries(
    *,
    destination: str,
    messages: Sequence[Message],
    outcomes: Sequence[Outcome],
    began: int,
    ended: int,
    **kwargs: Any,
) -> None:
    """Make a span of each message that belongs to a trace: a part of that trace, now delivered."""
    del kwargs
    tracer = _provider().get_tracer("outbox")
    for message, outcome in zip(messages, outcomes, strict=True):
        event = message.parsed()
        if "traceparent" not in event:
            continue
        span = tracer.start_span(
            f"publish {destination}",
            context=_propagator.extract(event),
            kind=SpanKind.PRODUCER,
            start_time=began,
            attributes={
                "messaging.operation.type": "send",
                "messaging.destination.name": destination,
                "messaging.message.id": message.id,
                "cloudevents.event_type": message.type,
                "cloudevents.event_subject": message.subject,
                "outbox.result": outcome.result.value,
                "outbox.attempt": message.attempt,
            },
        )
        if outcome.result in _RESULTS_OF_ERRORS:
            span.set_status(StatusCode.ERROR)
        span.end(end_time=ended)
