"""Asks people once more who they are, before what could open the service to somebody else.

A session that was left alone must make no API tokens and give no roles. Who has a device shows a
code; who has none types the password; who came by single sign-on goes that way again.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import update_wrapper
from typing import Any, Final
from urllib.parse import urlencode

from django import forms
from django.contrib.admin import ModelAdmin
from django.contrib.auth import authenticate
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.decorators import method_decorator
from django.views.decorators.debug import sensitive_post_parameters

from config.second_factor import state
from config.second_factor.views import Page, ask_again, ask_for_code

# By the name of the table: pages that ask, in the words of Django's admin.
_SENSITIVE: Final = {
    "auth_user": {"add_view", "change_view", "user_change_password"},
    "auth_group": {"add_view", "change_view", "delete_view"},
    "api_tokens": {"add_view"},
    "linked_identities": {"add_view", "delete_view"},
    "otp_totp_totpdevice": {"delete_view"},
}
# On lists, what is sent to them: many can be deleted there.
_SENSITIVE_LISTS: Final = {"auth_group"}

View = Callable[..., HttpResponse]


def fresh_first(view: View, guarded: View) -> View:
    """Return a page of a model, behind the question where it is one that asks.

    Args:
        view: the method of Django's admin that makes the page.
        guarded: the same, as the site lets people in to it.
    """
    owner = getattr(view, "__self__", None)
    if not isinstance(owner, ModelAdmin):
        return guarded
    table, name = owner.model._meta.db_table, view.__name__
    is_list = table in _SENSITIVE_LISTS and name == "changelist_view"
    if not is_list and name not in _SENSITIVE.get(table, ()):
        return guarded

    def asked(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        changes = request.method == "POST" or (not is_list and _may_change(owner, request))
        # Who is not let in at all is led to the log-in by the page itself.
        if changes and owner.admin_site.has_permission(request) and not state.is_fresh(request):
            return ask_again(request.get_full_path())
        return guarded(request, *args, **kwargs)

    return update_wrapper(asked, guarded)


def _may_change(owner: ModelAdmin[Any], request: HttpRequest) -> bool:
    """Tell whether somebody could do more on these pages than look."""
    rights = (owner.has_add_permission, owner.has_change_permission, owner.has_delete_permission)
    return any(may(request) for may in rights)


class PasswordForm(forms.Form):
    """The password of who is logged in."""

    password = forms.CharField(
        strip=False,
        widget=forms.PasswordInput(
            attrs={"autocomplete": "current-password", "autofocus": True, "maxlength": 128}
        ),
    )


@method_decorator(sensitive_post_parameters("password"), name="dispatch")
class Again(Page):
    """Ask for what the log-in asked for."""

    codes_only = False

    def before(self, request: HttpRequest) -> HttpResponse | None:
        """Lead on who has proven it just now, and to the code who has a device."""
        if state.is_fresh(request):
            return self.onward()
        if state.asks_for_code(request):
            return ask_for_code(self.onward().url)
        return None

    def get(self, request: HttpRequest) -> HttpResponse:
        """Ask."""
        del request
        return self._ask(PasswordForm())

    def post(self, request: HttpRequest) -> HttpResponse:
        """Compare; wrong passwords count as at the log-in, and lock the name as there."""
        form = PasswordForm(request.POST)
        if not (form.is_valid() and self.person.has_usable_password()):
            return self._ask(form)
        given = form.cleaned_data["password"]
        if authenticate(request, username=self.person.get_username(), password=given) is None:
            form.add_error("password", "This password is wrong.")
            return self._ask(form)
        state.prove(request)
        return self.onward()

    def _ask(self, form: PasswordForm) -> HttpResponse:
        wanted = urlencode({"next": self.onward().url})
        return self.answer(
            "again",
            title="Is it still you?",
            form=form if self.person.has_usable_password() else None,
            issuer=f"{reverse('oidc_authentication_init')}?{wanted}",
        )
