"""Who acts: what accounts, groups and permissions in the database make of somebody."""

from __future__ import annotations

from collections.abc import Collection
from typing import Final, NamedTuple

from django.contrib.auth.base_user import AbstractBaseUser
from django.contrib.auth.models import AnonymousUser, User
from django.db import connection

from cases.policies import DEFAULT_ROLES, Actor
from cases.prepared import Prepared

# What an account ``u`` is and may, for ``Account``. Written out, because the ORM takes five times
# as long to put it together as PostgreSQL to answer it, and every request asks it.
ACCOUNT_COLUMNS: Final = """
    u.username, u.is_active, u.is_superuser,
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
    ) AS codenames,
    EXISTS (SELECT FROM case_user_permissions g WHERE g.user_id = u.id) AS has_grants
"""
_ACCOUNT: Final = Prepared(f"SELECT {ACCOUNT_COLUMNS} FROM auth_user u WHERE u.id = %s")  # noqa: S608 (constants)

_ROLES: Final = Prepared("""
    SELECT ARRAY(SELECT DISTINCT p.codename
                   FROM auth_group g
                   JOIN auth_group_permissions gp ON gp.group_id = g.id
                   JOIN auth_permission p ON p.id = gp.permission_id
                   JOIN django_content_type c ON c.id = p.content_type_id AND c.app_label = 'cases'
                  WHERE g.name = ANY (%(roles)s)) AS codenames,
           EXISTS (SELECT FROM case_user_permissions g JOIN auth_user u ON u.id = g.user_id
                    WHERE u.username = %(actor)s) AS has_grants
""")


class Account(NamedTuple):
    """What is read of an account by ``ACCOUNT_COLUMNS``."""

    username: str
    is_active: bool
    is_superuser: bool
    role_names: list[str]
    codenames: list[str]
    has_grants: bool

    def actor(self) -> Actor:
        """Return the actor that the account is; a superuser is an admin, whatever the groups."""
        roles = frozenset(self.role_names)
        permissions = frozenset(self.codenames)
        if self.is_superuser:
            roles, permissions = roles | {"admin"}, DEFAULT_ROLES["admin"]
        return Actor(
            id=self.username, roles=roles, permissions=permissions, has_grants=self.has_grants
        )


def actor_of_roles(actor_id: str, roles: Collection[str]) -> Actor:
    """Return an actor with the permissions of the groups that bear the roles' names."""
    with connection.cursor() as cursor:
        cursor.execute(_ROLES, {"roles": sorted(set(roles)), "actor": actor_id})
        codenames, has_grants = cursor.fetchone()
    return Actor(
        id=actor_id,
        roles=frozenset(roles),
        permissions=frozenset(codenames),
        has_grants=has_grants,
    )


def actor_of_user(user: AbstractBaseUser | AnonymousUser) -> Actor:
    """Return the actor that a logged-in user is: the name, the groups, what they allow.

    Raises:
        TypeError: nobody is logged in, or the account is switched off or gone.
    """
    if not isinstance(user, User) or not user.is_active:
        message = "Only an active account can be an actor."
        raise TypeError(message)
    with connection.cursor() as cursor:
        cursor.execute(_ACCOUNT, [user.pk])
        row = cursor.fetchone()
    if row is None:
        message = "The account is gone."
        raise TypeError(message)
    return Account(*row).actor()
