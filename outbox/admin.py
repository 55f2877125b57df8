"""The outbox in the admin, read-only, for those whom no case is hidden from."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse

from cases.policies import VIEW_RESTRICTED
from outbox.models import OutboxEvent


@admin.register(OutboxEvent)
class OutboxEventAdmin(admin.ModelAdmin[OutboxEvent]):
    """What is owed to which destination, and what became of it."""

    list_display = (
        "id",
        "case_id",
        "sequence",
        "event_type",
        "destination",
        "attempts",
        "processed_at",
        "dead_at",
    )
    search_fields = ("=case_id",)
    ordering = ("-id",)
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
        """Refuse: rows come from events."""
        del request, obj
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Refuse: the relay alone marks them."""
        del request, obj
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Refuse: an obligation does not vanish."""
        del request, obj
        return False
