"""Hears of changes to accounts from Django and axes, and lets their owners be told.

Changes of second factors and API tokens are told where they are made.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import Any, Final

from axes.signals import user_locked_out
from django.conf import settings
from django.contrib.auth.models import Group, Permission, User
from django.db.models.signals import m2m_changed, pre_delete, pre_save
from django.dispatch import receiver

from config import asking, sessions
from config.models import AccountSession
from config.notices import tell

_FLAGS: Final = {
    "is_active": ("switched on", "switched off"),
    "is_staff": ("let into the back office", "kept out of the back office"),
    "is_superuser": ("made a superuser", "no superuser any more"),
}
_WATCHED: Final = ("email", *_FLAGS)


@receiver(pre_save, sender=User, dispatch_uid="config.account_saved")
def _account_saved(
    sender: Any,
    instance: User,
    raw: bool,  # noqa: FBT001 (Django's signature)
    update_fields: Collection[str] | None,
    **kwargs: Any,
) -> None:
    """Compare with what stands in the database, unless nothing of that is written."""
    del sender, kwargs
    watched = [name for name in _WATCHED if update_fields is None or name in update_fields]
    if raw or instance.pk is None or not watched:
        return
    before = User.objects.filter(pk=instance.pk).values(*watched).first()
    if before is None:
        return
    earlier = before.pop("email", instance.email)
    if earlier != instance.email:
        tell(instance, "email_changed", also=(earlier,))
    changed = [
        words[0] if getattr(instance, name) else words[1]
        for name, words in _FLAGS.items()
        if name in before and before[name] != getattr(instance, name)
    ]
    if before.get("is_active") and not instance.is_active:
        sessions.end(AccountSession.objects.filter(user=instance), by=asking.who())
    if changed:
        tell(instance, "rights_changed", detail=", ".join(changed))


@receiver(m2m_changed, sender=User.groups.through, dispatch_uid="config.roles_changed")
@receiver(m2m_changed, sender=User.user_permissions.through, dispatch_uid="config.grants_changed")
def _rights_changed(
    sender: Any,
    instance: User | Group | Permission,
    action: str,
    reverse: bool,  # noqa: FBT001 (Django's signature)
    pk_set: set[int] | None,
    model: Any,
    **kwargs: Any,
) -> None:
    """Tell what was given and what was taken, whichever of the two sides it was done from."""
    del kwargs
    given = action == "post_add"
    if not (given or action in ("post_remove", "pre_clear")):
        return
    what = "role" if sender is User.groups.through else "permission"
    related = model.objects.all() if pk_set is None else model.objects.filter(pk__in=pk_set)
    if reverse:
        owners = related if pk_set is not None else instance.user_set.all()  # type: ignore[union-attr] # an account is never the reverse side
        _tell_rights(owners, what, [instance.name], given=given)  # type: ignore[union-attr] # as above
        return
    if pk_set is None:
        held = instance.groups if what == "role" else instance.user_permissions  # type: ignore[union-attr] # not reverse: an account
        related = held.all()
    _tell_rights([instance], what, [one.name for one in related], given=given)  # type: ignore[list-item] # as above


@receiver(pre_delete, sender=Group, dispatch_uid="config.role_deleted")
def _role_deleted(sender: Any, instance: Group, **kwargs: Any) -> None:
    del sender, kwargs
    _tell_rights(instance.user_set.all(), "role", [instance.name], given=False)


def _tell_rights(owners: Iterable[User], what: str, names: list[str], *, given: bool) -> None:
    if not names:
        return
    several = "s" if len(names) > 1 else ""
    verb = "given" if given else "taken away"
    for owner in owners:
        tell(owner, "rights_changed", detail=f"{what}{several} {verb}: {', '.join(sorted(names))}")


@receiver(user_locked_out, dispatch_uid="config.account_locked")
def _account_locked(sender: Any, username: str | None, **kwargs: Any) -> None:
    """Tell the owner of the name that was typed, where there is one."""
    del sender, kwargs
    owner = User.objects.filter(username=username).first() if username else None
    if owner is not None:
        tell(owner, "login_locked", detail=str(settings.LOGIN_LOCK_MINUTES))
