"""Who has a second factor, for superusers, who can take one away that was lost."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.contrib.auth.models import User
from django.db.models import QuerySet
from django.http import HttpRequest
from django_otp.plugins.otp_static import admin as static_devices
from django_otp.plugins.otp_totp.models import TOTPDevice

from config.second_factor import state

# Their library's page shows recovery codes and lets them be typed; its page of devices stays away
# by itself where another one is there.
admin.site.unregister(static_devices.StaticDevice)


@admin.register(TOTPDevice)
class DeviceAdmin(admin.ModelAdmin[TOTPDevice]):
    """Second factors, without their keys."""

    list_display = fields = readonly_fields = ("user", "created_at", "last_used_at")
    list_select_related = ("user",)
    search_fields = ("=user__username",)
    ordering = ("user__username",)
    show_full_result_count = False

    def get_queryset(self, request: HttpRequest) -> QuerySet[TOTPDevice]:
        """Return those that are in use."""
        return super().get_queryset(request).filter(confirmed=True)

    def delete_model(self, request: HttpRequest, obj: TOTPDevice) -> None:
        """Take it away, recovery codes included; the log tells by whom."""
        assert isinstance(request.user, User)  # noqa: S101 (admin_view lets nobody else in)
        state.reset(obj.user, by=request.user.username)

    def get_actions(self, request: HttpRequest) -> dict[str, Any]:
        """Offer no deletion of many at once: each is told by name."""
        del request
        return {}

    def lookup_allowed(self, lookup: str, value: str, request: HttpRequest | None = None) -> bool:
        """Allow no filter by address: keys are not for asking."""
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
        """Refuse: people set theirs up themselves."""
        del request, obj
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Refuse: it is taken away, and its owner sets up another."""
        del request, obj
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Let superusers take it away."""
        del obj
        return bool(request.user.is_superuser)
