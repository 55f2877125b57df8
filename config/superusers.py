"""What pages that only superusers have in the back office share: they look, and take away."""

from __future__ import annotations

from typing import Any, ClassVar, TypeVar

from django.contrib import admin
from django.db.models import Model
from django.http import HttpRequest

M = TypeVar("M", bound=Model)


class ForSuperusers(admin.ModelAdmin[M]):
    """Rows of accounts, like their sessions: they are made elsewhere, and changed nowhere."""

    list_select_related = ("user",)
    search_fields: ClassVar[list[str] | tuple[str, ...]] = ("=user__username",)
    show_full_result_count = False

    def lookup_allowed(self, lookup: str, value: str, request: HttpRequest | None = None) -> bool:
        """Allow no filter by address: what a row keeps secret could be asked for by one."""
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
        """Refuse: log-ins and owners make them."""
        del request, obj
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Refuse: it is taken away, and its owner makes another."""
        del request, obj
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Let superusers take it away."""
        del obj
        return bool(request.user.is_superuser)
