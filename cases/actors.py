"""Who acts: what accounts, groups and permissions in the database make of somebody."""

from __future__ import annotations

from collections.abc import Collection
from typing import Final

from django.contrib.auth.base_user import AbstractBaseUser
from django.contrib.auth.models import AnonymousUser, User
from django.db import connection

from cases.policies import DEFAULT_ROLES, Actor

# Two columns beside those of an account ``u``: the names of its groups, and what it may do with
# cases. Written out, because the ORM takes five times as long to put it together as PostgreSQL to
# answer it, and every request by token or session asks this.
RIGHTS: Final = """
    ARRAY(SELECT g.name FROM auth_user_groups m JOIN auth_group g ON g.id = m.group_id
          WHERE m.user_id = u.id) AS role_names,
    ARRAY(SELECT p.codename FROM (
              SELECT gp.permission_id FROM auth_user_groups m
              JOIN auth_group_permissions gp ON gp.group_id = m.group_id WHERE m.user_id = u.id
              UNION
              SELECT up.permission_id FROM auth_user_user_permissions up WHERE up.user_id = u.id
          ) held
          JOIN auth_permission p ON p.id = held.permission_id
          JOIN django_content_type c ON c.id = p.content_type_id AND c.app_label = 'cases'
    ) AS codenames
"""

_ACCOUNT: Final = f"""
    SELECT u.id, u.username, u.is_superuser, {RIGHTS}
      FROM auth_user u
     WHERE u.id = %s
"""  # noqa: S608 (constants)

_PERMISSIONS_OF_ROLES: Final = """
    SELECT DISTINCT p.codename
      FROM auth_group g
      JOIN auth_group_permissions gp ON gp.group_id = g.id
      JOIN auth_permission p ON p.id = gp.permission_id
      JOIN django_content_type c ON c.id = p.content_type_id AND c.app_label = 'cases'
     WHERE g.name = ANY (%s)
"""


def actor_of_roles(actor_id: str, roles: Collection[str]) -> Actor:
    """Return an actor with the permissions of the groups that bear the roles' names."""
    with connection.cursor() as cursor:
        cursor.execute(_PERMISSIONS_OF_ROLES, [sorted(set(roles))])
        codenames = frozenset(row[0] for row in cursor.fetchall())
    return Actor(id=actor_id, roles=frozenset(roles), permissions=codenames)


def actor_of_user(user: AbstractBaseUser | AnonymousUser) -> Actor:
    """Return the actor that a logged-in user is: the name, the groups, what they allow.

    Raises:
        TypeError: nobody is logged in, or the account is switched off or gone.
    """
    if not isinstance(user, User) or not user.is_active:
        message = "Only an active account can be an actor."
        raise TypeError(message)
    for account in User.objects.raw(_ACCOUNT, [user.pk]):
        return actor_with_rights(account)
    message = "The account is gone."
    raise TypeError(message)


def actor_with_rights(account: User) -> Actor:
    """Return the actor that an account is, which was read together with its ``RIGHTS``."""
    roles: frozenset[str] = frozenset(account.role_names)  # type: ignore[attr-defined]
    if account.is_superuser:
        return Actor(
            id=account.username, roles=roles | {"admin"}, permissions=DEFAULT_ROLES["admin"]
        )
    codenames: list[str] = account.codenames  # type: ignore[attr-defined]
    return Actor(id=account.username, roles=roles, permissions=frozenset(codenames))
