"""Who is logged in, for superusers, who can end a session that is not its owner's any more."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.timezone import now

from config import asking, sessions
from config.models import AccountSession
from config.superusers import ForSuperusers


@admin.register(AccountSession)
class SessionAdmin(ForSuperusers[AccountSession]):
    """Sessions, without what opens them."""

    list_display = fields = readonly_fields = ("user", "browser", "address", "began_at", "seen_at")
    ordering = ("-seen_at", "-id")
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
