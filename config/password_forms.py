"""The forms that compare a password: nobody can guess in one of them what another would lock."""

from __future__ import annotations

from django.contrib.admin.forms import AdminAuthenticationForm, AdminPasswordChangeForm
from django.contrib.auth import authenticate
from django.contrib.auth.forms import UsernameField
from django.contrib.auth.models import User
from django.core.exceptions import ValidationError
from django.forms import TextInput
from django.views.decorators.debug import sensitive_variables

from config import asking

_NAME_MAX = User._meta.get_field("username").max_length


class LogInForm(AdminAuthenticationForm):
    """Name and password; a name that no account can have costs no comparison."""

    username = UsernameField(max_length=_NAME_MAX, widget=TextInput(attrs={"autofocus": True}))


class OwnPasswordForm(AdminPasswordChangeForm):
    """A new password of one's own, for the old one: that counts as at the log-in, and locks."""

    @sensitive_variables("old")
    def clean_old_password(self) -> str:
        """Compare; a name that is locked is not compared."""
        old: str = self.cleaned_data["old_password"]
        if authenticate(asking.current(), username=self.user.get_username(), password=old) is None:
            raise ValidationError(
                self.error_messages["password_incorrect"], code="password_incorrect"
            )
        return old
