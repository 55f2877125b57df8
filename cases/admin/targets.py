"""The office's table of working days in the admin: who may change it does so through a service."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse

from cases import intake, services
from cases.actors import actor_of_user
from cases.errors import InvalidInput
from cases.models import SlaTarget
from cases.models.orderings import PriorityRank
from cases.policies import CHANGE_SLA, VIEW


class _TargetForm(forms.ModelForm[SlaTarget]):
    """The one number of a row; its rule is that of ``cases.intake``."""

    class Meta:
        model = SlaTarget
        fields = ("working_days",)

    def clean_working_days(self) -> int | None:
        try:
            return intake.clean_working_days(self.cleaned_data["working_days"])
        except InvalidInput as error:
            raise forms.ValidationError(str(error.details["working_days"])) from None


@admin.register(SlaTarget)
class SlaTargetAdmin(admin.ModelAdmin[SlaTarget]):
    """By when cases are due: a row for each priority, none to add and none to remove."""

    form = _TargetForm
    fields = ("priority", "working_days")
    readonly_fields = ("priority",)
    list_display = ("priority", "working_days")
    list_display_links = ("priority",)
    ordering = (PriorityRank("priority").desc(),)
    actions = None

    def has_module_permission(self, request: HttpRequest) -> bool:
        """Show the table to everybody who may read cases."""
        return self.has_view_permission(request)

    def has_view_permission(self, request: HttpRequest, obj: SlaTarget | None = None) -> bool:
        """Let everybody with a role know by when cases are due."""
        del obj
        return request.user.has_perm(f"cases.{VIEW}")

    def has_change_permission(self, request: HttpRequest, obj: SlaTarget | None = None) -> bool:
        """Admit who may change the table."""
        del obj
        return request.user.has_perm(f"cases.{CHANGE_SLA}")

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Refuse: every priority has its row."""
        del request
        return False

    def has_delete_permission(self, request: HttpRequest, obj: SlaTarget | None = None) -> bool:
        """Refuse: a priority without a due date has a row without a number."""
        del request, obj
        return False

    def history_view(
        self, request: HttpRequest, object_id: str, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """Refuse others before looking for the row, as all other pages do."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        return super().history_view(request, object_id, extra_context)

    def save_model(self, request: HttpRequest, obj: SlaTarget, form: Any, change: Any) -> None:
        """Let the service write it, and its line into the log."""
        del form, change
        services.set_sla_target(
            priority=obj.priority,
            working_days=obj.working_days,
            actor=actor_of_user(request.user),
        )

    def construct_change_message(
        self, request: HttpRequest, form: Any, formsets: Any, add: Any = None
    ) -> list[dict[str, dict[str, list[str]]]]:
        """Say in the history what it was and what it is."""
        del request, formsets, add
        if not form.has_changed():
            return []
        before, now = form.initial["working_days"], form.instance.working_days
        return [{"changed": {"fields": [f"working days: {before} before, {now} now"]}}]
