"""Whether a JSON Web Token is good (RFC 7519, RFC 8725), and what its claims say of a person."""

from __future__ import annotations

import re
import time
from collections.abc import Mapping
from typing import Any, Final

import jwt
from django.conf import settings

from config.oidc.issuer import Issuer

# Only signatures that nobody can make who merely knows the public key. Each with the type of key
# that it takes, so that no key is ever used for what it was not made for.
ALGORITHMS: Final = {
    **dict.fromkeys(("RS256", "RS384", "RS512", "PS256", "PS384", "PS512"), "RSA"),
    **dict.fromkeys(("ES256", "ES384", "ES512"), "EC"),
    "EdDSA": "OKP",
}
REQUIRED: Final = ("iss", "aud", "exp", "iat", "sub")
LEEWAY: Final = 30  # seconds by which clocks may differ
MOST_ROLES: Final = 500
LONGEST_SUB: Final = 255  # characters
ACTOR_ID: Final = re.compile(r"[\x21-\x7e](?:[\x20-\x7e]{0,148}[\x21-\x7e])?")


class TokenInvalid(Exception):
    """The token is not good."""


def claims_of(token: str, *, issuer: Issuer, audience: str) -> dict[str, Any]:
    """Return the claims of a token that the issuer signed for this audience and that holds now.

    Raises:
        TokenInvalid: says in words what is wrong.
        IssuerAway: its keys cannot be had.
    """
    try:
        header = jwt.get_unverified_header(token)
    except (jwt.PyJWTError, ValueError) as error:
        message = "The bearer token is no JSON Web Token."
        raise TokenInvalid(message) from error
    algorithm, kid = header.get("alg"), header.get("kid")
    if not isinstance(algorithm, str) or algorithm not in ALGORITHMS:
        message = f"The token must be signed with one of {', '.join(ALGORITHMS)}."
        raise TokenInvalid(message)
    key = _key(issuer.keys(kid), algorithm)
    try:
        return jwt.decode(
            token,
            key=key,
            algorithms=[algorithm],
            audience=audience,
            issuer=issuer.identifier,
            leeway=LEEWAY,
            options={"require": list(REQUIRED), "enforce_minimum_key_length": True},
        )
    except jwt.PyJWTError as error:
        raise TokenInvalid(_words(error)) from error
    except (TypeError, ValueError, OverflowError) as error:
        message = "The claims of the token are malformed."
        raise TokenInvalid(message) from error


def _key(candidates: list[dict[str, Any]], algorithm: str) -> jwt.PyJWK:
    """Return the one key that may check this algorithm.

    A token that names no key is checked only where there is no choice.
    """
    fitting = [
        key
        for key in candidates
        if key.get("kty") == ALGORITHMS[algorithm]
        and key.get("use", "sig") == "sig"
        and key.get("alg", algorithm) == algorithm
    ]
    if len(fitting) != 1:
        message = "The token is signed with a key that the issuer does not name."
        raise TokenInvalid(message)
    try:
        return jwt.PyJWK(fitting[0], algorithm)
    except jwt.PyJWTError as error:
        message = "The issuer's key cannot be used."
        raise TokenInvalid(message) from error


def _words(error: jwt.PyJWTError) -> str:
    """Say what is wrong with a token without repeating anything that stands in it."""
    if isinstance(error, jwt.MissingRequiredClaimError):
        return f"The token lacks the claim {error.claim}."
    sentences: dict[type[Exception], str] = {
        jwt.ExpiredSignatureError: "The token has expired.",
        jwt.ImmatureSignatureError: "The token does not hold yet.",
        jwt.InvalidIssuedAtError: "The token's claim iat is no time.",
        jwt.InvalidAudienceError: "The token was issued for another audience.",
        jwt.InvalidIssuerError: "The token was issued by another issuer.",
        jwt.InvalidSignatureError: "The signature of the token is wrong.",
    }
    return sentences.get(type(error), "The token is malformed.")


def subject_of(claims: Mapping[str, Any]) -> str:
    """Return whom the issuer means (OpenID Connect Core 1.0, 2: at most 255 ASCII characters).

    Raises:
        TokenInvalid: the claim holds something else.
    """
    subject: str = claims["sub"]
    if not subject.isascii() or not subject.isprintable() or not 1 <= len(subject) <= LONGEST_SUB:
        message = f"The token's claim sub must hold 1 to {LONGEST_SUB} printable ASCII characters."
        raise TokenInvalid(message)
    return subject


def proven_at(claims: Mapping[str, Any]) -> float:
    """Return when the issuer itself asked the person who it is, in seconds since 1970.

    That is the claim ``auth_time`` (OpenID Connect Core 1.0, 2), which an issuer owes to who asks
    with ``max_age``. 0: it does not say, or names a time that cannot be.
    """
    told = claims.get("auth_time")
    if isinstance(told, bool) or not isinstance(told, int | float):
        return 0
    return told if 0 <= told <= time.time() + LEEWAY else 0


def actor_id_of(claims: Mapping[str, Any]) -> str:
    """Return the name under which the service knows the person.

    Raises:
        TokenInvalid: the claim of ``OIDC_ACTOR_CLAIM`` cannot be a name here.
    """
    found = claim(claims, settings.OIDC_ACTOR_CLAIM)
    if not isinstance(found, str) or not ACTOR_ID.fullmatch(found):
        message = (
            f"The token's claim {settings.OIDC_ACTOR_CLAIM} must hold 1 to 150 printable ASCII "
            "characters: it names the actor."
        )
        raise TokenInvalid(message)
    return found


def roles_of(claims: Mapping[str, Any]) -> list[str]:
    """Return the roles that ``OIDC_ROLES_CLAIM`` names: a list of texts, or one with spaces.

    Raises:
        TokenInvalid: the claim holds something else.
    """
    found = claim(claims, settings.OIDC_ROLES_CLAIM)
    if found is None:
        return []
    if isinstance(found, str):
        found = found.split()
    if (
        not isinstance(found, list)
        or len(found) > MOST_ROLES
        or not all(isinstance(role, str) and role.isprintable() for role in found)
    ):
        message = f"The token's claim {settings.OIDC_ROLES_CLAIM} must be a list of role names."
        raise TokenInvalid(message)
    return found


def claim(claims: Mapping[str, Any], path: str) -> Any:
    """Return a claim by its name or, where there is none, by its path with dots; None: absent.

    The name goes first: names like ``https://example.org/roles`` have dots of their own.
    """
    if path in claims:
        return claims[path]
    found: Any = claims
    for name in path.split("."):
        if not isinstance(found, Mapping) or name not in found:
            return None
        found = found[name]
    return found
