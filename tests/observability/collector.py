"""A collector of traces on loopback: takes OTLP over HTTP and reads it with its own messages."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import KeyValue
from opentelemetry.proto.trace.v1.trace_pb2 import Span as Wire
from opentelemetry.proto.trace.v1.trace_pb2 import Status

from tests.api.server import PATIENCE
from tests.integration.receiver import Receiver, receiver, says


@dataclass(frozen=True)
class Span:
    """What a process told of one of its spans."""

    name: str
    kind: str
    trace: str
    id: str
    parent: str
    attributes: dict[str, Any]
    failed: bool
    service: str
    pid: int

    @property
    def statement(self) -> str:
        """The SQL of a statement's span, on one line."""
        return " ".join(self.attributes.get("db.statement", "").split())


@dataclass(frozen=True)
class Collector:
    """What came in."""

    receiver: Receiver

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.receiver.port}"

    def raw(self) -> bytes:
        return b"".join(request.body for request in list(self.receiver.got))

    def spans(self) -> list[Span]:
        return [span for request in list(self.receiver.got) for span in _read(request.body)]

    def until(self, wanted: Callable[[list[Span]], bool]) -> list[Span]:
        """Wait until the spans are those that are wanted."""
        end = time.monotonic() + PATIENCE
        while not wanted(found := self.spans()):
            assert time.monotonic() < end, found
            time.sleep(0.05)
        return found


@contextmanager
def collector() -> Iterator[Collector]:
    with receiver() as found:
        found.answer = says(200, "Content-Type: application/x-protobuf")
        yield Collector(found)


def _read(body: bytes) -> Iterator[Span]:
    for told in ExportTraceServiceRequest.FromString(body).resource_spans:
        resource = _values(told.resource.attributes)
        for scope in told.scope_spans:
            for span in scope.spans:
                assert not span.events, "Events of a span may hold texts of errors."
                yield Span(
                    name=span.name,
                    kind=Wire.SpanKind.Name(span.kind).removeprefix("SPAN_KIND_"),
                    trace=span.trace_id.hex(),
                    id=span.span_id.hex(),
                    parent=span.parent_span_id.hex(),
                    attributes=_values(span.attributes),
                    failed=span.status.code == Status.STATUS_CODE_ERROR,
                    service=resource["service.name"],
                    pid=resource["process.pid"],
                )


def _values(attributes: Any) -> dict[str, Any]:
    def value(pair: KeyValue) -> Any:
        return getattr(pair.value, str(pair.value.WhichOneof("value")))

    return {pair.key: value(pair) for pair in attributes}
