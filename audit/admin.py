"""The trail in the admin, read-only, for those whom no case is hidden from."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse

from audit.models import AuditEvent
from cases.policies import VIEW_RESTRICTED


@admin.register(AuditEvent)
class AuditEventAdmin(admin.ModelAdmin[AuditEvent]):
    """Audit events across cases."""

    list_display = ("occurred_at", "case_id", "sequence", "event_type", "actor_id", "request_id")
    search_fields = ("=case_id", "=actor_id")
    ordering = ("case_id", "sequence")
    show_full_result_count = False
    list_per_page = 50

    def lookup_allowed(self, lookup: str, value: str, request: HttpRequest | None = None) -> bool:
        """Allow no filter by address: none is shown."""
        del lookup, value, request
        return False

    def history_view(
        self, request: HttpRequest, object_id: str, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """Refuse others before looking for the row, as all other pages do."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        return super().history_view(request, object_id, extra_context)

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Admit who may read restricted cases."""
        del obj
        return request.user.has_perm(f"cases.{VIEW_RESTRICTED}")

    def has_module_permission(self, request: HttpRequest) -> bool:
        """Show it to the same people."""
        return self.has_view_permission(request)

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Refuse: events are recorded, not written by hand."""
        del request, obj
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Refuse: the trail is append-only."""
        del request, obj
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Refuse: the trail is append-only."""
        del request, obj
        return False
