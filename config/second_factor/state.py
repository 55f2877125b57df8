"""Whose second factor there is, whether a session has shown it, and what changes it."""

from __future__ import annotations

import re
import secrets
import time
from base64 import b32encode
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final, NamedTuple

import structlog
from django.conf import settings
from django.contrib.auth import BACKEND_SESSION_KEY
from django.contrib.auth.models import User
from django.db import transaction
from django.http import HttpRequest
from django.utils.crypto import salted_hmac
from django.utils.timezone import now
from django_otp import login
from django_otp.plugins.otp_static.models import StaticDevice, StaticToken

from config import device_keys, sessions
from config.http.addresses import client_address
from config.models import SealedDevice
from config.notices import tell

RECOVERY_CODES: Final = 10
_SINGLE_SIGN_ON: Final = "config.oidc.login.SingleSignOnBackend"
_BY_TIME: Final = re.compile(r"[0-9]{6}")
_FRESH_SECONDS: Final = 900
# In the session: when a code was last shown, and the device that is being set up.
_SHOWN_AT: Final = "second_factor_at"
_PENDING: Final = "second_factor_pending"
_log = structlog.get_logger("logins")


class Verdict(NamedTuple):
    """What became of a code."""

    good: bool
    wait: int = 0
    """Seconds for which no code at all is looked at."""
    unreadable: bool = False
    """The device's key cannot be read any more, so no code of it can be compared."""


def passed(request: HttpRequest) -> bool:
    """Tell whether this session has shown all that its log-in asks for.

    The issuer of a single sign-on asks for second factors itself.
    """
    if settings.ADMIN_MFA == "off" or by_single_sign_on(request):
        return True
    if getattr(request.user, "otp_device", None) is not None:
        return True
    return bool(settings.ADMIN_MFA == "optional" and not is_set_up(request.user))


def by_single_sign_on(request: HttpRequest) -> bool:
    """Tell whether an issuer vouched for this session."""
    return bool(request.session.get(BACKEND_SESSION_KEY) == _SINGLE_SIGN_ON)


def is_set_up(user: object) -> bool:
    """Tell whether an account has a second factor."""
    return bool(SealedDevice.objects.filter(user=user, confirmed=True).exists())


def is_fresh(request: HttpRequest) -> bool:
    """Tell whether a session was proven just now: by a code, where there is a device for it.

    Else by the password, or by the log-in itself.
    """
    proven = request.session.get(_SHOWN_AT, 0)
    if not asks_for_code(request):
        proven = max(proven, request.session.get(sessions.PROVEN, 0))
    return is_just_now(proven)


def is_just_now(proven: float) -> bool:
    """Tell whether what was proven then, in seconds since 1970, still counts as proven just now."""
    return time.time() - proven < _FRESH_SECONDS


def asks_for_code(request: HttpRequest) -> bool:
    """Tell whether log-ins of this kind to this account need a code."""
    if settings.ADMIN_MFA == "off" or by_single_sign_on(request):
        return False
    return is_set_up(request.user)


def prove(request: HttpRequest) -> None:
    """Take down that this session was proven now."""
    request.session[_SHOWN_AT] = time.time()


def show(request: HttpRequest, user: User, given: str) -> Verdict:
    """Check a code, from the device or a recovery code; a good one completes the log-in."""
    typed = _without_blanks(given).replace("-", "").lower()
    by_time = _BY_TIME.fullmatch(typed) is not None
    kind = SealedDevice if by_time else StaticDevice
    with transaction.atomic():
        # Locked, so that one code is not good twice at the same instant.
        device = kind.objects.select_for_update().filter(user=user, confirmed=True).first()
        if device is None:
            return _failed(request, user)
        if wait := _seconds_to_wait(device):
            return _failed(request, user, wait)
        try:
            good = device.verify_token(typed if by_time else _kept_as(device, typed))
        except device_keys.Unreadable:
            return _unreadable(user)
        if not good:
            return _failed(request, user, used=by_time and device.shows(typed))
        if not by_time:
            tell(user, "recovery_code_used", detail=str(codes_left(user)))
    _complete(request, device)
    how = "device" if by_time else "recovery_code"
    _log.info("second_factor_shown", actor_id=user.username, how=how)
    return Verdict(good=True)


def pending_device(request: HttpRequest, user: User) -> SealedDevice:
    """Return the device that this session is setting up; no other session ever knew its key."""
    with _alone(user):
        device: SealedDevice | None = SealedDevice.objects.filter(
            user=user, confirmed=False, pk=request.session.get(_PENDING)
        ).first()
        if device is None or not _can_be_read(device):
            SealedDevice.objects.filter(user=user, confirmed=False).delete()
            device = SealedDevice.objects.create(
                user=user, name="device", confirmed=False, key=device_keys.new(user.pk)
            )
            request.session[_PENDING] = device.pk
    return device


def set_up(request: HttpRequest, user: User, given: str) -> tuple[Verdict, list[str]]:
    """Take the pending device for the account's own, if it makes this code; return recovery codes.

    It takes the place of an earlier one, which opens nothing any more, in no session. Of two
    sessions that do so at once the first one wins: the other's device is gone by then.
    """
    typed = _without_blanks(given)
    with _alone(user):
        device = pending_device(request, user)
        if wait := _seconds_to_wait(device):
            return _failed(request, user, wait), []
        if not (_BY_TIME.fullmatch(typed) and device.verify_token(typed)):
            return _failed(request, user), []
        tell(user, "second_factor_replaced" if is_set_up(user) else "second_factor_set_up")
        SealedDevice.objects.filter(user=user).exclude(pk=device.pk).delete()
        device.confirmed = True
        device.save(update_fields=["confirmed"])
        codes = _new_codes(user)
        del request.session[_PENDING]
    _complete(request, device)
    _log.info("second_factor_set_up", actor_id=user.username, address=client_address(request))
    return Verdict(good=True), codes


def renew_codes(user: User) -> list[str]:
    """Make new recovery codes; the earlier ones are void."""
    with _alone(user):
        codes = _new_codes(user)
        tell(user, "recovery_codes_made")
    _log.info("recovery_codes_made", actor_id=user.username)
    return codes


def codes_left(user: User) -> int:
    """Return how many recovery codes were not used yet."""
    return int(StaticToken.objects.filter(device__user=user).count())


def reset(user: User, *, by: str) -> bool:
    """Take the second factor away, recovery codes included; tell whether there was one."""
    with _alone(user):
        StaticDevice.objects.filter(user=user).delete()
        deleted, _ = SealedDevice.objects.filter(user=user).delete()
        if deleted:
            tell(user, "second_factor_reset", by=by)
            transaction.on_commit(
                lambda: _log.info("second_factor_reset", actor_id=user.username, by=by)
            )
    return bool(deleted)


@contextmanager
def _alone(user: User) -> Iterator[None]:
    """Change what an account has in one transaction, one after the other."""
    with transaction.atomic():
        User.objects.select_for_update(no_key=True).only("pk").get(pk=user.pk)
        yield


def _without_blanks(given: str) -> str:
    return "".join(given.split())


def _can_be_read(device: SealedDevice) -> bool:
    try:
        return bool(device.bin_key)
    except device_keys.Unreadable:
        return False


def _complete(request: HttpRequest, device: SealedDevice | StaticDevice) -> None:
    """Let the session do all that its account may, under a new key: the old one was worth less."""
    login(request, device)
    prove(request)
    request.session.cycle_key()


def _failed(request: HttpRequest, user: User, wait: int = 0, *, used: bool = False) -> Verdict:
    address = client_address(request)
    _log.warning(
        "second_factor_failed", actor_id=user.username, address=address, wait=wait, used=used
    )
    if used:
        tell(user, "code_used_twice")
    return Verdict(good=False, wait=wait)


def _unreadable(user: User) -> Verdict:
    """Say that nobody can tell whether the code was right. It is no failure of who typed it."""
    _log.error("second_factor_unreadable", actor_id=user.username)
    return Verdict(good=False, unreadable=True)


def _seconds_to_wait(device: SealedDevice | StaticDevice) -> int:
    allowed, why = device.verify_is_allowed()
    return 0 if allowed else int((why["locked_until"] - now()).total_seconds()) + 1


def _new_codes(user: User) -> list[str]:
    StaticDevice.objects.filter(user=user).delete()
    device = StaticDevice.objects.create(user=user, name="recovery codes")
    codes = [b32encode(secrets.token_bytes(10)).decode().lower() for _ in range(RECOVERY_CODES)]
    StaticToken.objects.bulk_create(
        [StaticToken(device=device, token=_digest(device, code)) for code in codes]
    )
    return ["-".join(code[at : at + 4] for at in range(0, len(code), 4)) for code in codes]


def _kept_as(device: StaticDevice, code: str) -> str:
    """Return what is kept of a recovery code, also of one that was made under an earlier secret."""
    digests = [_digest(device, code, secret) for secret in settings.SECRET_KEY_FALLBACKS]
    earlier = device.token_set.filter(token__in=digests).values_list("token", flat=True).first()
    return str(earlier or _digest(device, code))


def _digest(device: StaticDevice, code: str, secret: str | None = None) -> str:
    """Return what is kept of a recovery code: neither table nor backup opens anything."""
    salt = f"recovery code of {device.pk}"
    made = salted_hmac(salt, code, secret=secret, algorithm="sha256").digest()
    return b32encode(made[:10]).decode().lower()
