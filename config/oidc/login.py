"""The log-in of the back office at the issuer: the code flow with state, nonce and PKCE.

mozilla-django-oidc keeps the flow's state in the session. What it would look up in settings, ask
for without time-outs or take for granted (issuer, audience, expiry) is done here by the same code
that checks bearer tokens.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import structlog
from django.conf import settings
from django.contrib import messages
from django.contrib.auth.backends import ModelBackend
from django.contrib.auth.models import Group, User
from django.core.exceptions import SuspiciousOperation
from django.db import IntegrityError, transaction
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from mozilla_django_oidc.auth import OIDCAuthenticationBackend
from mozilla_django_oidc.views import OIDCAuthenticationCallbackView, OIDCAuthenticationRequestView

from cases.actors import actor_of_user
from config import sessions
from config.models import LinkedIdentity
from config.oidc.issuer import IssuerAway, ask, the_issuer
from config.oidc.verify import (
    TokenInvalid,
    actor_id_of,
    claims_of,
    proven_at,
    roles_of,
    subject_of,
)
from config.second_factor.state import is_just_now

_log = structlog.get_logger("oidc")


class NotAdmitted(Exception):
    """Single sign-on did not work: try again, or ask an administrator."""


class SingleSignOnBackend(OIDCAuthenticationBackend):  # type: ignore[misc] # its library has no types
    """Lets in whom the issuer names: by issuer and subject, never by a name alone."""

    def __init__(self) -> None:
        # Made for every look at a permission: nothing may be asked for here.
        self.UserModel = User
        self.OIDC_RP_CLIENT_ID = settings.OIDC_CLIENT_ID
        self.OIDC_RP_CLIENT_SECRET = settings.OIDC_CLIENT_SECRET

    def authenticate(self, request: HttpRequest | None, **credentials: Any) -> User | None:
        """Return the account, at the end of a flow that this session began; else None.

        Raises:
            NotAdmitted: the issuer knows the person, this service has a reason to refuse.
            TokenInvalid: the issuer's token is not good.
            IssuerAway: the issuer does not answer.
        """
        if not credentials.get("nonce") or not credentials.get("code_verifier"):
            return None
        user: User | None = super().authenticate(request, **credentials)
        return user

    def get_user(self, user_id: int) -> User | None:
        """Return the account of a session, unless it was switched off since."""
        user: User | None = ModelBackend.get_user(self, user_id)
        return user

    def get_token(self, payload: dict[str, str]) -> dict[str, Any]:
        """Exchange the code at the issuer."""
        return ask(the_issuer().endpoint("token_endpoint"), form=payload)

    def verify_token(self, token: str | None, **kwargs: Any) -> dict[str, Any]:
        """Return the claims of the ID token, checked in full (OpenID Connect Core 1.0, 3.1.3.7)."""
        claims = claims_of(token or "", issuer=the_issuer(), audience=settings.OIDC_CLIENT_ID)
        if claims.get("nonce") != kwargs.get("nonce"):
            message = "The token belongs to another log-in."
            raise TokenInvalid(message)
        if claims.get("azp", settings.OIDC_CLIENT_ID) != settings.OIDC_CLIENT_ID:
            message = "The token was issued for another client."
            raise TokenInvalid(message)
        return claims

    def get_or_create_user(self, access_token: str, id_token: str, payload: dict[str, Any]) -> User:
        """Return the account of the person, with today's roles; make it at the first log-in."""
        del id_token
        claims = payload
        if address := the_issuer().endpoint("userinfo_endpoint"):
            told = ask(address, bearer=access_token)
            if told.get("sub") != payload["sub"]:
                message = "The issuer spoke of two people."
                raise TokenInvalid(message)
            claims = told | payload
        subject, name, roles = subject_of(claims), actor_id_of(claims), roles_of(claims)
        try:
            with transaction.atomic():
                user = _account(subject, name)
                groups = Group.objects.filter(name__in=roles)
                user.groups.set(groups)
                user.is_staff = bool(groups) or actor_of_user(user).has_grants
                user.save(update_fields=["is_staff"])
        except IntegrityError as error:
            raise NotAdmitted from error
        if not user.is_staff:
            message = (
                "You hold no role in this service and were granted no case: "
                "ask an administrator for a role."
            )
            raise NotAdmitted(message)
        # Told to the view on the account, as Django itself tells it the backend.
        user.proven_at = proven_at(payload)  # type: ignore[attr-defined] # see above
        return user


def _account(subject: str, name: str) -> User:
    """Return the account that is linked to the subject, or a new one of this name."""
    issuer = the_issuer().identifier
    identity = (
        LinkedIdentity.objects.filter(issuer=issuer, subject=subject).select_related("user").first()
    )
    if identity is None:
        if User.objects.filter(username=name).exists():
            message = (
                f"There is an account {name} already that is not yours by single sign-on: "
                "ask an administrator to link it."
            )
            raise NotAdmitted(message)
        user = User.objects.create_user(name)
        LinkedIdentity.objects.create(user=user, issuer=issuer, subject=subject)
        _log.info("account_created", actor_id=name)
        return user
    if identity.user.is_superuser:
        message = "Superusers log in with their password."
        raise NotAdmitted(message)
    if not identity.user.is_active:
        message = "Your account is switched off."
        raise NotAdmitted(message)
    return identity.user


class _Begin(OIDCAuthenticationRequestView):  # type: ignore[misc] # its library has no types
    def __init__(self, **kwargs: Any) -> None:
        super(OIDCAuthenticationRequestView, self).__init__(**kwargs)
        self.OIDC_OP_AUTH_ENDPOINT = the_issuer().endpoint("authorization_endpoint")
        self.OIDC_RP_CLIENT_ID = settings.OIDC_CLIENT_ID

    def get_extra_params(self, request: HttpRequest) -> dict[str, str]:
        # Who is logged in comes to prove who it is: the issuer's own session proves nothing anew.
        # With ``max_age`` the issuer has to say when it asked (OpenID Connect Core 1.0, 3.1.2.1).
        return {"prompt": "login", "max_age": "0"} if request.user.is_authenticated else {}

    @staticmethod
    def get_settings(attr: str, *args: Any) -> Any:
        if attr == "OIDC_RP_SCOPES":
            return settings.OIDC_SCOPES
        return OIDCAuthenticationRequestView.get_settings(attr, *args)


class _Return(OIDCAuthenticationCallbackView):  # type: ignore[misc] # its library has no types
    @property
    def success_url(self) -> str:
        return self.request.session.get("oidc_login_next") or reverse("admin:index")

    def login_success(self) -> HttpResponse:
        proven = self.user.proven_at
        if self.request.user.is_authenticated and not is_just_now(proven):
            message = (
                "The issuer does not say that it has just asked you who you are (auth_time): "
                "ask an administrator."
            )
            raise NotAdmitted(message)
        response: HttpResponse = super().login_success()
        # Roles are taken from the issuer at a log-in only: so a log-in does not hold for weeks.
        sessions.begin(self.request, hours=settings.OIDC_SESSION_HOURS, proven=proven)
        return response

    def login_failure(self) -> HttpResponse:
        raise NotAdmitted


def begin(request: HttpRequest) -> HttpResponse:
    """Lead to the issuer's log-in page."""
    return _in_words(_Begin.as_view, request)


def finish(request: HttpRequest) -> HttpResponse:
    """Take over whom the issuer sends back, and lead to where the person wanted to go."""
    return _in_words(_Return.as_view, request)


def _in_words(
    view: Callable[[], Callable[..., HttpResponse]], request: HttpRequest
) -> HttpResponse:
    """Answer; what goes wrong is said as a sentence on the log-in page."""
    if not settings.OIDC_CLIENT_ID:
        message = "Single sign-on is off."
        raise Http404(message)
    try:
        return view()(request)
    except IssuerAway as error:
        sentence, cause = str(IssuerAway.__doc__), str(error)
    except NotAdmitted as error:
        sentence = cause = str(error) or str(NotAdmitted.__doc__)
    except (TokenInvalid, SuspiciousOperation) as error:
        sentence, cause = str(NotAdmitted.__doc__), str(error)
    _log.warning("single_sign_on_refused", cause=cause)
    messages.error(request, sentence)
    return HttpResponseRedirect(reverse("admin:login"))
