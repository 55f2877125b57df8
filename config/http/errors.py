"""THE table: which exception becomes which HTTP status and code, and what its body looks like.

Every error under the API is ``{"error", "message", "details", "request_id"}``, made here.
"""

from __future__ import annotations

import math
import sys
import traceback
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any, Final, NamedTuple

import structlog
from django.contrib.auth.views import redirect_to_login
from django.contrib.sessions.exceptions import SessionInterrupted
from django.core.exceptions import PermissionDenied as DjangoPermissionDenied
from django.core.exceptions import RequestDataTooBig, SuspiciousOperation
from django.db import DatabaseError, Error, InterfaceError, OperationalError
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.urls import reverse
from django.views import defaults
from rest_framework import exceptions as drf
from rest_framework.response import Response
from rest_framework.views import set_rollback

from cases import errors as cases
from cases.api.idempotency import IdempotencyKeyInProgress, IdempotencyKeyReused
from cases.lifecycle import CaseAction
from cases.signals import action_refused, request_id
from config.http.bearer import IdentityProviderAway
from config.http.parsers import PayloadTooLarge, UnsupportedEncoding
from config.http.throttling import stranger_to_wait

_log = structlog.get_logger("http")


class Row(NamedTuple):
    """One row of the table; None: the exception's own message is for the caller."""

    status: int
    code: str
    message: str | None = None


class NotReady(drf.APIException):
    """This process cannot work; its message says why."""

    status_code = 503


class HttpsRequired(drf.APIException):
    """This service answers by HTTPS only. A token that was sent without it is to be replaced."""

    status_code = 403
    default_detail = __doc__


_UNAVAILABLE: Final = Row(
    503, "dependency_unavailable", "The database does not answer at the moment: try again."
)
_INTERNAL: Final = Row(
    500, "internal_error", "Something went wrong here. The request id leads to the cause."
)
_CONFLICT: Final = Row(409, "case_conflict", cases.CaseConflict.__doc__)
_LOCKED: Final = Row(
    409, "case_conflict", "Somebody else is changing what this would change: try again."
)

TABLE: Final[Mapping[type[Exception], Row]] = {
    cases.PermissionDenied: Row(403, "permission_denied"),
    cases.SeparationOfDuties: Row(403, "separation_of_duties"),
    HttpsRequired: Row(403, "https_required"),
    cases.CaseNotFound: Row(404, "case_not_found"),
    cases.InvalidInput: Row(422, "validation_error"),
    cases.PreconditionFailed: Row(412, "precondition_failed"),
    cases.InvalidCaseTransition: Row(409, "invalid_case_transition"),
    cases.CaseConflict: _CONFLICT,
    cases.DuplicateCase: Row(409, "duplicate_case"),
    IdempotencyKeyReused: Row(409, "idempotency_key_reused"),
    IdempotencyKeyInProgress: Row(409, "idempotency_key_in_progress"),
    drf.ParseError: Row(400, "malformed_request"),
    drf.NotAuthenticated: Row(401, "not_authenticated", "Say who you are."),
    drf.AuthenticationFailed: Row(401, "not_authenticated"),
    drf.PermissionDenied: Row(403, "permission_denied"),
    drf.NotFound: Row(404, "not_found", "There is nothing at this address."),
    drf.MethodNotAllowed: Row(405, "method_not_allowed"),
    drf.NotAcceptable: Row(406, "not_acceptable"),
    drf.UnsupportedMediaType: Row(415, "unsupported_media_type"),
    drf.ValidationError: Row(422, "validation_error", "The input is not valid."),
    drf.Throttled: Row(429, "rate_limited", "Too many requests: wait as Retry-After says."),
    IdentityProviderAway: Row(503, "dependency_unavailable"),
    NotReady: Row(503, "dependency_unavailable"),
    PayloadTooLarge: Row(413, "payload_too_large"),
    RequestDataTooBig: Row(413, "payload_too_large", PayloadTooLarge.default_detail),
    SuspiciousOperation: Row(400, "malformed_request", "The request is malformed."),
    DjangoPermissionDenied: Row(403, "permission_denied", "You may not do this."),
    Http404: Row(404, "not_found", "There is nothing at this address."),
    OperationalError: _UNAVAILABLE,
    InterfaceError: _UNAVAILABLE,
    Exception: _INTERNAL,
}

# What PostgreSQL says is the matter, by SQLSTATE or its class (PostgreSQL's appendix A): more
# telling than the exception's type, under which a broken statement may hide. Where it says
# anything else, something is wrong with this service or its database, and waiting does not help.
SQLSTATES: Final[Mapping[str, Row]] = {
    "40001": _CONFLICT,  # serialization_failure
    "40P01": _CONFLICT,  # deadlock_detected
    "55P03": _LOCKED,  # lock_not_available: lock_timeout ran out, of this case and no other
    "08": _UNAVAILABLE,  # connection exceptions
    "25006": _UNAVAILABLE,  # read_only_sql_transaction: a standby, before or after a fail-over
    "25P03": _UNAVAILABLE,  # idle_in_transaction_session_timeout
    "25P04": _UNAVAILABLE,  # transaction_timeout
    "53": _UNAVAILABLE,  # no memory, disk or connection left
    "57": _UNAVAILABLE,  # shut down, starting up, cancelled: statement_timeout ran out
    "58": _UNAVAILABLE,  # the disk does not answer
}
_RETRY_AFTER_SECONDS: Final = 5
_UNLOCKED_AFTER_SECONDS: Final = 1
_LONGEST_HOST: Final = 253  # characters of a name in DNS


def exception_handler(error: Exception, context: Mapping[str, Any]) -> Response:
    """Turn whatever an API view raised into the one error body (DRF's EXCEPTION_HANDLER)."""
    set_rollback()
    # Throttles count actors, after it is known who calls; who is nobody is counted here.
    if isinstance(error, drf.NotAuthenticated | drf.AuthenticationFailed):
        wait = stranger_to_wait(context["request"])
        error = error if wait is None else drf.Throttled(wait)
    row = _row(error)
    if (action := getattr(context["view"], "case_action", None)) is not None:
        action_refused.send(sender=CaseAction, action=action, code=row.code)
    response = Response(_body(row, error), status=row.status, headers=_headers(row, error))
    _log_cause(row, error)
    return response


def _log_cause(row: Row, error: Exception) -> None:
    """Tell the cause of 500 and 503; everything else is the caller's business."""
    if row is _INTERNAL:
        report(error)
    elif row.code == _UNAVAILABLE.code:
        cause = error.__cause__ or error
        _log.warning(
            "dependency_unavailable",
            cause=type(cause).__name__,
            sqlstate=getattr(cause, "sqlstate", None),
        )


def report(error: Exception) -> None:
    """Log what nobody expected, with its cause; the answer holds the request id that leads here.

    PostgreSQL's messages quote rows and parameters, and those are what users wrote: of a database
    error only its kind and its place are told.
    """
    if isinstance(error, DatabaseError):
        _log.error(
            "unhandled_error",
            cause=type(error.__cause__ or error).__name__,
            sqlstate=getattr(error.__cause__, "sqlstate", None),
            trace="".join(traceback.format_tb(error.__traceback__)),
        )
    else:
        _log.error("unhandled_error", exc_info=error)


def _row(error: Exception) -> Row:
    state = getattr(error.__cause__, "sqlstate", None) if isinstance(error, Error) else None
    if state is not None:
        return SQLSTATES.get(state) or SQLSTATES.get(state[:2]) or _INTERNAL
    return next(TABLE[kind] for kind in type(error).__mro__ if kind in TABLE)


def _headers(row: Row, error: Exception) -> dict[str, str]:
    headers = {}
    if challenge := getattr(error, "auth_header", None):
        headers["WWW-Authenticate"] = challenge
    if (wait := getattr(error, "wait", None)) is not None:
        headers["Retry-After"] = str(math.ceil(wait))
    if isinstance(error, UnsupportedEncoding):
        headers["Accept-Encoding"] = "identity"
    if row.code == _UNAVAILABLE.code:
        headers["Retry-After"] = str(_RETRY_AFTER_SECONDS)
    if row is _LOCKED:
        headers["Retry-After"] = str(_UNLOCKED_AFTER_SECONDS)
    return headers


def _body(row: Row, error: Exception) -> dict[str, Any]:
    message = row.message
    details: Mapping[str, object] = {}
    if isinstance(error, cases.CaseError):
        message, details = error.message, error.details
    elif isinstance(error, drf.ValidationError):
        details = _flat(error.detail)
    elif isinstance(error, drf.APIException) and message is None:
        message = str(error.detail)
    return {
        "error": row.code,
        "message": _printable(message or ""),
        "details": _printable(details),
        "request_id": request_id.get(),
    }


def _flat(detail: Any, prefix: str = "") -> dict[str, str]:
    """Flatten DRF's nested lists of messages into one sentence per field."""
    if isinstance(detail, Mapping):
        found: dict[str, str] = {}
        for name, inner in detail.items():
            found |= _flat(inner, f"{prefix}.{name}" if prefix else str(name))
        return found
    if isinstance(detail, list):
        return {prefix or "body": " ".join(str(item) for item in detail)}
    return {prefix or "body": str(detail)}


def _printable(value: Any) -> Any:
    """Replace lone surrogates that the caller sent: an answer must be encodable as UTF-8."""
    if isinstance(value, str):
        return value.encode("utf-8", "backslashreplace").decode()
    if isinstance(value, Mapping):
        return {_printable(key): _printable(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_printable(item) for item in value]
    return value


def answer(error: Exception) -> JsonResponse:
    """Make the error body outside of DRF's views."""
    row = _row(error)
    return JsonResponse(_body(row, error), status=row.status, headers=_headers(row, error))


def _for_people(request: HttpRequest) -> bool:
    return request.path_info.startswith("/admin")


def handler400(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Answer what Django found malformed before any view, and who is logged out by now."""
    if isinstance(exception, SuspiciousOperation):
        # Anybody can send one, and many do: no traceback for each, and nothing to wake up for.
        host = request.META.get("HTTP_HOST", "")[:_LONGEST_HOST]
        _log.warning("request_suspicious", cause=type(exception).__name__, host=host)
    if not _for_people(request):
        return answer(exception)
    if isinstance(exception, SessionInterrupted):
        # It was ended while this was answered, by its owner, a superuser or a new password.
        back = request.get_full_path() if request.method in ("GET", "HEAD") else request.path
        return redirect_to_login(back, reverse("admin:login"))
    return defaults.bad_request(request, exception)


def handler403(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Answer what a view outside the API forbade."""
    if _for_people(request):
        return defaults.permission_denied(request, exception)
    return answer(exception)


def forged(request: HttpRequest, reason: str = "") -> HttpResponse:
    """Answer a form that may be of another site, or is older than the log-in (by CSRF token).

    Django's own page says how such a check works, in colours that our policy does not let it have.
    """
    del reason  # logged by Django; a person cannot mend it
    if not _for_people(request):
        return answer(DjangoPermissionDenied())
    return render(request, "403_csrf.html", status=HTTPStatus.FORBIDDEN)


def handler404(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Answer an address that does not exist."""
    if _for_people(request):
        return defaults.page_not_found(request, exception)
    return answer(exception)


def handler500(request: HttpRequest) -> HttpResponse:
    """Answer what nobody expected; a database that is away is a 503 here as well."""
    raised = sys.exc_info()[1]
    error = raised if isinstance(raised, Exception) else Exception()
    row = _row(error)
    _log_cause(row, error)
    if not _for_people(request):
        return answer(error)
    if row is not _UNAVAILABLE:
        return defaults.server_error(request)
    response = defaults.server_error(request, template_name="503.html")
    response.status_code = row.status
    response["Retry-After"] = str(_RETRY_AFTER_SECONDS)
    return response
