"""The socket that listeners plug into: one signal, sent inside the transaction of the change."""

from __future__ import annotations

from collections.abc import Mapping
from contextvars import ContextVar
from types import MappingProxyType
from typing import Final

import structlog
from django.db import transaction
from django.dispatch import Signal

from cases.events import CaseEvent, ServiceEvent

# Sent with ``events``, a tuple of CaseEvent in the order in which they happened. Receivers write
# one row per event and hold no rule; what they raise undoes the change.
case_event: Final = Signal()

# Sent with ``event``, a ServiceEvent: for who announces what happens, not for the trail of a case.
service_event: Final = Signal()

# Sent with ``action`` and ``code`` when an error with that code refused a person's or a caller's
# action: for who counts. Nothing is undone by then that was not undone already.
action_refused: Final = Signal()

# Which request, command or job the facts of this moment belong to; stored on the audit event.
request_id: ContextVar[str] = ContextVar("request_id", default="")

# The trace that the facts of this moment belong to: ``traceparent`` and, where there is one,
# ``tracestate``, as W3C Trace Context words them; empty without a trace.
trace_context: ContextVar[Mapping[str, str]] = ContextVar(
    "trace_context", default=MappingProxyType({})
)

_log = structlog.get_logger("cases")


def current_trace() -> Mapping[str, str]:
    """Return the trace context of this moment. The one place to take it from elsewhere."""
    return trace_context.get()


def publish(*events: CaseEvent) -> None:
    """Tell every listener now; a listener that fails undoes the change. A batch is one call.

    Raises:
        RuntimeError: outside ``transaction.atomic()``, where nothing could be undone.
    """
    _in_transaction()
    case_event.send(sender=CaseEvent, events=events)
    transaction.on_commit(lambda: _report(events))


def publish_service(event: ServiceEvent) -> None:
    """Tell the listeners of the service's own facts; a listener that fails undoes the change.

    Raises:
        RuntimeError: outside ``transaction.atomic()``, where nothing could be undone.
    """
    _in_transaction()
    service_event.send(sender=ServiceEvent, event=event)
    transaction.on_commit(
        lambda: _log.info(event.type.lower(), sequence=event.sequence, event_id=str(event.id))
    )


def _in_transaction() -> None:
    if not transaction.get_connection().in_atomic_block:
        message = "publish() needs the transaction of the change: call it inside atomic()."
        raise RuntimeError(message)


def _report(events: tuple[CaseEvent, ...]) -> None:
    """Log what has been committed, one line per fact: who, what, which case, never any text.

    Batches and loaded pasts are told in one line by whoever runs them; here they are details.
    """
    for event in events:
        log = _log.debug if event.imported_by or len(events) > 1 else _log.info
        log(
            event.type.lower(),
            case_id=event.case_id,
            sequence=event.sequence,
            actor_id=event.actor_id,
            event_id=str(event.id),
        )
