"""Gives a request an id, a log line and a place in the figures, and the back office its clock."""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from urllib.parse import unquote

import structlog
from django.core.exceptions import BadRequest
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from uuid_utils.compat import uuid7

from cases.calendar import office_calendar
from cases.signals import request_id, trace_context
from config.asking import asking
from config.http.tracing import trace_of
from config.metrics.counted import count_request

_SANE = re.compile(r"[A-Za-z0-9._:/+=@-]{1,128}")
_log = structlog.get_logger("http")


def no_nul_in_admin(
    get_response: Callable[[HttpRequest], HttpResponse],
) -> Callable[[HttpRequest], HttpResponse]:
    """Refuse NUL in a query of the back office: Django would ask the database with it and fail."""

    def middleware(request: HttpRequest) -> HttpResponse:
        if request.path_info.startswith("/admin") and "\0" in unquote(
            request.META.get("QUERY_STRING", "")
        ):
            message = "NUL in a query string"
            raise BadRequest(message)
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
