"""Cases in the admin: a list, a page per case, and a page per action."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from uuid import UUID

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.http.response import HttpResponseBase
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse

from cases import selectors
from cases.admin.action_view import action_page
from cases.admin.actions import ACTIONS
from cases.admin.bulk import results_page
from cases.admin.case_view import case_or_404, case_page
from cases.admin.dashboard import dashboard_page
from cases.admin.imports import register_page, rejects_file, uploads_page
from cases.admin.list_view import export_page, list_page
from cases.admin.persons import actor_in
from cases.admin.start import start_page
from cases.lifecycle import CaseAction
from cases.models import Case
from cases.policies import PERMISSIONS, VIEW, Actor, oversees


def _may_read_some(actor: Actor) -> bool:
    """Tell whether there may be cases for this person: by a role, or granted one by one."""
    return actor.has(VIEW) or actor.has_grants


@admin.register(Case)
class CaseAdmin(admin.ModelAdmin[Case]):
    """Read-only to Django's own forms: what changes a case has a page and a service of its own."""

    ordering = ("-created_at", "-id")

    def lookup_allowed(self, lookup: str, value: str, request: HttpRequest | None = None) -> bool:
        """Allow no filter by address besides those of the list itself."""
        del lookup, value, request
        return False

    def frame(self, request: HttpRequest) -> dict[str, Any]:
        """Return what the frame of every page shows of who is logged in."""
        actor = actor_in(request)
        return {
            "may_find": _may_read_some(actor),
            "may_oversee": oversees(actor),
            "person_roles": ", ".join(sorted(actor.roles)),
        }

    def start_page(self, request: HttpRequest) -> TemplateResponse:
        """Show what waits for who is logged in; the site has it at its root."""
        return start_page(request, self)

    def dashboard_page(self, request: HttpRequest) -> TemplateResponse:
        """Show how the work of the office stands."""
        return dashboard_page(request, self)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Case]:
        """Return the cases that exist for who is logged in."""
        return selectors.visible_cases(actor_in(request)).order_by(*self.ordering)

    def has_module_permission(self, request: HttpRequest) -> bool:
        """Show the cases to everybody who may read some."""
        return self.has_view_permission(request)

    def has_view_permission(self, request: HttpRequest, obj: Case | None = None) -> bool:
        """Admit who may read some; which ones is the queryset's to say."""
        del obj
        return _may_read_some(actor_in(request))

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Tell whether the actor may create cases."""
        return actor_in(request).has(PERMISSIONS[CaseAction.CREATE])

    def has_change_permission(self, request: HttpRequest, obj: Case | None = None) -> bool:
        """Refuse Django's own change form, for everybody."""
        del request, obj
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Case | None = None) -> bool:
        """Refuse: cases are never deleted."""
        del request, obj
        return False

    def get_urls(self) -> list[URLPattern]:
        """Add a page per action."""
        pages = [
            path(
                f"<path:object_id>/{action.value.replace('_', '-')}/",
                self.admin_site.admin_view(self._action_page(action)),
                name=f"cases_case_{action.value}",
            )
            for action in ACTIONS
            if action is not CaseAction.CREATE
        ]
        lists = [
            path(address, self.admin_site.admin_view(view), name=f"cases_case_{name}")
            for address, name, view in (
                ("export/", "export", self.export_view),
                ("export/<uuid:key>/", "export_chosen", self.export_view),
                ("results/<uuid:key>/", "results", self.results_view),
                ("import/", "imports", self._page(uploads_page)),
                ("import/<uuid:register_id>/", "import", self._page(register_page)),
                ("import/<uuid:register_id>/rejects/", "import_rejects", self._page(rejects_file)),
            )
        ]
        return [*lists, *pages, *super().get_urls()]

    def changelist_view(  # type: ignore[override] # the stubs allow no other answer
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponseBase:
        """Show the list, and act on the cases chosen in it."""
        del extra_context
        if not self.has_view_permission(request):
            raise PermissionDenied
        return list_page(request, self)

    def export_view(self, request: HttpRequest, key: UUID | None = None) -> HttpResponseBase:
        """Send the list, or what was chosen in it, as a file."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        return export_page(request, self, key)

    def results_view(self, request: HttpRequest, key: UUID) -> HttpResponse:
        """Tell what became of the cases that were chosen in the list."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        return results_page(request, self, actor_in(request), key)

    def add_view(
        self,
        request: HttpRequest,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        """Create a case."""
        del form_url, extra_context
        if not self.has_add_permission(request):
            raise PermissionDenied
        return action_page(request, self, CaseAction.CREATE, None)

    def change_view(
        self,
        request: HttpRequest,
        object_id: str,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        """Show a case; what changes it has pages of its own."""
        del form_url, extra_context
        return case_page(request, self, case_or_404(request, object_id))

    def history_view(
        self, request: HttpRequest, object_id: str, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """Lead to the case: its history is the trail, not Django's log of clicks."""
        del extra_context
        case = case_or_404(request, object_id)
        return HttpResponseRedirect(reverse("admin:cases_case_change", args=[case.id]))

    def _page(self, page: Callable[..., HttpResponseBase]) -> Callable[..., HttpResponseBase]:
        def view(request: HttpRequest, **kwargs: Any) -> HttpResponseBase:
            return page(request, self, **kwargs)

        return view

    def _action_page(self, action: CaseAction) -> Callable[..., HttpResponse]:
        def page(request: HttpRequest, object_id: str) -> HttpResponse:
            return action_page(request, self, action, case_or_404(request, object_id))

        return page
