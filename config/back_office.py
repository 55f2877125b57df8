"""The back office as a site: one frame around every page, with the ways that a person may go."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple, Protocol, cast

from django.conf import settings
from django.contrib.admin import AdminSite
from django.contrib.auth import REDIRECT_FIELD_NAME
from django.contrib.auth.models import User
from django.contrib.auth.views import PasswordChangeView
from django.db import transaction
from django.http import HttpRequest
from django.template.response import TemplateResponse
from django.urls import URLPattern, URLResolver, path, reverse

from cases.models import Case
from config.models import Preference
from config.password_forms import LogInForm, OwnPasswordForm
from config.second_factor import passed, views
from config.second_factor.again import Again, fresh_first
from config.second_factor.state import asks_for_code, by_single_sign_on, is_fresh
from config.session_pages import OwnSessions


class Way(NamedTuple):
    """A link of the main navigation."""

    label: str
    url: str
    icon: str
    current: bool


class HasPages(Protocol):
    """What has the pages about all cases; it registers itself, so nothing here can import it."""

    def start_page(self, request: HttpRequest) -> TemplateResponse: ...
    def dashboard_page(self, request: HttpRequest) -> TemplateResponse: ...


class BackOffice(AdminSite):
    """Django's admin with a frame of our own; the sidebar of all tables stays away."""

    site_header = site_title = "Regulatory cases"
    enable_nav_sidebar = False
    login_form = LogInForm

    def each_context(self, request: HttpRequest) -> dict[str, Any]:
        """Add the navigation, and what the pages of models have to say on every page."""
        context = super().each_context(request)
        for model_admin in self._registry.values():
            if frame := getattr(model_admin, "frame", None):
                context |= frame(request)
        has_codes = settings.ADMIN_MFA != "off" and not by_single_sign_on(request)
        return {**context, "ways": self._ways(request, context), "second_factor": has_codes}

    def _ways(self, request: HttpRequest, context: Mapping[str, Any]) -> list[Way]:
        """Return where this person may go, in the order of a day's work."""
        if not self.has_permission(request):
            return []
        here = request.path
        start, tables = reverse("admin:index"), reverse("admin:tables")
        dashboard = reverse("admin:dashboard")
        cases = reverse("admin:cases_case_changelist")
        found = [Way("Start", start, "home", here == start)]
        if self._registry[Case].has_view_permission(request):
            found.append(Way("Cases", cases, "cases", here.startswith(cases)))
        if context["may_oversee"]:
            found.append(Way("Dashboard", dashboard, "chart", here == dashboard))
        if any(app["app_label"] != "cases" for app in context["available_apps"]):
            apart = here in (start, dashboard) or here.startswith(cases)
            own = ("password_change", "second_factor", "sessions", "again")
            account = here.startswith(tuple(reverse(f"admin:{name}") for name in own))
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

    def has_permission(self, request: HttpRequest) -> bool:
        """Let in who has an account here and has shown all that a log-in asks for."""
        return super().has_permission(request) and passed(request)

    def admin_view(self, view: Any, cacheable: bool = False) -> Any:  # noqa: FBT001, FBT002 (Django's signature)
        """Let people in to a page; before some of them they prove once more who they are."""
        return fresh_first(view, super().admin_view(view, cacheable))

    def login(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> Any:
        """Ask for the password, or for the code of who has given the password already."""
        if request.method == "GET" and super().has_permission(request) and not passed(request):
            return views.ask_for_code(request.GET.get(REDIRECT_FIELD_NAME, ""))
        return super().login(request, extra_context)

    def password_change(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> Any:
        """Change one's own password, end other sessions and owe the letter: all or nothing.

        Who has a device shows a code first. The old password stands for it only without one.
        """
        if asks_for_code(request) and not is_fresh(request):
            return views.ask_again(request.get_full_path())
        page = PasswordChangeView.as_view(
            form_class=OwnPasswordForm,
            success_url=reverse("admin:password_change_done"),
            extra_context=self.each_context(request) | (extra_context or {}),
        )
        with transaction.atomic():
            return page(request)

    def get_urls(self) -> list[URLPattern | URLResolver]:
        """Add the dashboard, the page of all tables, the second factor and the sessions."""
        ours = [
            path("tables/", self.admin_view(self.tables), name="tables"),
            path("dashboard/", self.admin_view(self.dashboard), name="dashboard"),
            path("sessions/", self.admin_view(OwnSessions.as_view()), name="sessions"),
            # Also for who has given a password and has no code: logging out is always possible.
            path("logout/", self.logout, name="logout"),
            path("again/", Again.as_view(), name="again"),
            path("second-factor/", views.Overview.as_view(), name="second_factor"),
            path("second-factor/code/", views.ShowCode.as_view(), name="second_factor_code"),
            path("second-factor/set-up/", views.SetUp.as_view(), name="second_factor_set_up"),
            path("second-factor/codes/", views.NewCodes.as_view(), name="second_factor_codes"),
        ]
        # Nothing here has a page outside of the admin that Django's shortcut could lead to.
        return [
            *ours,
            *(one for one in super().get_urls() if getattr(one, "name", "") != "view_on_site"),
        ]

    def index(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> TemplateResponse:
        """Show what waits for this person."""
        del extra_context
        return self._cases.start_page(request)

    def dashboard(self, request: HttpRequest) -> TemplateResponse:
        """Show how the work stands, to those who oversee it."""
        return self._cases.dashboard_page(request)

    @property
    def _cases(self) -> HasPages:
        return cast(HasPages, self._registry[Case])

    def tables(self, request: HttpRequest) -> TemplateResponse:
        """List what this person may look at or keep beside the cases."""
        context = self.each_context(request)
        apps = [app for app in context["available_apps"] if app["app_label"] != "cases"]
        return TemplateResponse(
            request,
            "admin/tables.html",
            {**context, "title": "Administration", "app_list": apps},
        )
