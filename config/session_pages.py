"""The page on which people see where they are logged in, and end what they do not know."""

from __future__ import annotations

from typing import Any

from django.contrib import admin, messages
from django.contrib.auth.models import User
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.decorators import method_decorator
from django.views import View
from django.views.decorators.cache import never_cache

from config import sessions
from config.models import AccountSession

_LISTED = 100
_LONGEST_ID = 19  # digits of PostgreSQL's bigint


@method_decorator(never_cache, name="dispatch")
class OwnSessions(View):
    """A person's own sessions; ``admin_view`` lets nobody else in."""

    def get(self, request: HttpRequest) -> HttpResponse:
        """List them, this one first."""
        found = sessions.of(_user(request).pk)[:_LISTED]
        here = request.session.session_key
        context: dict[str, Any] = {
            **admin.site.each_context(request),
            "title": "Your sessions",
            "sessions": sorted(found, key=lambda row: row.session_id != here),
            "here": here,
        }
        return TemplateResponse(request, "admin/sessions.html", context)

    def post(self, request: HttpRequest) -> HttpResponse:
        """End one, named by its id, or all but this one; what is not theirs is not there."""
        user = _user(request)
        chosen = AccountSession.objects.filter(user=user)
        chosen = chosen.exclude(session_id=request.session.session_key)
        if "all" not in request.POST:
            wanted = request.POST.get("session", "")
            is_id = wanted.isdecimal() and len(wanted) <= _LONGEST_ID
            chosen = chosen.filter(pk=wanted) if is_id else chosen.none()
        ended = sessions.end(chosen, by=user.get_username())
        said = f"{ended} session{'' if ended == 1 else 's'} ended."
        messages.success(request, said if ended else "That session had ended already.")
        return HttpResponseRedirect(reverse("admin:sessions"))


def _user(request: HttpRequest) -> User:
    assert isinstance(request.user, User)  # noqa: S101 (admin_view lets nobody else in)
    return request.user
