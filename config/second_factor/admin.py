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
from config.superusers import ForSuperusers

# Their library's page shows recovery codes and lets them be typed; its page of devices stays away
# by itself where another one is there.
admin.site.unregister(static_devices.StaticDevice)


@admin.register(TOTPDevice)
class DeviceAdmin(ForSuperusers[TOTPDevice]):
    """Second factors, without their keys."""

    list_display = fields = readonly_fields = ("user", "created_at", "last_used_at")
    ordering = ("user__username",)

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
