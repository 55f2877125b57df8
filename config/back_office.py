"""The back office as a site: one frame around every page, with the ways that a person may go."""

from __future__ import annotations

from typing import Any, NamedTuple

from django.contrib.admin import AdminSite
from django.contrib.auth.models import User
from django.http import HttpRequest
from django.template.response import TemplateResponse
from django.urls import URLPattern, URLResolver, path, reverse

from cases.models import Case
from config.models import Preference


class Way(NamedTuple):
    """A link of the main navigation."""

    label: str
    url: str
    icon: str
    current: bool


class BackOffice(AdminSite):
    """Django's admin with a frame of our own; the sidebar of all tables stays away."""

    site_header = site_title = "Regulatory cases"
    index_title = "Start"
    enable_nav_sidebar = False

    def each_context(self, request: HttpRequest) -> dict[str, Any]:
        """Add the navigation, and what the pages of models have to say on every page."""
        context = super().each_context(request)
        for model_admin in self._registry.values():
            if frame := getattr(model_admin, "frame", None):
                context |= frame(request)
        return {**context, "ways": self._ways(request, context["available_apps"])}

    def _ways(self, request: HttpRequest, apps: list[Any]) -> list[Way]:
        """Return where this person may go, in the order of a day's work."""
        if not self.has_permission(request):
            return []
        here = request.path
        start, tables = reverse("admin:index"), reverse("admin:tables")
        cases = reverse("admin:cases_case_changelist")
        found = [Way("Start", start, "home", here == start)]
        if self._registry[Case].has_view_permission(request):
            found.append(Way("Cases", cases, "cases", here.startswith(cases)))
        if any(app["app_label"] != "cases" for app in apps):
            apart = here in (start, cases) or here.startswith(cases)
            account = here.startswith(reverse("admin:password_change"))
            found.append(Way("Administration", tables, "settings", not apart and not account))
        return found

    def preferences(self, user: User) -> dict[str, str]:
        """Return what somebody chose before, by name."""
        return dict(Preference.objects.filter(user_id=user.pk).values_list("name", "value"))

    def prefer(self, user: User, name: str, value: str) -> None:
        """Keep a choice for the next time, in place of an earlier one."""
        Preference.objects.bulk_create(
            [Preference(user_id=user.pk, name=name, value=value)],
            update_conflicts=True,
            update_fields=["value"],
            unique_fields=["user", "name"],
        )

    def get_urls(self) -> list[URLPattern | URLResolver]:
        """Add the page of all tables, which Django has on its start page."""
        tables = path("tables/", self.admin_view(self.tables), name="tables")
        return [tables, *super().get_urls()]

    def tables(self, request: HttpRequest) -> TemplateResponse:
        """List what this person may look at or keep beside the cases."""
        context = self.each_context(request)
        apps = [app for app in context["available_apps"] if app["app_label"] != "cases"]
        return TemplateResponse(
            request,
            "admin/tables.html",
            {**context, "title": "Administration", "app_list": apps},
        )
