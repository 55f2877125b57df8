"""Accounts in the admin: Django's own pages, but for the one change that trails cannot bear."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.contrib.auth.admin import UserAdmin
from django.contrib.auth.models import User
from django.http import HttpRequest

admin.site.unregister(User)


@admin.register(User)
class AccountAdmin(UserAdmin[User]):
    """Accounts; cases and trails name people by their user names, so these stay."""

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        """Let the name be chosen for a new account only."""
        fields = super().get_readonly_fields(request, obj)
        return fields if obj is None else (*fields, "username")

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Refuse: an account is switched off. Another one of its name would inherit its past.

        Django's page for it would also list the cases that were opened to the account.
        """
        del request, obj
        return False
