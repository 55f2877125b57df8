"""What accounts have beside passwords: tokens, identities, sessions, devices, preferences."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.conf import settings
from django.db import models
from django.utils.timezone import now
from django_otp.oath import TOTP
from django_otp.plugins.otp_totp.models import TOTPDevice
from knox.models import AbstractAuthToken
from uuid_utils.compat import uuid7

from config import device_keys

if TYPE_CHECKING:
    from django.contrib.auth.models import User


class ApiToken(AbstractAuthToken):  # type: ignore[misc] # its library has no types
    """A bearer token of one account, kept as SHA-512; the token itself is shown once.

    A row stays after its token was revoked or has expired: it tells who could call until when.
    """

    objects = models.Manager["ApiToken"]()

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    digest = models.CharField(max_length=128, unique=True, editable=False)
    user: models.ForeignKey[User, User] = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="api_tokens"
    )
    name = models.CharField(max_length=100)
    created_by = models.CharField(max_length=150)
    expiry = models.DateTimeField()
    revoked_at = models.DateTimeField(null=True)
    revoked_by = models.CharField(max_length=150, default="")

    class Meta:
        db_table = "api_tokens"
        verbose_name = "API token"
        constraints = [
            models.CheckConstraint(
                condition=models.Q(revoked_at=None, revoked_by="")
                | (models.Q(revoked_at__isnull=False) & ~models.Q(revoked_by="")),
                name="api_tokens_revoked_by_somebody",
            )
        ]

    def __str__(self) -> str:
        return f"{self.name} ({self.user})"

    @property
    def state(self) -> str:
        """Say whether the token is ``active``, ``expired`` or ``revoked``."""
        if self.revoked_at is not None:
            return "revoked"
        return "active" if self.expiry > now() else "expired"


class LinkedIdentity(models.Model):
    """Whom the issuer of a single sign-on means: one account per issuer and subject.

    A name alone never leads to an account: whoever may choose names at the issuer could choose
    that of a colleague here.
    """

    user: models.OneToOneField[User, User] = models.OneToOneField(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="linked_identity"
    )
    issuer = models.CharField(max_length=500)
    subject = models.CharField(max_length=255)
    linked_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        db_table = "linked_identities"
        verbose_name_plural = "linked identities"
        constraints = [
            models.UniqueConstraint(
                fields=["issuer", "subject"], name="linked_identities_issuer_subject"
            )
        ]

    def __str__(self) -> str:
        return f"{self.subject} at {self.issuer}"


class SealedDevice(TOTPDevice):  # type: ignore[misc] # its library has no types
    """A device whose key stands sealed in the library's table."""

    key: str  # of the library's column, for the type checker
    user_id: int

    class Meta:
        proxy = True
        default_permissions = ()

    @classmethod
    def model_label(cls) -> str:
        """Return what sessions know devices by: the library's own name."""
        return str(TOTPDevice.model_label())

    @property
    def bin_key(self) -> bytes:
        """The key, opened.

        Raises:
            device_keys.Unreadable: see there.
        """
        return device_keys.unseal(self.key, self.user_id)

    def seal_anew(self) -> bool:
        """Seal the key under the ``SECRET_KEY`` of now, unsaved; tell whether it was not.

        Raises:
            device_keys.Unreadable: it cannot be opened.
        """
        if device_keys.is_current(self.key, self.user_id):
            return False
        self.key = device_keys.seal(self.bin_key, self.user_id)
        return True

    def verify_token(self, token: str) -> bool:
        """Compare a code; what that writes brings a sealed key under the ``SECRET_KEY`` of now.

        A key that an earlier version kept as it was stays so: that version may still be running.

        Raises:
            device_keys.Unreadable: the key cannot be opened, so no code is right or wrong.
        """
        if device_keys.is_sealed(self.key):
            self.seal_anew()
        return bool(super().verify_token(token))

    def shows(self, token: str) -> bool:
        """Tell whether this is a code of about now, whether it was used or not."""
        totp = TOTP(self.bin_key, self.step, self.t0, self.digits, self.drift)
        return token.isdecimal() and bool(totp.verify(int(token), self.tolerance))


class AccountNotice(models.Model):
    """A message that an account is owed about a change to it, or was sent; ``config.notices``."""

    class State(models.TextChoices):
        WAITING = "waiting"
        SENT = "sent"
        REFUSED = "refused"
        """Nobody can be reached at the address."""
        EXPIRED = "expired"
        """The mail server was away for so long that it would be no news any more."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    account = models.CharField(max_length=150)
    recipient = models.CharField(max_length=254)
    kind = models.CharField(max_length=50)
    detail = models.CharField(max_length=200)
    by = models.CharField(max_length=150)
    address = models.CharField(max_length=45)
    """From where the change was asked for, as an IP address."""
    at = models.DateTimeField(default=now)
    state = models.CharField(max_length=10, choices=State.choices, default=State.WAITING)

    class Meta:
        db_table = "account_notices"
        default_permissions = ()
        indexes = [
            models.Index(
                fields=["at"], condition=models.Q(state="waiting"), name="account_notices_waiting"
            ),
            models.Index(fields=["account", "kind", "at"], name="account_notices_lately"),
        ]

    def __str__(self) -> str:
        return f"{self.kind} of {self.account}"


class AccountSession(models.Model):
    """Whose session a row of ``django_session`` is, and where it was begun; it goes with that."""

    session = models.OneToOneField(
        "sessions.Session",
        # The migration has a constraint that deletes, whoever deletes the session, and in the order
        # in which a request keeps the two: Django would delete this row first.
        on_delete=models.DO_NOTHING,
        related_name="+",
        editable=False,
        db_constraint=False,
    )
    user: models.ForeignKey[User, User] = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+"
    )
    began_at = models.DateTimeField("logged in")
    seen_at = models.DateTimeField("last used")
    address = models.CharField("address at the log-in", max_length=45)
    browser = models.CharField(max_length=50)

    class Meta:
        db_table = "account_sessions"
        default_permissions = ()
        verbose_name = "session"

    def __str__(self) -> str:
        return f"Session of {self.user}"


class Preference(models.Model):
    """What somebody chose once and wants to find again, like the order of a list."""

    user: models.ForeignKey[User, User] = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+"
    )
    name = models.CharField(max_length=100)
    value = models.CharField(max_length=100)

    class Meta:
        db_table = "preferences"
        default_permissions = ()
        constraints = [
            models.UniqueConstraint(fields=["user", "name"], name="preferences_user_name"),
        ]

    def __str__(self) -> str:
        return f"{self.name} of {self.user_id}"
