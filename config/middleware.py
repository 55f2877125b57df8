"""Gives a request an id, a log line and a place in the figures, and the back office its clock.

A query that cannot be read goes no further.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from urllib.parse import unquote_to_bytes

import structlog
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from rest_framework.exceptions import ParseError
from uuid_utils.compat import uuid7

from cases.calendar import office_calendar
from cases.signals import request_id, trace_context
from config.asking import asking
from config.http.errors import handler400
from config.http.tracing import trace_of
from config.metrics.counted import count_request

_SANE = re.compile(r"[A-Za-z0-9._:/+=@-]{1,128}")
_log = structlog.get_logger("http")


def readable_query(
    get_response: Callable[[HttpRequest], HttpResponse],
) -> Callable[[HttpRequest], HttpResponse]:
    """Refuse a query that is not UTF-8, and in the back office one with NUL.

    Django would read other characters into the first, and a filter by those finds nothing without
    saying why; with the second it would ask the database and fail.
    """

    def middleware(request: HttpRequest) -> HttpResponse:
        query: str = request.META.get("QUERY_STRING", "")
        if "%" not in query and query.isascii():
            return get_response(request)
        try:
            read = unquote_to_bytes(query.encode("latin-1")).decode()
        except UnicodeError:
            return handler400(request, ParseError("The query is not UTF-8."))
        if "\0" in read and request.path_info.startswith("/admin"):
            return handler400(request, ParseError("There is a NUL in the query."))
        return get_response(request)

    return middleware


def office_clock(
    get_response: Callable[[HttpRequest], HttpResponse],
) -> Callable[[HttpRequest], HttpResponse]:
    """Show and read times in the back office by the clock that counts its days and due dates."""

    def middleware(request: HttpRequest) -> HttpResponse:
        if not request.path_info.startswith("/admin"):
            return get_response(request)
        with timezone.override(office_calendar().tzinfo):
            return get_response(request)

    return middleware


def request_context(
    get_response: Callable[[HttpRequest], HttpResponse],
) -> Callable[[HttpRequest], HttpResponse]:
    """Take over a sane X-Request-ID or make one; echo it, log it, hand it to the audit trail.

    A valid trace context of the caller goes along into the messages about what the request does.
    """

    def middleware(request: HttpRequest) -> HttpResponse:
        # Not by request.headers, which would first write the names of all of them anew.
        given: str = request.META.get("HTTP_X_REQUEST_ID", "")
        identity = given if _SANE.fullmatch(given) else str(uuid7())
        token = request_id.set(identity)
        traced = "HTTP_TRACEPARENT" in request.META
        trace_token = trace_context.set(trace_of(request.headers if traced else {}))
        structlog.contextvars.clear_contextvars()
        started = time.perf_counter()
        try:
            with asking(request):
                response = get_response(request)
            response["X-Request-ID"] = identity
            seconds = time.perf_counter() - started
            count_request(request, response.status_code, seconds)
            # The path without the query string: search words are nobody's business here.
            _log.info(
                "request",
                method=request.method,
                path=request.path,
                status=response.status_code,
                duration_ms=round(seconds * 1000, 1),
            )
            return response
        finally:
            structlog.contextvars.clear_contextvars()
            trace_context.reset(trace_token)
            request_id.reset(token)

    return middleware
