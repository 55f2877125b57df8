"""Cases in the admin: a list, a page per case, and a page per action."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.html import format_html

from cases import selectors, services
from cases.admin.actions import ACTIONS, carry_out, outdated
from cases.admin.persons import actor_in
from cases.errors import CaseError, CaseNotFound
from cases.lifecycle import CaseAction
from cases.models import Case
from cases.policies import PERMISSIONS, VIEW, Actor


@admin.register(Case)
class CaseAdmin(admin.ModelAdmin[Case]):
    """Read-only to Django's own forms: what changes a case has a page and a service of its own."""

    list_display = ("id", "title", "state", "priority", "reviewer", "due", "updated_at")
    list_display_links = ("id", "title")
    list_filter = ("status", "priority", "restricted")
    search_fields = ("=id", "title", "subject", "external_reference")
    ordering = ("-created_at", "-id")
    list_per_page = 50
    show_full_result_count = False

    def lookup_allowed(self, lookup: str, value: str, request: HttpRequest | None = None) -> bool:
        """Allow the filters that are shown, and nothing that could be asked besides."""
        del value, request
        return lookup in {f"{name}__exact" for name in self.list_filter}

    def frame(self, request: HttpRequest) -> dict[str, Any]:
        """Return what the frame of every page shows of who is logged in."""
        actor = actor_in(request)
        return {"may_find": actor.has(VIEW), "person_roles": ", ".join(sorted(actor.roles))}

    def get_queryset(self, request: HttpRequest) -> QuerySet[Case]:
        """Return the cases that exist for who is logged in."""
        return selectors.visible_cases(actor_in(request)).order_by(*self.ordering)

    def has_module_permission(self, request: HttpRequest) -> bool:
        """Show the cases to everybody who may read some."""
        return self.has_view_permission(request)

    def has_view_permission(self, request: HttpRequest, obj: Case | None = None) -> bool:
        """Roles read; what of a single case exists for them is the queryset's to say."""
        del obj
        return actor_in(request).has(VIEW)

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

    @admin.display(description="Status", ordering="status")
    def state(self, case: Case) -> str:
        """Show the status with its colour, and what else stands out."""
        return format_html(
            '<span class="case-status case-{}">{}</span>{}{}{}',
            case.status.lower(),
            case.get_status_display(),
            " · overdue" if case.overdue_at else "",
            " · paused" if case.paused_at else "",
            " · restricted" if case.restricted else "",
        )

    @admin.display(description="Reviewer", ordering="assigned_reviewer_id")
    def reviewer(self, case: Case) -> str:
        """Show whose case it is."""
        return case.assigned_reviewer_id or "nobody"

    @admin.display(description="Due", ordering="due_at")
    def due(self, case: Case) -> str:
        """Show the due date as a day."""
        return case.due_at.strftime("%Y-%m-%d") if case.due_at else "-"

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
        return [*pages, *super().get_urls()]

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
        return self._act(request, CaseAction.CREATE, None)

    def change_view(
        self,
        request: HttpRequest,
        object_id: str,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        """Show a case: its facts, what this person may do now, its notes and its trail."""
        del form_url, extra_context
        case = self._case(request, object_id)
        buttons = [
            {
                "label": ACTIONS[action].label,
                "url": reverse(f"admin:cases_case_{action.value}", args=[case.id]),
            }
            for action in selectors.available_actions(actor_in(request), case)
        ]
        context = {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "title": case.title,
            "case": case,
            "buttons": buttons,
            "notes": selectors.notes_of(case),
        }
        return TemplateResponse(request, "admin/cases/case/detail.html", context)

    def history_view(
        self, request: HttpRequest, object_id: str, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """Lead to the case: its history is the trail, not Django's log of clicks."""
        del extra_context
        case = self._case(request, object_id)
        return HttpResponseRedirect(reverse("admin:cases_case_change", args=[case.id]))

    def _case(self, request: HttpRequest, object_id: str) -> Case:
        try:
            return selectors.get_case(object_id, actor_in(request))
        except CaseNotFound as error:
            raise Http404(error.message) from None

    def _action_page(self, action: CaseAction) -> Callable[..., HttpResponse]:
        def page(request: HttpRequest, object_id: str) -> HttpResponse:
            return self._act(request, action, self._case(request, object_id))

        return page

    def _act(self, request: HttpRequest, action: CaseAction, case: Case | None) -> HttpResponse:
        """Ask for what the action needs; carry it out; say in words which rule forbids it."""
        form_class, label = ACTIONS[action].form, ACTIONS[action].label
        actor, problem = actor_in(request), ""
        form = form_class(request.POST or None, case=case)
        if request.method == "POST":
            form = form_class(request.POST, case=case)
            try:
                done = form.is_valid() and carry_out(
                    action, form, actor=actor, case_id=case.id if case else None
                )
            except CaseNotFound as error:
                raise Http404(error.message) from None
            except CaseError as error:
                done, problem = None, error.message
                if case is not None and outdated(error):
                    # What was typed stays; the version is the new one, to be decided on again.
                    case = self._case(request, case.id)
                    form.data = {**request.POST.dict(), "expected_version": str(case.version)}
            if done:
                messages.success(request, f"{label}: done.")
                return HttpResponseRedirect(reverse("admin:cases_case_change", args=[done]))
        elif case is not None:
            problem = self._forbidden(action, actor, case)
        context = {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "title": label,
            "case": case,
            "form": form,
            "problem": problem,
        }
        return TemplateResponse(request, "admin/cases/case/action.html", context)

    def _forbidden(self, action: CaseAction, actor: Actor, case: Case) -> str:
        """Say before anything is typed what would forbid the action."""
        try:
            services.check_may(action=action, actor=actor, case_id=case.id)
        except CaseError as error:
            return error.message
        return ""
