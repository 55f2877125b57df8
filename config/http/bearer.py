"""Who calls with ``Authorization: Bearer`` (RFC 6750): by an API token or by the issuer's token.

Both come in the same header and are told apart by their form: an API token starts with its
prefix, a JSON Web Token has three parts with dots between.
"""

from __future__ import annotations

from typing import Final

import structlog
from django.contrib.auth.models import AnonymousUser
from rest_framework import exceptions
from rest_framework.authentication import BaseAuthentication
from rest_framework.request import Request

from cases.policies import Actor
from config import tokens
from config.oidc import callers
from config.oidc.issuer import IssuerAway
from config.oidc.verify import TokenInvalid

_REALM: Final = 'Bearer realm="regulatory-cases"'
_LONGEST: Final = 8192  # characters; servers and proxies rarely let more through


class IdentityProviderAway(exceptions.APIException):
    """The identity provider does not answer at the moment: try again."""

    status_code = 503
    default_detail = __doc__


class BearerAuthentication(BaseAuthentication):
    """What both kinds of tokens have in common: the header, and the challenge of a 401."""

    def authenticate_header(self, request: Request) -> str:
        """Return the challenge; with an error only where a token was given (RFC 6750, 3.1)."""
        given = request.META.get("HTTP_AUTHORIZATION", "").split(maxsplit=1)
        tried = bool(given) and given[0].lower() == "bearer"
        return f'{_REALM}, error="invalid_token"' if tried else _REALM

    def given(self, request: Request) -> str | None:
        """Return the token of the request, or None where there is no such header.

        Raises:
            AuthenticationFailed: the header holds something else than one token.
        """
        header: str | None = request.META.get("HTTP_AUTHORIZATION")
        if header is None:
            return None
        scheme, _, token = header.strip().partition(" ")
        if scheme.lower() != "bearer":
            message = "Authorization takes the scheme Bearer: Bearer, a space, and the token."
            raise exceptions.AuthenticationFailed(message)
        token = token.strip(" ")
        if not token or len(token) > _LONGEST or not token.isascii() or not token.isprintable():
            message = f"A bearer token has 1 to {_LONGEST} printable ASCII characters."
            raise exceptions.AuthenticationFailed(message)
        if " " in token or "," in token:
            message = "Authorization takes one bearer token, without spaces or commas."
            raise exceptions.AuthenticationFailed(message)
        return token


class ApiTokenAuthentication(BearerAuthentication):
    """A token of an account, made in the back office or by ``create_api_token``."""

    def authenticate(self, request: Request) -> tuple[AnonymousUser, Actor] | None:
        """Return the actor that the token's account is; None where no such token was given."""
        token = self.given(request)
        if token is None or token.count(".") == 2:  # noqa: PLR2004 (the dots of a JSON Web Token)
            return None
        view = request.parser_context["view"]
        asked = getattr(view, "takes_remembered_rights", None)
        try:
            actor = tokens.open_with(token, remembered=asked is not None and asked())
        except tokens.TokenRefused as refused:
            raise exceptions.AuthenticationFailed(str(refused)) from None
        structlog.contextvars.bind_contextvars(actor_id=actor.id)
        return AnonymousUser(), actor


class OidcTokenAuthentication(BearerAuthentication):
    """A JSON Web Token of the one issuer that is trusted (OpenID Connect)."""

    def authenticate(self, request: Request) -> tuple[AnonymousUser, Actor] | None:
        """Return the actor that the token's claims name; None where no such token was given.

        Raises:
            AuthenticationFailed: the token is not good, with what is wrong about it.
            IdentityProviderAway: its signature cannot be checked at the moment.
        """
        token = self.given(request)
        if token is None:
            return None
        try:
            actor = callers.actor_of_token(token)
        except TokenInvalid as invalid:
            raise exceptions.AuthenticationFailed(str(invalid)) from None
        except IssuerAway as away:
            raise IdentityProviderAway from away
        structlog.contextvars.bind_contextvars(actor_id=actor.id)
        return AnonymousUser(), actor
