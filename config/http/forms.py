"""Turns what a person's form says into the request that a program would send.

The API reads JSON and nothing else. A browser's form knows only GET and POST, sends no header and
holds only texts, so a form of one of our pages is translated before any view sees it. It must come
with a log-in session, ask for a page, and name nobody else as its actor; every other form body is
left alone, and answered as any media type but JSON is, with a 415.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from rest_framework import serializers
from rest_framework.request import Request

from cases.api.serializers import MomentField, StrictSerializer
from cases.lifecycle import CaseAction
from config.http.actors import SessionActorAuthentication
from config.http.endpoints import ENDPOINTS, Endpoint

METHOD: Final = "_method"
VERSION: Final = "_version"
_TOKEN: Final = "csrfmiddlewaretoken"  # noqa: S105 (the name of a field)
_FORM: Final = "application/x-www-form-urlencoded"
_OTHER_WAYS_IN: Final = ("HTTP_AUTHORIZATION", "HTTP_X_ACTOR_ID")
_TO_THE_MINUTE: Final = re.compile(r"T[0-9]{2}:[0-9]{2}\Z")
_ADDRESS: Final = re.compile(r"(?P<prefix>(?:/v1)?/cases)(?:/(?P<case_id>[^/]+)(?P<rest>/.*)?)?")


def in_session(request: Request) -> bool:
    """Tell whether a person with a log-in session calls."""
    return isinstance(request.successful_authenticator, SessionActorAuthentication)


def typed_in(request: Request) -> dict[str, str]:
    """Return what was typed into the form that a request was; nothing, where it was none."""
    typed: dict[str, str] = getattr(request, "typed_form", {})
    return typed


def at(path: str) -> tuple[str, str, str]:
    """Split an address into where the cases are, the id of the case and the rest; or nothing."""
    found = _ADDRESS.fullmatch(path)
    return (found["prefix"], found["case_id"] or "", found["rest"] or "") if found else ("", "", "")


def asked_for(
    method: str, path: str, given: Mapping[str, object]
) -> tuple[CaseAction, Endpoint] | None:
    """Return the action that a request is, and its endpoint; None where it is none."""
    prefix, case_id, rest = at(path)
    address = "/{case_id}" * bool(case_id) + rest
    for action, endpoint in ENDPOINTS.items():
        # Two actions may share an address: then what is given tells which one it is.
        told = all(given.get(name) == value for name, value in endpoint.fixed.items())
        if prefix and told and (endpoint.method, endpoint.address) == (method.lower(), address):
            return action, endpoint
    return None


def forms_as_json(
    get_response: Callable[[HttpRequest], HttpResponse],
) -> Callable[[HttpRequest], HttpResponse]:
    """Translate the forms of the pages (middleware)."""

    def middleware(request: HttpRequest) -> HttpResponse:
        if (
            request.method == "POST"
            and request.content_type == _FORM
            and settings.SESSION_COOKIE_NAME in request.COOKIES
            and "text/html" in request.META.get("HTTP_ACCEPT", "")
            and not any(header in request.META for header in _OTHER_WAYS_IN)
            and at(request.path_info)[0]
        ):
            _translate(request)
        return get_response(request)

    return middleware


def _translate(request: HttpRequest) -> None:
    """Make the request what a program would have sent.

    The token against cross-site requests goes into its header, where it is looked for in every
    request but a form: without a good one the session is refused as before.
    """
    given = request.POST
    typed = {name: value for name, value in given.dict().items() if name != _TOKEN}
    request.typed_form = typed  # type: ignore[attr-defined] # for the page
    if given.get(METHOD) == "PATCH":
        request.method = "PATCH"
    found = asked_for(request.method or "", request.path_info, typed)
    form = found[1].form(partial=request.method == "PATCH") if found else None
    body = {
        name: _read(values, form, name)
        for name, values in given.lists()
        if name not in (_TOKEN, METHOD, VERSION) and not _left_out(values, form, name)
    }
    # Django keeps a body that was read here, and gives it to whoever reads it next.
    request._body = json.dumps(body).encode()  # noqa: SLF001 (see above)
    request.content_type = "application/json"
    request.META |= {
        "CONTENT_TYPE": "application/json",
        "CONTENT_LENGTH": str(len(request.body)),
        settings.CSRF_HEADER_NAME: given.get(_TOKEN, ""),
    }
    if version := given.get(VERSION):
        request.META["HTTP_IF_MATCH"] = f'"{version}"'
    # The headers were looked at already, and are made once.
    request.__dict__.pop("headers", None)


def _left_out(values: Sequence[object], form: StrictSerializer | None, name: str) -> bool:
    """Tell whether an empty field means that nothing was said.

    In a new case and in an action, always. In a change an empty text empties the field; a time or
    a choice stays as it is.
    """
    field = form.fields.get(name) if form else None
    clears = form is not None and form.partial and isinstance(field, serializers.CharField)
    return [*values] == [""] and not clears


def _read(values: Sequence[object], form: StrictSerializer | None, name: str) -> Any:
    """Return one value as JSON would bring it: times with their zone, lines as lines."""
    if len(values) != 1 or not isinstance(values[0], str):
        return values
    text = values[0].replace("\r\n", "\n")
    field = form.fields.get(name) if form else None
    if not isinstance(field, MomentField):
        return text
    # The browser's field for times leaves out seconds of zero and knows no zone; the page says
    # that they are in UTC.
    return f"{text}:00Z" if _TO_THE_MINUTE.search(text) else f"{text}Z"
