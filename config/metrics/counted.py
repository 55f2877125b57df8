"""What a process counts while it works: requests and actions.

Every label has few values, which are known beforehand: addresses are told as the routes that they
match, never as they were called, and nothing of a case or a person becomes a label.
"""

from __future__ import annotations

import re
from collections import Counter as Tally
from collections.abc import Mapping
from functools import cache, partial
from typing import Any, Final

from django.contrib.admindocs.views import simplify_regex
from django.db import transaction
from django.http import HttpRequest
from prometheus_client import Counter, Histogram

from cases.events import CaseEvent
from cases.lifecycle import LIFECYCLE, CaseAction
from config.metrics import registry

_METHODS: Final = frozenset({"GET", "HEAD", "POST", "PATCH", "PUT", "DELETE", "OPTIONS"})
_OTHER_METHOD: Final = "other"
# Addresses that nobody knows, and files, which are answered before anybody looks at the address.
NO_ROUTE: Final = "none"
DONE: Final = "done"

_requests: Final = Histogram(
    "http_request_duration_seconds",
    "Time from a request's arrival in Django until its answer begins.",
    ("method", "route", "status"),
    registry=registry,
    buckets=(0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0),
)
_actions: Final = Counter(
    "case_actions",
    "Actions on cases: done, or the code of the error with which they were refused.",
    ("action", "outcome"),
    registry=registry,
)
_ACTIONS: Final[Mapping[str, CaseAction]] = {
    step.event.type: action for action, step in LIFECYCLE.items()
}


def count_request(request: HttpRequest, status: int, seconds: float) -> None:
    """Add a request that was answered."""
    _durations(method_of(request), route_of(request), status).observe(seconds)


def method_of(request: HttpRequest) -> str:
    """Return the method; all that nobody has heard of are one."""
    return method if (method := request.method) in _METHODS else _OTHER_METHOD


def route_of(request: HttpRequest) -> str:
    """Return the route that answered, like ``/v1/cases/<case_id>/close``."""
    match = request.resolver_match
    return NO_ROUTE if match is None else readable(match.route)


@cache  # there are as many as routes
def readable(route: str) -> str:
    """Return a route without the regular expressions and converters that it is written with."""
    return re.sub(r"<\w+:(\w+)>", r"<\1>", simplify_regex(route))


@cache  # looking one up in the library takes as long as counting
def _durations(method: str, route: str, status: int) -> Histogram:
    return _requests.labels(method, route, status)


def count_events(events: tuple[CaseEvent, ...], **kwargs: Any) -> None:
    """Add the actions that these events are about, once they are committed."""
    del kwargs
    transaction.on_commit(partial(_add, Tally(event.type for event in events)))


def _add(types: Mapping[str, int]) -> None:
    for kind, number in types.items():
        _acted(_ACTIONS[kind], DONE).inc(number)


def count_refusal(action: CaseAction, code: str, **kwargs: Any) -> None:
    """Add an action that was refused, by the code of the error that said so."""
    del kwargs
    _acted(action, code).inc()


@cache
def _acted(action: CaseAction, outcome: str) -> Counter:
    return _actions.labels(action.value, outcome)
