"""The browsable API: the same answers as pages, for a person who asks for ``text/html``.

Who has a log-in session also gets forms, for exactly the actions that are open to that person now.
A form that worked leads to the case; one that did not comes back with what was typed.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Final

from django.contrib import messages
from django.template import loader
from rest_framework import status
from rest_framework.renderers import BrowsableAPIRenderer
from rest_framework.request import Request
from rest_framework.response import Response

from cases.lifecycle import CaseAction, CaseStatus, Priority
from cases.policies import PERMISSIONS, Actor
from config.http.forms import VERSION, asked_for, at, in_session, typed_in
from config.http.page_forms import PageForm, form_for

_COLUMNS: Final = (
    ("id", "title", "status", "priority", "assigned_reviewer_id", "due_at", "updated_at"),
    ("sequence", "author", "created_at", "body"),
    ("sequence", "occurred_at", "actor_id", "event_type", "details"),
)


class PageRenderer(BrowsableAPIRenderer):
    """Writes an answer as a page."""

    def render(
        self,
        data: Any,
        accepted_media_type: str | None = None,
        renderer_context: Mapping[str, Any] | None = None,
    ) -> Any:
        """Return the page; or nothing but the way to the case, after a form that worked."""
        del accepted_media_type
        context = renderer_context or {}
        request: Request = context["request"]
        response: Response = context["response"]
        if _worked(request, response):
            return _lead_to_the_case(request, response, data)
        return loader.get_template(self.template).render(page_of(data, request, response), request)


def _worked(request: Request, response: Response) -> bool:
    return bool(typed_in(request)) and status.is_success(response.status_code)


def _lead_to_the_case(request: Request, response: Response, data: Any) -> str:
    prefix, case_id, _ = at(request.path)
    found = asked_for(request.method or "", request.path, typed_in(request))
    if found is not None:
        messages.success(request, f"{_words(found[0])}: done.")
    response.status_code = status.HTTP_303_SEE_OTHER
    response["Location"] = f"{prefix}/{case_id or data['id']}"
    # It named the case that this answer no longer shows.
    del response["ETag"]
    return ""


def page_of(data: Any, request: Request, response: Response) -> dict[str, Any]:
    """Return what the template shows of an answer."""
    prefix, case_id, rest = at(request.path)
    person = in_session(request) if response.status_code != status.HTTP_401_UNAUTHORIZED else False
    page: dict[str, Any] = {
        "title": " ".join(filter(None, [case_id, _words(rest.strip("/"))])) or "Cases",
        "has_permission": person,
        "prefix": prefix or "/cases",
        "case_id": case_id,
        "rest": _words(rest.strip("/")),
        "answer_status": f"{response.status_code} {response.status_text}",
        "json": json.dumps(data, indent=2, ensure_ascii=False),
        "forms": [],
    }
    fields = data if isinstance(data, dict) else {}
    if "error" in fields:
        page |= {"kind": "error", "problem": fields}
        if person and (form := _again(fields, request, prefix, case_id)):
            # What is wrong with a field stands beside it, and the rest in the form's head.
            shown = {field.name for field in form.fields}
            page["forms"] = [form]
            page["elsewhere"] = {k: v for k, v in fields["details"].items() if k not in shown}
        else:
            page["elsewhere"] = fields["details"]
    elif "available_actions" in fields:
        page |= {"kind": "case", "case": fields, "facts": _facts(fields)}
        if person:
            page["forms"] = _forms_of(fields, request.user.get_username(), prefix)
    elif "results" in fields:
        page |= {"kind": "list", "page": fields, **_table(fields["results"], prefix)}
        page["statuses"] = [*CaseStatus] if not case_id else []
        if person and not case_id and _may_create(request):
            values = {"priority": Priority.NORMAL.value}
            page["forms"] = [form_for(CaseAction.CREATE, prefix, values=values)]
    return page


def _may_create(request: Request) -> bool:
    return isinstance(request.auth, Actor) and request.auth.has(PERMISSIONS[CaseAction.CREATE])


def _forms_of(case: dict[str, Any], person: str, prefix: str) -> list[PageForm]:
    """Return a form for each action that is open to this person now."""
    # Who takes a case up mostly takes it for themselves; the other names start from nothing.
    mine = {"reviewer_id": person, "permission": "view_case"}
    return [
        form_for(
            action,
            prefix,
            case_id=case["id"],
            version=case["version"],
            values=case if action is CaseAction.UPDATE else mine,
        )
        for action in map(CaseAction, case["available_actions"])
    ]


def _again(problem: dict[str, Any], request: Request, prefix: str, case_id: str) -> PageForm | None:
    """Return the form that was refused, with what was typed and what is wrong with it."""
    typed = typed_in(request)
    found = asked_for(request.method or "", request.path, typed) if typed else None
    if found is None:
        return None
    # What was typed stays; the version is the new one, to be decided on again.
    version = problem["details"].get("current_version", typed.get(VERSION, ""))
    return form_for(
        found[0],
        prefix,
        case_id=case_id,
        version=version,
        values=typed,
        errors=problem["details"] if problem["error"] == "validation_error" else {},
        message=problem["message"],
    )


def _facts(case: dict[str, Any]) -> list[tuple[str, str]]:
    apart = {"id", "title", "status", "version", "description", "available_actions"}
    return [(_words(name), _shown(value)) for name, value in case.items() if name not in apart]


def _table(rows: list[dict[str, Any]], prefix: str) -> dict[str, Any]:
    """Return the heads and the rows of a list; the first cell of a case leads to it."""
    known = next((names for names in _COLUMNS if rows and {*names} <= {*rows[0]}), None)
    names = known or (tuple(rows[0]) if rows else ())
    return {
        "heads": [_words(name) for name in names],
        "rows": [
            (f"{prefix}/{row['id']}" if "title" in row else "", [_shown(row[n]) for n in names])
            for row in rows
        ],
    }


def _words(name: str) -> str:
    words = name.replace("_", " ").replace("-", " ").capitalize()
    return words.removesuffix(" at").removesuffix(" id")


def _shown(value: Any) -> str:
    if value is None or value == "":
        return "–"  # noqa: RUF001 (a dash for nothing, as the back office writes it)
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, dict):
        return ", ".join(f"{name}: {_shown(inner)}" for name, inner in value.items())
    text = str(value)
    # A time in full is for programs; people read it to the minute.
    looks_like_time = text[4:5] == "-" and text[10:11] == "T" and text.endswith("Z")
    return f"{text[:10]} {text[11:16]} UTC" if looks_like_time else text
