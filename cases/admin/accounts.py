"""Accounts and roles in the admin: Django's own pages, but for what trails cannot bear."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin
from django.contrib.auth.admin import GroupAdmin, UserAdmin
from django.contrib.auth.models import Group, Permission, User
from django.db import transaction
from django.db.models import ManyToManyField
from django.http import HttpRequest, HttpResponse

admin.site.unregister(User)
admin.site.unregister(Group)


class Boxes(forms.CheckboxSelectMultiple):
    """A box per choice: each has a name of its own, for eyes, keyboard and screen reader."""

    template_name = "cases/boxes.html"


def _boxes(
    db_field: ManyToManyField[Any, Any], request: HttpRequest
) -> forms.ModelMultipleChoiceField[Any] | None:
    """Return a field of boxes; permissions by what they are called, those on cases first."""
    del request
    if db_field.remote_field.model is not Permission:
        field = db_field.formfield(widget=Boxes)
    else:
        field = db_field.formfield(
            widget=Boxes,
            queryset=Permission.objects.select_related("content_type").order_by("pk"),
        )
    assert isinstance(field, forms.ModelMultipleChoiceField)  # noqa: S101 (for the type checker)
    return field


@admin.register(User)
class AccountAdmin(UserAdmin[User]):
    """Accounts; cases and trails name people by their user names, so these stay."""

    filter_horizontal = ()

    def formfield_for_manytomany(
        self, db_field: ManyToManyField[Any, Any], request: HttpRequest, **kwargs: Any
    ) -> Any:
        """Offer roles and permissions as boxes."""
        del kwargs
        return _boxes(db_field, request)

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        """Let the name be chosen for a new account only; when it was used is a fact.

        Rights are given by superusers: who only keeps accounts could else become one.
        """
        fields = (*super().get_readonly_fields(request, obj), "last_login", "date_joined")
        if not request.user.is_superuser:
            fields += ("is_superuser", "groups", "user_permissions")
        return fields if obj is None else (*fields, "username")

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Keep a superuser's account, and with it the password, to superusers."""
        theirs = obj is not None and obj.is_superuser and not request.user.is_superuser
        return super().has_change_permission(request, obj) and not theirs

    def user_change_password(
        self,
        request: HttpRequest,
        id: str,  # noqa: A002 (Django's name)
        form_url: str = "",
    ) -> HttpResponse:
        """Set a password, end the account's sessions and owe the letter: all or nothing."""
        with transaction.atomic():
            return super().user_change_password(request, id, form_url)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Refuse: an account is switched off. Another one of its name would inherit its past.

        Django's page for it would also list the cases that were opened to the account.
        """
        del request, obj
        return False


@admin.register(Group)
class RoleAdmin(GroupAdmin):
    """Roles: what their people may do."""

    filter_horizontal = ()

    def formfield_for_manytomany(  # type: ignore[override] # the admin always has a request
        self, db_field: ManyToManyField[Any, Any], request: HttpRequest, **kwargs: Any
    ) -> Any:
        """Offer permissions as boxes."""
        del kwargs
        return _boxes(db_field, request)
