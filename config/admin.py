"""API tokens, linked identities and attempts to log in, in the admin."""

from __future__ import annotations

from typing import Any

import structlog
from axes.admin import AccessAttemptAdmin
from axes.models import AccessAttempt
from django import forms
from django.conf import settings
from django.contrib import admin, messages
from django.contrib.auth.models import User
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse

from config import session_admin, tokens
from config.models import ApiToken, LinkedIdentity
from config.notices import tell
from config.second_factor import admin as second_factors
from config.superusers import ForSuperusers

__all__ = ["second_factors", "session_admin"]  # registered by their import
_log = structlog.get_logger("logins")

admin.site.unregister(AccessAttempt)


@admin.register(AccessAttempt)
class AttemptAdmin(AccessAttemptAdmin):  # type: ignore[misc] # its library has no types
    """Attempts to log in, without the action of axes that only works in a request to log in."""

    actions = ()


class TokenForm(forms.Form):
    """What a new token needs; superusers may also name another account."""

    name = forms.CharField(
        max_length=tokens.LONGEST_NAME, help_text="What the token is for, like: nightly intake."
    )
    days = forms.IntegerField(min_value=1, help_text="For how many days it holds.")
    owner = forms.ModelChoiceField(
        User.objects.none(), help_text="The account as which the token acts."
    )

    def __init__(self, *args: Any, maker: User, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        owners = User.objects.filter(is_active=True).order_by("username")
        owner = self.fields["owner"]
        assert isinstance(owner, forms.ModelChoiceField)  # noqa: S101 (for the type checker)
        # Who made a token for somebody with more rights would have those rights.
        owner.queryset = owners if maker.is_superuser else owners.filter(pk=maker.pk)
        owner.initial = maker.pk
        days = self.fields["days"]
        days.initial = days.widget.attrs["max"] = settings.API_TOKEN_TTL_DAYS


def _user(request: HttpRequest) -> User:
    assert isinstance(request.user, User)  # noqa: S101 (admin_view lets nobody else in)
    return request.user


@admin.register(ApiToken)
class ApiTokenAdmin(admin.ModelAdmin[ApiToken]):
    """Tokens: made, shown once, revoked. Superusers see all, everybody else their own."""

    list_display = ("name", "user", "created", "expiry", "state", "created_by", "revoked_by")
    list_select_related = ("user",)
    search_fields = ("name", "=user__username")
    ordering = ("-created",)
    fields = readonly_fields = (*list_display, "revoked_at")
    show_full_result_count = False
    list_per_page = 50
    actions = ("revoke",)

    @admin.display(description="State")
    def state(self, token: ApiToken) -> str:
        """Show whether the token still opens anything."""
        return token.state

    @admin.action(description="Revoke", permissions=["revoke"])
    def revoke(self, request: HttpRequest, queryset: QuerySet[ApiToken]) -> None:
        """End the chosen tokens now."""
        rows = tokens.revoke_tokens(queryset, by=_user(request).username)
        messages.success(request, f"{len(rows)} revoked.")

    def get_queryset(self, request: HttpRequest) -> QuerySet[ApiToken]:
        """Return the tokens that this person may know of."""
        user = _user(request)
        found = super().get_queryset(request)
        return found if user.is_superuser else found.filter(user=user)

    def lookup_allowed(self, lookup: str, value: str, request: HttpRequest | None = None) -> bool:
        """Allow no filter by address: digests are not for asking."""
        del lookup, value, request
        return False

    def has_revoke_permission(self, request: HttpRequest) -> bool:
        """Let everybody who sees tokens revoke them: they see no other than they may."""
        return self.has_view_permission(request)

    def has_view_permission(self, request: HttpRequest, obj: ApiToken | None = None) -> bool:
        """Show tokens to who may make some or was given the permission to look."""
        del obj
        return super().has_view_permission(request) or self.has_add_permission(request)

    def has_change_permission(self, request: HttpRequest, obj: ApiToken | None = None) -> bool:
        """Refuse: a token is made and revoked, never edited."""
        del request, obj
        return False

    def has_delete_permission(self, request: HttpRequest, obj: ApiToken | None = None) -> bool:
        """Refuse: the row tells who could call until when."""
        del request, obj
        return False

    def change_view(
        self,
        request: HttpRequest,
        object_id: str,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        """Show a token. Django would take what is sent here "as new" for another token."""
        if request.method == "POST":
            raise PermissionDenied
        return super().change_view(request, object_id, form_url, extra_context)

    def add_view(
        self,
        request: HttpRequest,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        """Make a token and show it, this once."""
        del form_url, extra_context
        if not self.has_add_permission(request):
            raise PermissionDenied
        maker = _user(request)
        form = TokenForm(request.POST or None, maker=maker)
        made: dict[str, Any] = {}
        if request.method == "POST" and form.is_valid():
            wanted = form.cleaned_data
            try:
                with transaction.atomic():
                    row, token = tokens.create_token(
                        user=wanted["owner"],
                        name=wanted["name"],
                        days=wanted["days"],
                        by=maker.username,
                    )
                made = {"row": row, "token": token}
            except tokens.TokenRefused as refused:
                form.add_error(None, str(refused))
        context = {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "title": "The new API token" if made else "New API token",
            "form": form,
            **made,
        }
        return TemplateResponse(request, "admin/config/apitoken/new.html", context)


@admin.register(LinkedIdentity)
class LinkedIdentityAdmin(ForSuperusers[LinkedIdentity]):
    """Which account a person of the single sign-on gets; for superusers, since it opens accounts.

    The first log-in links an account of its own. Here an account that was there before is linked.
    """

    list_display = ("user", "subject", "issuer", "linked_at")
    search_fields = ("=user__username", "=subject")
    fields = ("user", "subject")

    def get_form(
        self,
        request: HttpRequest,
        obj: LinkedIdentity | None = None,
        change: bool = False,  # noqa: FBT001, FBT002 (Django's signature)
        **kwargs: Any,
    ) -> type[forms.ModelForm[LinkedIdentity]]:
        """Offer the accounts that can be linked: superusers keep to their passwords."""
        form = super().get_form(request, obj, change, **kwargs)
        if "user" in form.base_fields:
            owners = User.objects.filter(is_superuser=False, linked_identity=None)
            user = form.base_fields["user"]
            assert isinstance(user, forms.ModelChoiceField)  # noqa: S101 (for the type checker)
            user.queryset = owners.order_by("username")
        return form

    def save_model(
        self,
        request: HttpRequest,
        obj: LinkedIdentity,
        form: Any,
        change: bool,  # noqa: FBT001 (Django's signature)
    ) -> None:
        """Link to the issuer that is configured."""
        obj.issuer = settings.OIDC_ISSUER
        super().save_model(request, obj, form, change)
        _tell_of_link("identity_linked", obj, by=_user(request).username)

    def delete_model(self, request: HttpRequest, obj: LinkedIdentity) -> None:
        """Take the link away: the person's next log-in does not lead to this account."""
        super().delete_model(request, obj)
        _tell_of_link("identity_unlinked", obj, by=_user(request).username)

    def get_actions(self, request: HttpRequest) -> dict[str, Any]:
        """Offer no deletion of many at once: each is told by name."""
        del request
        return {}

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Let superusers link, where there is an issuer to link to."""
        del obj
        return bool(request.user.is_superuser and settings.OIDC_ISSUER)


def _tell_of_link(event: str, link: LinkedIdentity, *, by: str) -> None:
    tell(link.user, event, by=by)
    owner = link.user.get_username()
    transaction.on_commit(lambda: _log.info(event, actor_id=owner, by=by))
