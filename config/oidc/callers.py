"""Which actor a bearer token of the issuer stands for."""

from __future__ import annotations

from django.conf import settings
from django.contrib.auth.models import User
from django.db.models import Q

from cases.actors import actor_of_roles
from cases.policies import Actor
from cases.services import SYSTEM
from config.oidc.issuer import the_issuer
from config.oidc.verify import TokenInvalid, actor_id_of, claims_of, roles_of, subject_of


def actor_of_token(token: str) -> Actor:
    """Return the actor of a bearer token: its name and roles are claims, its rights are groups'.

    An account is not needed. Where there is one, by link or by name, switching it off keeps its
    owner out this way too; whom the issuer's subject is linked to goes by the account's name.

    Raises:
        TokenInvalid: says in words what is wrong.
        IssuerAway: the token cannot be checked at the moment.
    """
    if not (settings.OIDC_ISSUER and settings.OIDC_AUDIENCE):
        message = "This service takes no tokens of an OpenID Connect issuer."
        raise TokenInvalid(message)
    issuer = the_issuer()
    claims = claims_of(token, issuer=issuer, audience=settings.OIDC_AUDIENCE)
    name, roles, subject = actor_id_of(claims), roles_of(claims), subject_of(claims)
    if name.lower() == SYSTEM.id:
        message = "This name is the service's own."
        raise TokenInvalid(message)
    linked = Q(linked_identity__issuer=issuer.identifier, linked_identity__subject=subject)
    accounts = User.objects.filter(linked | Q(username=name)).select_related("linked_identity")
    for account in accounts:
        if not account.is_active:
            message = "The account of this name is switched off."
            raise TokenInvalid(message)
        identity = getattr(account, "linked_identity", None)
        if identity is None:
            continue
        if (identity.issuer, identity.subject) != (issuer.identifier, subject):
            message = "The account of this name belongs to somebody else."
            raise TokenInvalid(message)
        name = account.username
    return actor_of_roles(name, roles)
