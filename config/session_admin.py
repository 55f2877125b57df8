"""Who is logged in, for superusers, who can end a session that is not its owner's any more."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.timezone import now

from config import asking, sessions
from config.models import AccountSession


@admin.register(AccountSession)
class SessionAdmin(admin.ModelAdmin[AccountSession]):
    """Sessions, without what opens them."""

    list_display = fields = readonly_fields = ("user", "browser", "address", "began_at", "seen_at")
    list_select_related = ("user",)
    search_fields = ("=user__username",)
    ordering = ("-seen_at", "-id")
    show_full_result_count = False
    list_per_page = 50
    actions = ("end",)

    @admin.action(description="End the chosen sessions", permissions=["delete"])
    def end(self, request: HttpRequest, queryset: QuerySet[AccountSession]) -> None:
        """End them now."""
        self.message_user(request, f"{sessions.end(queryset, by=asking.who())} ended.")

    def get_queryset(self, request: HttpRequest) -> QuerySet[AccountSession]:
        """Return those that are not over."""
        return super().get_queryset(request).filter(session__expire_date__gt=now())

    def delete_model(self, request: HttpRequest, obj: AccountSession) -> None:
        """End it; the log tells by whom."""
        del request
        sessions.end(AccountSession.objects.filter(pk=obj.pk), by=asking.who())

    def get_actions(self, request: HttpRequest) -> dict[str, Any]:
        """Offer ours in the place of Django's deletion, which would leave the sessions open."""
        return {name: one for name, one in super().get_actions(request).items() if name == "end"}

    def lookup_allowed(self, lookup: str, value: str, request: HttpRequest | None = None) -> bool:
        """Allow no filter by address: keys of sessions are not for asking."""
        del lookup, value, request
        return False

    def has_module_permission(self, request: HttpRequest) -> bool:
        """Show it to superusers."""
        return bool(request.user.is_superuser)

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Show it to superusers."""
        del obj
        return bool(request.user.is_superuser)

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Refuse: people log in themselves."""
        del request, obj
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Refuse: it is ended."""
        del request, obj
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Let superusers end it."""
        del obj
        return bool(request.user.is_superuser)
